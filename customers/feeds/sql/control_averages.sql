-- Month-to-date sums of end-of-day deposits per owner, exact: the opening balance counts every day so far, a step on day d
-- the days from d on. Divided by the day of the month it is the day-average.
-- grain   one row per currency and owner
-- reads   customers_account_as_of, customers_product_as_of, customers_customer_as_of, customers_balance_as_of
-- writes  none
-- params  as_of, deposits
with
steps as (
    select b.account_id, b.on_date,
        b.balance - coalesce(lag(b.balance) over (partition by b.account_id order by b.on_date), 0) as step
    from customers_balance_as_of(%(as_of)s) as b
    where b.on_date <= %(as_of)s
),
day_sums as (
    select s.account_id,
        sum(s.step * (%(as_of)s::date - greatest(s.on_date, date_trunc('month', %(as_of)s::date)::date) + 1)) as day_sum
    from steps as s
    group by s.account_id
)
select a.currency, c.customer_no, sum(d.day_sum) as day_sum
from day_sums as d
join customers_account_as_of(%(as_of)s) as a on a.id = d.account_id
join customers_product_as_of(%(as_of)s) as p on p.id = a.product_id
join customers_customer_as_of(%(as_of)s) as c on c.id = a.customer_id
where p.family = any(%(deposits)s)
group by a.currency, c.customer_no
