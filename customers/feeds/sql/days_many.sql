-- For batches that change much, and take nothing back: the same account-days as days_few.sql, found in one pass over the
-- balances of the changed accounts instead of one look-up a day.
-- grain   one row per account and day
-- reads   temp_change, customers_balance
-- writes  temp_day
-- params  none
insert into temp_day (account_id, day)
with
changed as (
    select account_id, day, bool_or(is_balance) as is_balance from temp_change group by account_id, day
),
steps as (
    select b.account_id, b.on_date, lead(b.on_date) over (partition by b.account_id order by b.on_date) as following
    from customers_balance as b
    where b.account_id in (select account_id from changed)
)
select account_id, day from changed
union
select s.account_id, s.following
from steps as s
join changed as c on c.account_id = s.account_id and c.day = s.on_date and c.is_balance
where s.following is not null
