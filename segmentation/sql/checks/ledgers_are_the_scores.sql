-- For every customer the lines people see add up to the scores he stands with, and the narrow history says the same.
-- grain   no row
-- reads   segmentation_contribution, segmentation_loyalty, segmentation_risk, segmentation_pastscore,
--         segmentation_standing
-- writes  none
-- params  run_id
select s.customer_id, s.contribution, s.loyalty, l.points as loyalty_points, s.risk, r.points as risk_points
from segmentation_standing as s
left join segmentation_contribution as c
    on c.run_id = %(run_id)s and c.customer_id = s.customer_id and c.period = 'ytd'
left join (
    select
        k.customer_id, k.score, k.coverage, k.clamp_points,
        k.tenure_points + k.holdings_points + k.wallet_points + k.activity_points + k.stability_points
            + k.advocacy_points + k.complaint_points + k.dissatisfied_points + k.outflow_points + k.payroll_points
            + k.clamp_points as points
    from segmentation_loyalty as k
    where k.run_id = %(run_id)s
) as l on l.customer_id = s.customer_id
left join (
    select
        k.customer_id, k.score, k.coverage, k.floor_points,
        k.overdue_points + k.probability_points + k.leverage_points + k.concentration_points + k.guarantee_points
            + k.warning_points + k.kyc_points + k.floor_points as points
    from segmentation_risk as k
    where k.run_id = %(run_id)s
) as r on r.customer_id = s.customer_id
left join segmentation_pastscore as p on p.run_id = %(run_id)s and p.customer_id = s.customer_id
where s.run_id = %(run_id)s
  and (s.contribution is distinct from
           c.deposit + c.loan + c.fee + c.wealth - c.operation - c.loss - c.surcharge - c.tax - c.capital_cost
       or (s.pretax, s.contribution_annual, s.coverage) is distinct from (c.pretax, c.eva_annual, c.coverage)
       or (s.loyalty, s.loyalty_coverage) is distinct from (l.score, l.coverage)
       or (s.risk, s.risk_coverage) is distinct from (r.score, r.coverage)
       or l.points <> coalesce(s.loyalty, 0)
       or r.points <> coalesce(s.risk, 0)
       -- The scale's ends alone are reached by a clamp, and a floor never pulls down.
       or (l.clamp_points <> 0 and s.loyalty not in (0, 100))
       or r.floor_points < 0
       or (p.contribution, p.contribution_score, p.loyalty, p.risk, p.tier) is distinct from
          (s.contribution, s.contribution_score, s.loyalty, s.risk, s.tier))
limit 5
