-- Whom customers are compared with: open customers of a kind, tier and branch, of a kind and tier, of a kind.
-- grain   one row per group, also where everybody is closed: they too must find whom they are compared with
-- reads   customers_customer_as_of, stage_tier
-- writes  segmentation_peergroup
-- params  run_id, as_of
with
customers as (
    select c.kind, t.tier, c.branch_id, c.closed_on is null or c.closed_on > %(as_of)s as is_open
    from stage_tier as t
    join customers_customer_as_of(%(as_of)s::date) as c on c.id = t.customer_id
),
groups as (
    select c.kind, coalesce(c.tier, '') as tier, c.branch_id, count(*) filter (where c.is_open) as size
    from customers as c
    group by grouping sets ((c.kind, c.tier, c.branch_id), (c.kind, c.tier), (c.kind))
)
insert into segmentation_peergroup (run_id, peer_id, kind, tier, branch_id, size)
select
    %(run_id)s,
    row_number() over (order by g.kind collate "C", g.tier collate "C", g.branch_id nulls first),
    g.kind, g.tier, g.branch_id, g.size
from groups as g
