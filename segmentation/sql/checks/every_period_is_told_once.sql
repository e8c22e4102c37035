-- Each customer has one contribution per period.
-- grain   no row
-- reads   segmentation_contribution, segmentation_standing
-- writes  none
-- params  run_id
select s.customer_id, coalesce(c.periods, 0) as periods
from segmentation_standing as s
left join (
    select k.customer_id, count(distinct k.period) as periods, count(*) as lines
    from segmentation_contribution as k
    where k.run_id = %(run_id)s
    group by k.customer_id
) as c on c.customer_id = s.customer_id
where s.run_id = %(run_id)s and (c.periods is distinct from 3 or c.lines <> 3)
limit 5
