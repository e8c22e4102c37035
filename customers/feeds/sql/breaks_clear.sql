-- Takes away the breaks of the days that are judged anew.
-- grain   one row per account and day
-- reads   temp_day
-- writes  customers_feedbreak
-- params  none
delete from customers_feedbreak as b
using temp_day as d
where b.account_id = d.account_id and b.on_date = d.day
