-- Customers whose facts, identity or accounts a batch wrote, those who share, or shared, an identity number with them,
-- and those whose document or assessment has expired since: no feed says so.
-- grain   one row per customer
-- reads   customers_customer, customers_identity, customers_account, customers_rowhistory, customers_qualityissue
-- writes  temp_touched
-- params  batch, as_of, valid_months
insert into temp_touched (customer_id)
with
written as (
    select c.id from customers_customer as c where c.batch_id = %(batch)s
    union
    select a.customer_id from customers_account as a where a.batch_id = %(batch)s
),
numbers as (
    select mine.number_print
    from customers_identity as mine
    join written as w on w.id = mine.customer_id
    union
    select (h.row->>'number_print')::bytea
    from customers_rowhistory as h
    join written as w on w.id = h.customer_id
    where h.entity = 'identity' and h.superseded_by_id = %(batch)s
),
expired as (
    select i.customer_id
    from customers_identity as i
    where i.is_primary and i.expires_on < %(as_of)s
      and not exists (select from customers_qualityissue as q where q.customer_id = i.customer_id and q.rule = 'identity_expired')
    union
    select c.id
    from customers_customer as c
    where c.risk_assessed_on + make_interval(months => %(valid_months)s) < %(as_of)s
      and not exists (select from customers_qualityissue as q where q.customer_id = c.id and q.rule = 'risk_assessment_expired')
),
sharing as (
    select other.customer_id
    from numbers as n
    join customers_identity as other on other.number_print = n.number_print
)
select id from written
union
select customer_id from sharing
union
select e.customer_id
from expired as e
join customers_customer as c on c.id = e.customer_id
where c.merged_into_id is null and (c.closed_on is null or c.closed_on > %(as_of)s)
