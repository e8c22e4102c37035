-- Every account opened on or before the date is measured exactly once.
-- grain   no row
-- reads   customers_account_as_of, segmentation_accountmeasure
-- writes  none
-- params  run_id, as_of
select coalesce(a.id, m.account_id) as account_id, coalesce(m.times, 0) as times
from (
    select k.id from customers_account_as_of(%(as_of)s::date) as k where k.opened_on <= %(as_of)s
) as a
full join (
    select g.account_id, count(*) as times
    from segmentation_accountmeasure as g
    where g.run_id = %(run_id)s
    group by g.account_id
) as m on m.account_id = a.id
where a.id is null or m.times is distinct from 1
limit 5
