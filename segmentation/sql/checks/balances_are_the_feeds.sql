-- The balances measured are the newest ones fed on or before the date, per currency.
-- grain   no row
-- reads   customers_account_as_of, customers_balance_as_of, segmentation_accountmeasure
-- writes  none
-- params  run_id, as_of
select coalesce(f.currency, m.currency) as currency, f.total as fed, m.total as measured
from (
    select a.currency, sum(b.balance) as total
    from customers_account_as_of(%(as_of)s::date) as a
    join (
        select k.account_id, max(k.on_date) as on_date
        from customers_balance_as_of(%(as_of)s::date) as k
        where k.on_date <= %(as_of)s
        group by k.account_id
    ) as newest on newest.account_id = a.id
    join customers_balance_as_of(%(as_of)s::date) as b on b.account_id = a.id and b.on_date = newest.on_date
    where a.opened_on <= %(as_of)s
    group by a.currency
) as f
full join (
    select g.currency, sum(g.balance) as total
    from segmentation_accountmeasure as g
    where g.run_id = %(run_id)s
    group by g.currency
) as m on m.currency = f.currency
where coalesce(f.total, 0) <> coalesce(m.total, 0)
