-- A group of peers is as large as the open customers of its kind, tier and branch, and everybody is compared within a
-- group of his own that is large enough, his kind's at the latest.
-- grain   no row
-- reads   segmentation_peergroup, segmentation_standing
-- writes  none
-- params  run_id, peer_floor
with
groups as (
    select g.peer_id, g.kind, g.tier, g.branch_id, g.size
    from segmentation_peergroup as g
    where g.run_id = %(run_id)s
),
members as (
    select s.kind, coalesce(s.tier, '') as tier, s.branch_id, count(*) as size
    from segmentation_standing as s
    where s.run_id = %(run_id)s and not s.is_closed
    group by grouping sets ((s.kind, s.tier, s.branch_id), (s.kind, s.tier), (s.kind))
)
select 'size' as what, g.peer_id, g.size, m.size as found
from groups as g
full join members as m
    on m.kind = g.kind and m.tier = g.tier and coalesce(m.branch_id, 0) = coalesce(g.branch_id, 0)
where coalesce(g.size, -1) <> coalesce(m.size, 0)
union all
select 'member', s.peer_id, g.size, s.customer_id
from segmentation_standing as s
left join groups as g on g.peer_id = s.peer_id
where s.run_id = %(run_id)s
  and (g.peer_id is null
       or g.kind <> s.kind
       or g.tier not in ('', s.tier)
       or g.branch_id <> s.branch_id
       or (g.tier <> '' and g.size < %(peer_floor)s))
limit 5
