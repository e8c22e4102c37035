-- Each customer's place among his peers and among his kind. Closed customers are compared, but count for nobody.
-- grain   one row per customer
-- reads   segmentation_contribution, segmentation_behaviour, segmentation_loyalty, segmentation_risk, stage_peer
-- writes  stage_rank
-- params  run_id
with
customers as (
    select
        p.customer_id, p.peer_id, p.narrow_id, p.wide_id, p.kind_id, p.counts,
        e.eva,
        l.score as loyalty,
        r.score as risk,
        coalesce(h.last_own_on, '-infinity') as last_own_on,
        h.own_180d,
        h.asset_sums[1] as assets
    from stage_peer as p
    join segmentation_contribution as e on e.run_id = %(run_id)s and e.customer_id = p.customer_id and e.period = 'ytd'
    join segmentation_behaviour as h on h.run_id = %(run_id)s and h.customer_id = p.customer_id
    join segmentation_loyalty as l on l.run_id = %(run_id)s and l.customer_id = p.customer_id
    join segmentation_risk as r on r.run_id = %(run_id)s and r.customer_id = p.customer_id
),
-- Who falls back is compared with the whole wider group, not only with the others who fell back. Groups that nobody is
-- compared with are left out. Narrow rows: they are sorted once a figure.
members as (
    select c.customer_id, m.peer_id, m.peer_id = c.peer_id as asks, c.counts, c.eva, c.loyalty, c.risk
    from customers as c
    cross join lateral (values (c.narrow_id), (c.wide_id), (c.kind_id)) as m (peer_id)
    where m.peer_id in (select k.peer_id from stage_peer as k)
),
-- ``…_upto`` counts those not above him, himself among them; ``…_level`` those level with him; ``…_of`` all there are.
-- The windows of a figure share one sort. Who has no value sorts last and is not counted.
placed as (
    select
        m.customer_id, m.peer_id, m.asks, m.loyalty, m.risk,
        sum(m.counts) over (partition by m.peer_id) as eva_of,
        sum(m.counts) over (partition by m.peer_id order by m.eva) as eva_upto,
        sum(m.counts) over (partition by m.peer_id, m.eva) as eva_level,
        sum(m.counts) filter (where m.loyalty is not null) over (partition by m.peer_id) as loyalty_of,
        sum(m.counts) over (partition by m.peer_id order by m.loyalty) as loyalty_upto,
        sum(m.counts) over (partition by m.peer_id, m.loyalty) as loyalty_level,
        sum(m.counts) filter (where m.risk is not null) over (partition by m.peer_id) as risk_of,
        sum(m.counts) over (partition by m.peer_id order by m.risk) as risk_upto,
        sum(m.counts) over (partition by m.peer_id, m.risk) as risk_level
    from members as m
),
of_kind as (
    select
        c.customer_id, c.last_own_on,
        sum(c.counts) over (partition by c.kind_id) as among,
        sum(c.counts) over (partition by c.kind_id order by c.eva) as eva_upto,
        sum(c.counts) over (partition by c.kind_id, c.eva) as eva_level,
        sum(c.counts) over (partition by c.kind_id order by c.last_own_on) as recency_upto,
        sum(c.counts) over (partition by c.kind_id, c.last_own_on) as recency_level,
        sum(c.counts) over (partition by c.kind_id order by c.own_180d) as frequency_upto,
        sum(c.counts) over (partition by c.kind_id, c.own_180d) as frequency_level,
        sum(c.counts) over (partition by c.kind_id order by c.assets) as money_upto,
        sum(c.counts) over (partition by c.kind_id, c.assets) as money_level
    from customers as c
)
-- Mid-rank: 100 × (below + ½ level) ÷ all = 50 × (2 × upto − level) ÷ all. A fifth more each 20 of it, in whole numbers.
insert into stage_rank
    (customer_id, peer_id, contribution_score, contribution_less, contribution_equal, contribution_among,
     contribution_percentile, loyalty_percentile, risk_percentile, recency_rank, frequency_rank, money_rank)
select
    k.customer_id,
    p.peer_id,
    round(50.0 * (2 * k.eva_upto - k.eva_level) / nullif(k.among, 0), 4),
    k.eva_upto - k.eva_level,
    k.eva_level,
    k.among,
    round(50.0 * (2 * p.eva_upto - p.eva_level) / nullif(p.eva_of, 0), 4),
    case when p.loyalty is not null
        then round(50.0 * (2 * p.loyalty_upto - p.loyalty_level) / nullif(p.loyalty_of, 0), 4) end,
    case when p.risk is not null then round(50.0 * (2 * p.risk_upto - p.risk_level) / nullif(p.risk_of, 0), 4) end,
    case when k.last_own_on = '-infinity' then 1 else 1 + least(4, coalesce(
        5 * (2 * k.recency_upto - k.recency_level) / (2 * nullif(k.among, 0)), 0)) end,
    1 + least(4, coalesce(5 * (2 * k.frequency_upto - k.frequency_level) / (2 * nullif(k.among, 0)), 0)),
    1 + least(4, coalesce(5 * (2 * k.money_upto - k.money_level) / (2 * nullif(k.among, 0)), 0))
from of_kind as k
join placed as p on p.customer_id = k.customer_id and p.asks
