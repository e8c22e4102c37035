-- For batches that change little. The rule:
-- Deposits: end of day before + bookings of the day = end of day. Debts: before - bookings, only on days with bookings.
-- grain   one row per account and day that does not add up
-- reads   temp_day, customers_balance, customers_transaction, customers_account, customers_product
-- writes  customers_feedbreak
-- params  batch, deposits, debts
insert into customers_feedbreak (customer_id, account_id, on_date, currency, expected, found, batch_id)
with
judged as (
    select d.account_id, d.day, b.balance, a.customer_id, a.currency, p.family = any(%(debts)s) as is_debt,
        coalesce(before.balance, 0) as previous, booked.rows as bookings, coalesce(booked.amount, 0) as amount
    from temp_day as d
    join customers_balance as b on b.account_id = d.account_id and b.on_date = d.day
    join customers_account as a on a.id = d.account_id
    join customers_product as p on p.id = a.product_id
    left join lateral (
        select e.balance from customers_balance as e
        where e.account_id = d.account_id and e.on_date < d.day
        order by e.on_date desc limit 1
    ) as before on true
    cross join lateral (
        select count(*) as rows, sum(t.amount) as amount from customers_transaction as t
        where t.account_id = d.account_id and t.booked_on = d.day
    ) as booked
    where p.family = any(%(deposits)s) or p.family = any(%(debts)s)
),
expected as (
    select *, case when is_debt then previous - amount else previous + amount end as wanted
    from judged
    where not is_debt or bookings > 0
)
select customer_id, account_id, day, currency, wanted, balance, %(batch)s
from expected
where wanted <> balance
