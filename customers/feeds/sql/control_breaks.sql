-- Account-days up to a day whose bookings do not lead from one balance to the next, computed from the rows themselves.
-- grain   one row per currency
-- reads   customers_account_as_of, customers_product_as_of, customers_balance_as_of, customers_transaction_as_of
-- writes  none
-- params  as_of, deposits, debts, tolerance
with
booked as (
    select t.account_id, t.booked_on as day, sum(t.amount) as amount
    from customers_transaction_as_of(%(as_of)s) as t
    where t.booked_on <= %(as_of)s
    group by t.account_id, t.booked_on
),
steps as (
    select b.account_id, b.on_date as day, b.balance,
        coalesce(lag(b.balance) over (partition by b.account_id order by b.on_date), 0) as previous
    from customers_balance_as_of(%(as_of)s) as b
    where b.on_date <= %(as_of)s
),
judged as (
    select a.currency,
        case when p.family = any(%(debts)s)
            then s.previous - k.amount - s.balance
            else s.previous + coalesce(k.amount, 0) - s.balance
        end as difference
    from steps as s
    join customers_account_as_of(%(as_of)s) as a on a.id = s.account_id
    join customers_product_as_of(%(as_of)s) as p on p.id = a.product_id
    left join booked as k on k.account_id = s.account_id and k.day = s.day
    where p.family = any(%(deposits)s) or (p.family = any(%(debts)s) and k.day is not null)
)
select currency,
    count(*) filter (where difference <> 0) as missing,
    count(*) filter (where abs(difference) > %(tolerance)s) as by_more
from judged
group by currency
