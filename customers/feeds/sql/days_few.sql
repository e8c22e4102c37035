-- For batches that change little: the account-days whose reconciliation may have changed: days with changed rows, and the next balance after a changed one.
-- grain   one row per account and day
-- reads   temp_change, customers_balance
-- writes  temp_day
-- params  none
insert into temp_day (account_id, day)
with
changed as (
    select distinct account_id, day, is_balance from temp_change
)
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
