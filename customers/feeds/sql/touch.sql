-- Which account-months a batch changed, the month of the next balance after a changed one included: its step changed too.
-- grain   one row per account and month
-- reads   temp_change, customers_account, customers_balance
-- writes  customers_feedtouch
-- params  batch
insert into customers_feedtouch (batch_id, customer_id, account_id, month)
with
changed as (
    select distinct account_id, day, is_balance from temp_change
),
days as (
    select account_id, day from changed
    union
    select c.account_id, following.on_date
    from changed as c
    cross join lateral (
        select b.on_date from customers_balance as b
        where b.account_id = c.account_id and b.on_date > c.day
        order by b.on_date limit 1
    ) as following
    where c.is_balance
)
select distinct %(batch)s::bigint, a.customer_id, d.account_id, date_trunc('month', d.day)::date
from days as d
join customers_account as a on a.id = d.account_id
on conflict (batch_id, account_id, month) do nothing
