-- Whose loans were overdue at the second night, or in a worse class than at the first, by the risk he had before and its
-- components: among borrowers who were not overdue then, and among all.
-- grain   one row per question, score, kind and value of the score
-- reads   segmentation_standing, segmentation_risk, segmentation_accountmeasure
-- writes  none
-- params  first_run, second_run
with
loans as (
    select
        m.run_id,
        m.customer_id,
        max(coalesce(m.days_past_due, 0)) as days,
        max(coalesce(array_position(
            array['normal', 'special_mention', 'substandard', 'doubtful', 'loss'], m.five_class::text), 1)) as class
    from segmentation_accountmeasure as m
    where m.run_id in (%(first_run)s, %(second_run)s) and m.side = 'debt' and m.is_open
    group by m.run_id, m.customer_id
),
judged as (
    select
        s.kind,
        r.score as risk, r.overdue_sub, r.probability_sub, r.leverage_sub, r.concentration_sub, r.guarantee_sub, r.warning_sub,
        r.kyc_sub,
        before.days > 0 or before.class > 1 as was_overdue,
        coalesce(later.days > 0 or later.class > before.class, false) as is_overdue
    from segmentation_standing as s
    join segmentation_risk as r on r.run_id = s.run_id and r.customer_id = s.customer_id
    join loans as before on before.run_id = s.run_id and before.customer_id = s.customer_id
    left join loans as later on later.run_id = %(second_run)s and later.customer_id = s.customer_id
    where s.run_id = %(first_run)s and not s.is_closed and r.score is not null
)
select
    q.question,
    v.score,
    j.kind,
    v.value,
    count(*) filter (where j.is_overdue) as happened,
    count(*) filter (where not j.is_overdue) as spared
from judged as j
cross join lateral (values ('overdue', not j.was_overdue), ('overdue_of_all', true)) as q (question, is_asked)
cross join lateral (values
    ('risk', j.risk), ('overdue', j.overdue_sub), ('probability', j.probability_sub), ('leverage', j.leverage_sub),
    ('concentration', j.concentration_sub), ('guarantee', j.guarantee_sub), ('warning', j.warning_sub), ('kyc', j.kyc_sub)
) as v (score, value)
where q.is_asked and v.value is not null
group by q.question, v.score, j.kind, v.value
