-- What every dashboard reads: sums of the standings.
-- grain   one row per branch, kind and tier
-- reads   segmentation_standing
-- writes  segmentation_branchsummary
-- params  run_id
insert into segmentation_branchsummary
    (run_id, branch_id, kind, tier, customers, closed_customers, accounts, deposit_balance, deposit_month_sum,
     deposit_year_sum, loan_balance, loan_month_sum, loan_year_sum, asset_balance, asset_month_sum, contribution,
     contribution_annual, pretax, deposit_holders, loan_holders, deposit_points, loyalty_count, loyalty_sum, risk_count,
     risk_sum, new_customers, active_customers, reactivated_customers, dormant_customers, lost_customers)
select
    %(run_id)s,
    s.branch_id,
    s.kind,
    s.tier,
    count(*),
    count(*) filter (where s.is_closed),
    sum(s.account_count),
    sum(s.deposit_balance),
    sum(s.deposit_month_sum),
    sum(s.deposit_year_sum),
    sum(s.loan_balance),
    sum(s.loan_month_sum),
    sum(s.loan_year_sum),
    sum(s.asset_balance),
    sum(s.asset_month_sum),
    sum(s.contribution),
    sum(s.contribution_annual),
    sum(s.pretax),
    count(*) filter (where s.deposit_year_sum > 0),
    count(*) filter (where s.loan_year_sum > 0),
    sum(s.deposit_points),
    count(s.loyalty),
    coalesce(sum(s.loyalty), 0),
    count(s.risk),
    coalesce(sum(s.risk), 0),
    count(*) filter (where s.life = 'new'),
    count(*) filter (where s.life = 'active'),
    count(*) filter (where s.life = 'reactivated'),
    count(*) filter (where s.life = 'dormant'),
    count(*) filter (where s.life = 'lost')
from segmentation_standing as s
where s.run_id = %(run_id)s
group by s.branch_id, s.kind, s.tier
