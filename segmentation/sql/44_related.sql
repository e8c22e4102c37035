-- Own value and the weighted values of related customers, added up: sums of rounded terms, so that the members' lines add
-- up to it. Members overlap, so the sums must not be totalled; the primary customer partitions the bank instead: the parent
-- of his group number (nobody above him, most below him), where no parent is known its smallest id, alone himself.
-- grain   one row per customer
-- reads   customers_customer_as_of, customers_relation_as_of, segmentation_contribution, segmentation_behaviour,
--         segmentation_relatedshare
-- writes  segmentation_related
-- params  run_id, as_of
with
values_of as (
    select c.customer_id, c.eva, c.eva_annual, b.points_year
    from segmentation_contribution as c
    join segmentation_behaviour as b on b.run_id = %(run_id)s and b.customer_id = c.customer_id
    where c.run_id = %(run_id)s and c.period = 'ytd'
),
grouped as (
    select c.id as customer_id, c.group_no
    from customers_customer_as_of(%(as_of)s::date) as c
    join values_of as v on v.customer_id = c.id
    where c.group_no <> ''
),
parents as (
    select r.customer_id, r.related_id
    from customers_relation_as_of(%(as_of)s::date) as r
    join grouped as a on a.customer_id = r.customer_id
    join grouped as b on b.customer_id = r.related_id and b.group_no = a.group_no
    where r.kind = 'group_parent' and (r.since is null or r.since <= %(as_of)s) and (r.until is null or r.until > %(as_of)s)
),
below as (
    select p.related_id as customer_id, count(distinct p.customer_id) as below from parents as p group by p.related_id
),
above as (
    select distinct p.customer_id from parents as p
),
leaders as (
    select distinct on (g.group_no) g.group_no, g.customer_id
    from grouped as g
    left join below as b on b.customer_id = g.customer_id
    left join above as a on a.customer_id = g.customer_id
    order by g.group_no, b.customer_id is null, a.customer_id is not null, b.below desc, g.customer_id
),
added as (
    select
        s.customer_id,
        count(*) as members,
        sum(round(s.weight * v.eva, 2)) as eva,
        sum(round(s.weight * v.eva_annual, 2)) as eva_annual,
        sum(round(s.weight * v.points_year, 2)) as points_year
    from segmentation_relatedshare as s
    join values_of as v on v.customer_id = s.member_id
    where s.run_id = %(run_id)s
    group by s.customer_id
)
insert into segmentation_related
    (run_id, customer_id, as_of, primary_id, members, contribution, contribution_annual, deposit_points)
select
    %(run_id)s, v.customer_id, %(as_of)s, coalesce(l.customer_id, v.customer_id), coalesce(a.members, 0),
    v.eva + coalesce(a.eva, 0), v.eva_annual + coalesce(a.eva_annual, 0), v.points_year + coalesce(a.points_year, 0)
from values_of as v
left join added as a on a.customer_id = v.customer_id
left join grouped as g on g.customer_id = v.customer_id
left join leaders as l on l.group_no = g.group_no
