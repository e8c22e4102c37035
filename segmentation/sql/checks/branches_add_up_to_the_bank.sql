-- The branch summary is the sum of the standings, and the standings are the sum of the accounts.
-- grain   no row
-- reads   segmentation_accountmeasure, segmentation_branchsummary, segmentation_standing
-- writes  none
-- params  run_id
select 'summary' as what, b.customers, s.customers as standings, b.contribution, s.contribution as standing_contribution
from (
    select coalesce(sum(k.customers), 0) as customers, coalesce(sum(k.contribution), 0) as contribution,
           coalesce(sum(k.deposit_month_sum), 0) as deposits, coalesce(sum(k.loan_balance), 0) as loans,
           coalesce(sum(k.asset_balance), 0) as assets, coalesce(sum(k.deposit_points), 0) as points,
           coalesce(sum(k.loyalty_count), 0) as loyal, coalesce(sum(k.loyalty_sum), 0) as loyalty,
           coalesce(sum(k.risk_count), 0) as risky, coalesce(sum(k.risk_sum), 0) as risk,
           -- Everybody lives somewhere: those who left the bank are counted as closed.
           coalesce(sum(k.closed_customers + k.new_customers + k.active_customers + k.reactivated_customers
                        + k.dormant_customers + k.lost_customers), 0) as lives
    from segmentation_branchsummary as k
    where k.run_id = %(run_id)s
) as b
cross join (
    select count(*) as customers, coalesce(sum(k.contribution), 0) as contribution,
           coalesce(sum(k.deposit_month_sum), 0) as deposits, coalesce(sum(k.loan_balance), 0) as loans,
           coalesce(sum(k.asset_balance), 0) as assets, coalesce(sum(k.deposit_points), 0) as points,
           count(k.loyalty) as loyal, coalesce(sum(k.loyalty), 0) as loyalty,
           count(k.risk) as risky, coalesce(sum(k.risk), 0) as risk
    from segmentation_standing as k
    where k.run_id = %(run_id)s
) as s
cross join (
    select coalesce(sum(k.month_sum * k.fx_rate) filter (where k.side = 'deposit'), 0) as deposits,
           coalesce(sum(k.balance * k.fx_rate) filter (where k.side = 'debt'), 0) as loans
    from segmentation_accountmeasure as k
    where k.run_id = %(run_id)s
) as a
where b.customers <> s.customers or b.contribution <> s.contribution or b.deposits <> s.deposits or b.loans <> s.loans
   or b.assets <> s.assets or b.points <> s.points or b.loyal <> s.loyal or b.loyalty <> s.loyalty or b.risky <> s.risky
   or b.risk <> s.risk or b.lives <> s.customers or s.deposits <> a.deposits or s.loans <> a.loans
