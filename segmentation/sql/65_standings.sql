-- Where every customer known on the date stands: deposits, loans, assets, contribution of the year, tier.
-- grain   one row per customer
-- reads   customers_customer_as_of, customers_assignment, segmentation_accountmeasure, segmentation_contribution,
--         segmentation_behaviour, segmentation_related, segmentation_loyalty, segmentation_risk, stage_tier, stage_rank,
--         stage_size
-- writes  segmentation_standing
-- params  run_id, as_of, families
with
families as (
    select f.family, f.coefficient from jsonb_to_recordset(%(families)s::jsonb) as f (family text, coefficient numeric)
),
held as (
    select
        m.customer_id,
        count(*) as account_count,
        coalesce(sum(m.balance * m.fx_rate) filter (where m.side = 'deposit'), 0) as deposit_balance,
        coalesce(sum(m.month_sum * m.fx_rate) filter (where m.side = 'deposit'), 0) as deposit_month_sum,
        coalesce(sum(m.year_sum * m.fx_rate) filter (where m.side = 'deposit'), 0) as deposit_year_sum,
        coalesce(sum(m.balance * m.fx_rate) filter (where m.side = 'debt'), 0) as loan_balance,
        coalesce(sum(m.month_sum * m.fx_rate) filter (where m.side = 'debt'), 0) as loan_month_sum,
        coalesce(sum(m.year_sum * m.fx_rate) filter (where m.side = 'debt'), 0) as loan_year_sum,
        coalesce(sum(m.balance * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0) as asset_balance,
        coalesce(sum(m.month_sum * m.fx_rate) filter (where m.side in ('deposit', 'investment')), 0) as asset_month_sum,
        coalesce(sum(m.month_sum * m.fx_rate * f.coefficient) filter (where m.side in ('deposit', 'investment')), 0)
            as weighted_month_sum
    from segmentation_accountmeasure as m
    join families as f on f.family = m.family
    where m.run_id = %(run_id)s
    group by m.customer_id
),
earned as (
    select c.customer_id, c.eva, c.eva_annual, c.pretax, c.coverage
    from segmentation_contribution as c
    where c.run_id = %(run_id)s and c.period = 'ytd'
),
-- Who looked after the customer that day, whatever was assigned later. Without a stretch: as the feed said.
managers as (
    select a.customer_id, a.manager_id
    from customers_assignment as a
    where a.role = 'main' and a.starts_on <= %(as_of)s and (a.ends_on is null or a.ends_on > %(as_of)s)
),
customers as (
    select
        c.id as customer_id,
        c.kind,
        c.branch_id,
        case when g.customer_id is null then c.manager_id else g.manager_id end as manager_id,
        coalesce(c.closed_on <= %(as_of)s, false) as is_closed
    from customers_customer_as_of(%(as_of)s::date) as c
    left join managers as g on g.customer_id = c.id
),
standing as (
    select
        c.customer_id, c.kind, c.branch_id, c.manager_id, c.is_closed,
        coalesce(h.account_count, 0) as account_count,
        coalesce(h.deposit_balance, 0) as deposit_balance,
        coalesce(h.deposit_month_sum, 0) as deposit_month_sum,
        coalesce(h.deposit_year_sum, 0) as deposit_year_sum,
        coalesce(h.loan_balance, 0) as loan_balance,
        coalesce(h.loan_month_sum, 0) as loan_month_sum,
        coalesce(h.loan_year_sum, 0) as loan_year_sum,
        coalesce(h.asset_balance, 0) as asset_balance,
        coalesce(h.asset_month_sum, 0) as asset_month_sum,
        coalesce(h.weighted_month_sum, 0) as weighted_month_sum,
        e.eva, e.eva_annual, e.pretax, e.coverage
    from customers as c
    join earned as e on e.customer_id = c.customer_id
    left join held as h on h.customer_id = c.customer_id
)
insert into segmentation_standing
    (run_id, customer_id, as_of, branch_id, manager_id, kind, tier, is_closed, account_count, deposit_balance,
     deposit_month_sum, deposit_year_sum, loan_balance, loan_month_sum, loan_year_sum, asset_balance, asset_month_sum,
     weighted_month_sum, contribution, contribution_annual, pretax, coverage, contribution_score, contribution_less,
     contribution_equal, contribution_among, loyalty, loyalty_coverage, risk, risk_coverage, peer_id,
     contribution_percentile, loyalty_percentile, risk_percentile, tier_by_figures, tier_since, months_below,
     protected_until, next_tier, next_gap, drop_gap, primary_id, related_members, related_contribution, related_annual,
     deposit_points, related_deposit_points, enterprise_size, life, last_own_on, own_180d, recency_rank, frequency_rank,
     money_rank)
select
    %(run_id)s, s.customer_id, %(as_of)s, s.branch_id, s.manager_id, s.kind,
    t.tier,
    s.is_closed, s.account_count, s.deposit_balance, s.deposit_month_sum, s.deposit_year_sum, s.loan_balance,
    s.loan_month_sum, s.loan_year_sum, s.asset_balance, s.asset_month_sum, s.weighted_month_sum, s.eva, s.eva_annual,
    s.pretax, s.coverage, k.contribution_score, k.contribution_less, k.contribution_equal, k.contribution_among, l.score,
    l.coverage, r.score, r.coverage, k.peer_id, k.contribution_percentile, k.loyalty_percentile, k.risk_percentile,
    t.tier_by_figures, t.tier_since, t.months_below, t.protected_until, t.next_tier, t.next_gap, t.drop_gap, g.primary_id,
    g.members, g.contribution, g.contribution_annual, b.points_year, g.deposit_points,
    coalesce(z.size, ''), b.life, b.last_own_on, b.own_180d, k.recency_rank,
    k.frequency_rank, k.money_rank
from standing as s
join stage_tier as t on t.customer_id = s.customer_id
join stage_rank as k on k.customer_id = s.customer_id
left join stage_size as z on z.customer_id = s.customer_id
join segmentation_behaviour as b on b.run_id = %(run_id)s and b.customer_id = s.customer_id
join segmentation_related as g on g.run_id = %(run_id)s and g.customer_id = s.customer_id
join segmentation_loyalty as l on l.run_id = %(run_id)s and l.customer_id = s.customer_id
join segmentation_risk as r on r.run_id = %(run_id)s and r.customer_id = s.customer_id
