-- Who guarantees for each customer: how many, how many of them are in trouble themselves, and whether the guarantees run in
-- a ring back to him.
-- grain   one row per customer with a guarantor
-- reads   customers_relation_as_of, stage_debt
-- writes  stage_guarantee
-- params  as_of, ring_length
with recursive
guarantees as (
    select r.customer_id, r.related_id as guarantor_id
    from customers_relation_as_of(%(as_of)s::date) as r
    where r.kind = 'guarantor'
      and (r.since is null or r.since <= %(as_of)s) and (r.until is null or r.until > %(as_of)s)
),
-- Who has a guarantor and is one: nobody else can be part of a ring.
links as (
    select g.customer_id, g.guarantor_id
    from guarantees as g
    where g.customer_id in (select h.guarantor_id from guarantees as h)
      and g.guarantor_id in (select h.customer_id from guarantees as h)
),
walks as (
    select l.customer_id as start_id, l.guarantor_id as at_id, 1 as steps
    from links as l
    union
    select w.start_id, l.guarantor_id, w.steps + 1
    from walks as w
    join links as l on l.customer_id = w.at_id
    where w.steps < %(ring_length)s and w.at_id <> w.start_id
),
rings as (
    select w.start_id as customer_id from walks as w where w.at_id = w.start_id group by w.start_id
)
insert into stage_guarantee (customer_id, guarantors, warned, in_ring)
select
    g.customer_id,
    count(*),
    count(*) filter (where d.class_rank >= 2 or d.overdue_days > 0),
    bool_or(r.customer_id is not null)
from guarantees as g
left join stage_debt as d on d.customer_id = g.guarantor_id
left join rings as r on r.customer_id = g.customer_id
group by g.customer_id
