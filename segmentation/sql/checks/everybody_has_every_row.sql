-- Whoever stands in the night has exactly one row of each kind, and nobody else has any.
-- grain   no row
-- reads   segmentation_behaviour, segmentation_related, segmentation_loyalty, segmentation_risk, segmentation_pastscore,
--         segmentation_standing
-- writes  none
-- params  run_id
select coalesce(s.customer_id, w.customer_id) as customer_id, s.customer_id is not null as stands, w.digits
from (
    select k.customer_id from segmentation_standing as k where k.run_id = %(run_id)s
) as s
full join (
    -- One digit a table: 11111 is one row of each.
    select r.customer_id, sum(r.digit) as digits
    from (
        select b.customer_id, 1 as digit from segmentation_behaviour as b where b.run_id = %(run_id)s
        union all
        select g.customer_id, 10 from segmentation_related as g where g.run_id = %(run_id)s
        union all
        select l.customer_id, 100 from segmentation_loyalty as l where l.run_id = %(run_id)s
        union all
        select x.customer_id, 1000 from segmentation_risk as x where x.run_id = %(run_id)s
        union all
        select p.customer_id, 10000 from segmentation_pastscore as p where p.run_id = %(run_id)s
    ) as r
    group by r.customer_id
) as w on w.customer_id = s.customer_id
where s.customer_id is null or w.digits is distinct from 11111
limit 5
