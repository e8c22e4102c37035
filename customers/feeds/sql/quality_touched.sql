-- Customers whose facts, identity or accounts a batch wrote, and those who share, or shared, an identity number with them.
-- grain   one row per customer
-- reads   customers_customer, customers_identity, customers_account, customers_rowhistory
-- writes  temp_touched
-- params  batch
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
sharing as (
    select other.customer_id
    from numbers as n
    join customers_identity as other on other.number_print = n.number_print
)
select id from written
union
select customer_id from sharing
