-- Bookings known by a day, per currency of their account.
-- grain   one row per currency
-- reads   customers_account_as_of, customers_transaction_as_of
-- writes  none
-- params  as_of
select a.currency, count(t.txn_no) as bookings, coalesce(sum(t.amount), 0) as amount
from customers_account_as_of(%(as_of)s) as a
left join customers_transaction_as_of(%(as_of)s) as t on t.account_id = a.id and t.booked_on <= %(as_of)s
where a.opened_on <= %(as_of)s or t.txn_no is not null
group by a.currency
order by a.currency
