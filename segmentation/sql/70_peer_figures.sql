-- What each group of peers comes to: mean and quartiles of the figures people compare, means of the lines of the scores.
-- grain   one row per group and figure that a member has
-- reads   segmentation_peergroup, segmentation_standing, segmentation_contribution, segmentation_loyalty,
--         segmentation_risk
-- writes  segmentation_peerfigure
-- params  run_id
with
-- The three groups of everybody of a kind, tier and branch: found among a few thousand groups, not once a customer.
groups as (
    select
        g.kind, g.tier, g.branch_id, g.peer_id as narrow_id,
        max(g.peer_id) filter (where g.branch_id is null) over (partition by g.kind, g.tier) as wide_id,
        max(g.peer_id) filter (where g.tier = '') over (partition by g.kind) as kind_id
    from segmentation_peergroup as g
    where g.run_id = %(run_id)s
),
standings as (
    select
        g.narrow_id, g.wide_id, g.kind_id, s.customer_id, s.contribution, s.contribution_score, s.loyalty, s.risk,
        s.deposit_month_sum, s.loan_month_sum, s.asset_month_sum, s.related_contribution, s.deposit_points
    from segmentation_standing as s
    join groups as g on g.kind = s.kind and g.tier = s.tier and g.branch_id = s.branch_id
    where s.run_id = %(run_id)s and not s.is_closed
),
-- Narrow rows, nine figures in three groups a customer, sorted once; numbers for names, to keep them short.
ranked as (
    select
        g.peer_id, f.figure, f.value,
        4 * (row_number() over (partition by g.peer_id, f.figure order by f.value) - 1) as quarters,
        count(*) over (partition by g.peer_id, f.figure) as n,
        sum(f.value) over (partition by g.peer_id, f.figure) as total
    from standings as s
    cross join lateral (values (s.narrow_id), (s.wide_id), (s.kind_id)) as g (peer_id)
    cross join lateral (values
        (1, s.contribution), (2, s.contribution_score), (3, s.loyalty), (4, s.risk), (5, s.deposit_month_sum),
        (6, s.loan_month_sum), (7, s.asset_month_sum), (8, s.related_contribution), (9, s.deposit_points)
    ) as f (figure, value)
    where f.value is not null
),
-- The q-th quartile lies q × (n − 1) quarters of a place above the lowest: between two members, each weighs what the other
-- is away. Exact, where percentile_cont would make floats of money.
quartiles as (
    select
        r.peer_id, r.figure, r.n, round(r.total::numeric(60, 20) / r.n, 10) as mean,
        sum(r.value * greatest(0, 4 - abs(r.quarters - (r.n - 1)))) / 4 as p25,
        sum(r.value * greatest(0, 4 - abs(r.quarters - 2 * (r.n - 1)))) / 4 as median,
        sum(r.value * greatest(0, 4 - abs(r.quarters - 3 * (r.n - 1)))) / 4 as p75
    from ranked as r
    where abs(r.quarters - (r.n - 1)) < 4 or abs(r.quarters - 2 * (r.n - 1)) < 4 or abs(r.quarters - 3 * (r.n - 1)) < 4
    group by r.peer_id, r.figure, r.n, r.total
),
names as (
    select n.figure, n.name
    from (values
        (1, 'contribution'), (2, 'contribution_score'), (3, 'loyalty'), (4, 'risk'), (5, 'deposit_month_sum'),
        (6, 'loan_month_sum'), (7, 'asset_month_sum'), (8, 'related_contribution'), (9, 'deposit_points')
    ) as n (figure, name)
),
-- Means need no order: sums of the smallest groups first, then these few rows up to the wider ones.
sums as (
    select
        s.narrow_id, s.wide_id, s.kind_id, count(*) as n, count(l.score) as n_loyalty, count(r.score) as n_risk,
        sum(c.deposit) as deposit, sum(c.loan) as loan, sum(c.fee) as fee, sum(c.wealth) as wealth,
        sum(c.operation) as operation, sum(c.loss) as loss, sum(c.surcharge) as surcharge, sum(c.tax) as tax,
        sum(c.capital_cost) as capital_cost,
        -- Who has no score has no points: the lines' means add up to the mean of the score.
        sum(l.tenure_points) as tenure, sum(l.holdings_points) as holdings, sum(l.wallet_points) as wallet,
        sum(l.activity_points) as activity, sum(l.stability_points) as stability, sum(l.advocacy_points) as advocacy,
        sum(l.complaint_points) as complaint, sum(l.dissatisfied_points) as dissatisfied,
        sum(l.outflow_points) as outflow, sum(l.payroll_points) as payroll, sum(l.clamp_points) as clamp,
        sum(r.overdue_points) as overdue, sum(r.probability_points) as probability, sum(r.leverage_points) as leverage,
        sum(r.concentration_points) as concentration, sum(r.guarantee_points) as guarantee,
        sum(r.warning_points) as warning, sum(r.kyc_points) as kyc, sum(r.floor_points) as floor
    from standings as s
    join segmentation_contribution as c on c.run_id = %(run_id)s and c.customer_id = s.customer_id and c.period = 'ytd'
    join segmentation_loyalty as l on l.run_id = %(run_id)s and l.customer_id = s.customer_id
    join segmentation_risk as r on r.run_id = %(run_id)s and r.customer_id = s.customer_id
    group by s.narrow_id, s.wide_id, s.kind_id
),
lines as (
    select g.peer_id, f.figure, sum(f.n) as n, sum(f.total) as total
    from sums as s
    cross join lateral (values (s.narrow_id), (s.wide_id), (s.kind_id)) as g (peer_id)
    cross join lateral (values
        ('contribution.deposit', s.n, s.deposit), ('contribution.loan', s.n, s.loan), ('contribution.fee', s.n, s.fee),
        ('contribution.wealth', s.n, s.wealth), ('contribution.operation', s.n, s.operation),
        ('contribution.loss', s.n, s.loss), ('contribution.surcharge', s.n, s.surcharge), ('contribution.tax', s.n, s.tax),
        ('contribution.capital_cost', s.n, s.capital_cost),
        ('loyalty.tenure', s.n_loyalty, s.tenure), ('loyalty.holdings', s.n_loyalty, s.holdings),
        ('loyalty.wallet', s.n_loyalty, s.wallet), ('loyalty.activity', s.n_loyalty, s.activity),
        ('loyalty.stability', s.n_loyalty, s.stability), ('loyalty.advocacy', s.n_loyalty, s.advocacy),
        ('loyalty.complaint', s.n_loyalty, s.complaint), ('loyalty.dissatisfied', s.n_loyalty, s.dissatisfied),
        ('loyalty.outflow', s.n_loyalty, s.outflow), ('loyalty.payroll', s.n_loyalty, s.payroll),
        ('loyalty.clamp', s.n_loyalty, s.clamp),
        ('risk.overdue', s.n_risk, s.overdue), ('risk.probability', s.n_risk, s.probability),
        ('risk.leverage', s.n_risk, s.leverage), ('risk.concentration', s.n_risk, s.concentration),
        ('risk.guarantee', s.n_risk, s.guarantee), ('risk.warning', s.n_risk, s.warning), ('risk.kyc', s.n_risk, s.kyc),
        ('risk.floor', s.n_risk, s.floor)
    ) as f (figure, n, total)
    group by g.peer_id, f.figure
    having sum(f.n) > 0
)
insert into segmentation_peerfigure (run_id, peer_id, figure, n, mean, p25, median, p75)
select %(run_id)s, q.peer_id, n.name, q.n, q.mean, round(q.p25, 10), round(q.median, 10), round(q.p75, 10)
from quartiles as q
join names as n on n.figure = q.figure
union all
select %(run_id)s, l.peer_id, l.figure, l.n, round(l.total::numeric(60, 20) / l.n, 10), null, null, null
from lines as l
