-- What each customer owes: days overdue, classes, default probability and exposure of the debts that are open or owed.
-- grain   one row per customer with such a debt
-- reads   segmentation_accountmeasure
-- writes  stage_debt
-- params  run_id, classes
with
classes as (
    select c.class, c.pd from jsonb_to_recordset(%(classes)s::jsonb) as c (class text, pd numeric)
),
-- Mildest first.
ranks as (
    select r.class, r.rank
    from unnest(array['normal', 'special_mention', 'substandard', 'doubtful', 'loss']) with ordinality as r (class, rank)
),
debts as (
    select
        m.customer_id, m.five_class, m.balance * m.fx_rate as exposure,
        -- A loan whose class is normal is not overdue: overdue ones are special mention at least.
        case when m.days_past_due is null and m.five_class = 'normal' then 0 else m.days_past_due end as overdue_days
    from segmentation_accountmeasure as m
    where m.run_id = %(run_id)s and m.side = 'debt' and (m.is_open or m.balance <> 0)
)
insert into stage_debt (customer_id, debts, days_told, overdue_days, classes_told, probability, class_rank, exposure)
select
    d.customer_id, count(*), count(d.overdue_days), max(d.overdue_days), count(d.five_class), max(c.pd), max(r.rank),
    sum(greatest(d.exposure, 0))
from debts as d
left join classes as c on c.class = d.five_class
left join ranks as r on r.class = d.five_class
group by d.customer_id
