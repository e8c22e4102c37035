-- For batches that change much: the same rule as breaks_few.sql in one pass over the changed accounts.
-- grain   one row per account and day that does not add up
-- reads   temp_day, customers_balance, customers_transaction, customers_account, customers_product
-- writes  customers_feedbreak
-- params  batch, deposits, debts
insert into customers_feedbreak (customer_id, account_id, on_date, currency, expected, found, batch_id)
with
accounts as (
    select distinct account_id from temp_day
),
steps as (
    select b.account_id, b.on_date as day, b.balance,
        coalesce(lag(b.balance) over (partition by b.account_id order by b.on_date), 0) as previous
    from customers_balance as b
    join accounts as c on c.account_id = b.account_id
),
booked as (
    select t.account_id, t.booked_on as day, sum(t.amount) as amount
    from customers_transaction as t
    join accounts as c on c.account_id = t.account_id
    group by t.account_id, t.booked_on
),
expected as (
    select s.account_id, s.day, s.balance, a.customer_id, a.currency,
        case when p.family = any(%(debts)s) then s.previous - k.amount else s.previous + coalesce(k.amount, 0) end as wanted
    from steps as s
    join temp_day as d on d.account_id = s.account_id and d.day = s.day
    join customers_account as a on a.id = s.account_id
    join customers_product as p on p.id = a.product_id
    left join booked as k on k.account_id = s.account_id and k.day = s.day
    where p.family = any(%(deposits)s) or (p.family = any(%(debts)s) and k.day is not null)
)
select customer_id, account_id, day, currency, wanted, balance, %(batch)s
from expected
where wanted <> balance
