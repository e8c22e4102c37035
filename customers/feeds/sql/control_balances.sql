-- End-of-day balances of a day, per currency: deposits, and debts.
-- grain   one row per currency
-- reads   customers_account_as_of, customers_product_as_of, customers_balance_as_of
-- writes  none
-- params  as_of, deposits, debts
with
standing as (
    select distinct on (b.account_id) b.account_id, b.balance
    from customers_balance_as_of(%(as_of)s) as b
    where b.on_date <= %(as_of)s
    order by b.account_id, b.on_date desc
)
select a.currency,
    coalesce(sum(s.balance) filter (where p.family = any(%(deposits)s)), 0) as deposits,
    coalesce(sum(s.balance) filter (where p.family = any(%(debts)s)), 0) as debts
from customers_account_as_of(%(as_of)s) as a
join customers_product_as_of(%(as_of)s) as p on p.id = a.product_id
join standing as s on s.account_id = a.id
group by a.currency
