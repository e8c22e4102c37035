-- Which account-months a batch changed: what the night must add up anew.
-- grain   one row per account and month
-- reads   temp_day, customers_account
-- writes  customers_feedtouch
-- params  batch
insert into customers_feedtouch (batch_id, customer_id, account_id, month)
select distinct %(batch)s::bigint, a.customer_id, d.account_id, date_trunc('month', d.day)::date
from temp_day as d
join customers_account as a on a.id = d.account_id
on conflict (batch_id, account_id, month) do nothing
