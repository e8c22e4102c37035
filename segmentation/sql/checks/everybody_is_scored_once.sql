-- Every customer known on the date stands in the night exactly once, and nobody else does.
-- grain   no row
-- reads   customers_customer_as_of, customers_account_as_of, segmentation_standing
-- writes  none
-- params  run_id, as_of
select coalesce(c.id, s.customer_id) as customer_id, coalesce(s.times, 0) as times
from (
    select k.id
    from customers_customer_as_of(%(as_of)s::date) as k
    where k.opened_on <= %(as_of)s
       or exists (
           select from customers_account_as_of(%(as_of)s::date) as a
           where a.customer_id = k.id and a.opened_on <= %(as_of)s
       )
) as c
full join (
    select g.customer_id, count(*) as times
    from segmentation_standing as g
    where g.run_id = %(run_id)s
    group by g.customer_id
) as s on s.customer_id = c.id
where c.id is null or s.times is distinct from 1
limit 5
