-- Whose value counts with whose, at which weight: the heaviest path over the relations in force on the date, taken both
-- ways, and one group number among its customers. A group number shared by more than the limit joins its parent alone with
-- the others, and no path passes through somebody with more relations than that: nothing explodes.
-- grain   one row per customer and related customer
-- reads   customers_customer_as_of, customers_relation_as_of, segmentation_contribution
-- writes  segmentation_relatedshare
-- params  run_id, as_of, relation_weights, relation_depth, related_group_limit
with
weights as (
    select w.kind, w.weight from jsonb_to_recordset(%(relation_weights)s::jsonb) as w (kind text, weight numeric)
),
known as (
    select c.id as customer_id, c.group_no
    from customers_customer_as_of(%(as_of)s::date) as c
    join segmentation_contribution as e on e.run_id = %(run_id)s and e.customer_id = c.id and e.period = 'ytd'
),
relations as (
    select r.customer_id, r.related_id, r.kind, r.share_percent
    from customers_relation_as_of(%(as_of)s::date) as r
    where (r.since is null or r.since <= %(as_of)s) and (r.until is null or r.until > %(as_of)s)
      and r.customer_id in (select k.customer_id from known as k)
      and r.related_id in (select k.customer_id from known as k)
),
groups as (
    select k.group_no, count(*) > %(related_group_limit)s as is_large from known as k where k.group_no <> '' group by k.group_no
),
-- The parent of a large group, as in 44_related; where none is known its number joins nobody.
parents as (
    select
        a.group_no, r.related_id as customer_id, count(distinct r.customer_id) as below,
        exists (
            select
            from relations as up
            join known as above on above.customer_id = up.related_id and above.group_no = a.group_no
            where up.kind = 'group_parent' and up.customer_id = r.related_id
        ) as has_parent
    from relations as r
    join known as a on a.customer_id = r.related_id
    join known as b on b.customer_id = r.customer_id and b.group_no = a.group_no
    join groups as g on g.group_no = a.group_no and g.is_large
    where r.kind = 'group_parent'
    group by a.group_no, r.related_id
),
heads as (
    select distinct on (p.group_no) p.group_no, p.customer_id
    from parents as p
    order by p.group_no, p.has_parent, p.below desc, p.customer_id
),
pairs as (
    -- An unknown share is not guessed: it weighs nothing.
    select
        r.customer_id as one, r.related_id as other, r.kind,
        case when w.weight is not null then w.weight when r.share_percent >= 50 then 1 else round(r.share_percent / 100, 8) end
            as weight
    from relations as r
    join weights as w on w.kind = r.kind
    union all
    select a.customer_id, b.customer_id, 'group', w.weight
    from known as a
    join groups as g on g.group_no = a.group_no and not g.is_large
    join known as b on b.group_no = a.group_no and b.customer_id > a.customer_id
    join weights as w on w.kind = 'group'
    union all
    select h.customer_id, k.customer_id, 'group', w.weight
    from heads as h
    join known as k on k.group_no = h.group_no and k.customer_id <> h.customer_id
    join weights as w on w.kind = 'group'
),
both_ways as (
    select p.one as customer_id, p.other as member_id, p.kind, p.weight from pairs as p where p.weight > 0
    union all
    select p.other, p.one, p.kind, p.weight from pairs as p where p.weight > 0
),
edges as materialized (
    select distinct on (b.customer_id, b.member_id) b.customer_id, b.member_id, b.kind, b.weight::numeric(9, 8) as weight
    from both_ways as b
    order by b.customer_id, b.member_id, b.weight desc, b.kind
),
passable as (
    select e.customer_id from edges as e group by e.customer_id having count(*) <= %(related_group_limit)s
),
second as materialized (
    select distinct on (e.customer_id, n.member_id)
        e.customer_id, n.member_id, e.kind, round(e.weight * n.weight, 8) as weight
    from edges as e
    join passable as p on p.customer_id = e.member_id
    join edges as n on n.customer_id = e.member_id and n.member_id <> e.customer_id
    where %(relation_depth)s >= 2
    order by e.customer_id, n.member_id, round(e.weight * n.weight, 8) desc, e.kind
),
third as (
    select distinct on (s.customer_id, n.member_id)
        s.customer_id, n.member_id, s.kind, round(s.weight * n.weight, 8) as weight
    from second as s
    join passable as p on p.customer_id = s.member_id
    join edges as n on n.customer_id = s.member_id and n.member_id <> s.customer_id
    where %(relation_depth)s >= 3
    order by s.customer_id, n.member_id, round(s.weight * n.weight, 8) desc, s.kind
),
paths as (
    select e.customer_id, e.member_id, e.weight, 1 as depth, e.kind from edges as e
    union all
    select s.customer_id, s.member_id, s.weight, 2, s.kind from second as s where s.weight > 0
    union all
    select t.customer_id, t.member_id, t.weight, 3, t.kind from third as t where t.weight > 0
)
insert into segmentation_relatedshare (run_id, customer_id, member_id, weight, depth, kind)
select distinct on (p.customer_id, p.member_id) %(run_id)s, p.customer_id, p.member_id, p.weight, p.depth, p.kind
from paths as p
order by p.customer_id, p.member_id, p.weight desc, p.depth, p.kind
