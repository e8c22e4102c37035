-- Each customer's peers and his place among them. Closed customers are compared, but count for nobody.
-- grain   one row per customer
-- reads   customers_customer_as_of, segmentation_contribution, segmentation_behaviour, segmentation_loyalty,
--         segmentation_risk, segmentation_peergroup, stage_tier
-- writes  stage_rank
-- params  run_id, as_of, peer_floor
with
groups as (
    select g.peer_id, g.kind, g.tier, g.branch_id, g.size
    from segmentation_peergroup as g
    where g.run_id = %(run_id)s
),
-- Narrow on purpose: these rows are sorted once a figure.
customers as (
    select
        c.id as customer_id,
        case when b.size >= %(peer_floor)s then b.peer_id when w.size >= %(peer_floor)s then w.peer_id else k.peer_id end
            as peer_id,
        k.peer_id as kind_id,
        (c.closed_on is null or c.closed_on > %(as_of)s)::int as counts,
        e.eva,
        l.score as loyalty,
        r.score as risk,
        coalesce(h.last_own_on, '-infinity') as last_own_on,
        h.own_180d,
        h.asset_sums[1] as assets
    from stage_tier as t
    join customers_customer_as_of(%(as_of)s::date) as c on c.id = t.customer_id
    join segmentation_contribution as e on e.run_id = %(run_id)s and e.customer_id = c.id and e.period = 'ytd'
    join segmentation_behaviour as h on h.run_id = %(run_id)s and h.customer_id = c.id
    join segmentation_loyalty as l on l.run_id = %(run_id)s and l.customer_id = c.id
    join segmentation_risk as r on r.run_id = %(run_id)s and r.customer_id = c.id
    join groups as k on k.kind = c.kind and k.tier = '' and k.branch_id is null
    left join groups as w on w.kind = c.kind and w.tier = t.tier and w.branch_id is null
    left join groups as b on b.kind = c.kind and b.tier = t.tier and b.branch_id = c.branch_id
),
-- ``…_upto`` counts those not above him, himself among them; ``…_same`` those level with him; ``…_of`` all there are.
-- The three windows of a figure share one sort. Who has no value sorts last and is not counted.
counted as (
    select
        c.customer_id, c.peer_id, c.kind_id, c.eva, c.loyalty, c.risk, c.last_own_on, c.own_180d, c.assets,
        sum(c.counts) over (partition by c.kind_id) as kind_of,
        sum(c.counts) over (partition by c.kind_id order by c.eva) as eva_upto,
        sum(c.counts) over (partition by c.kind_id, c.eva) as eva_same,
        sum(c.counts) over (partition by c.peer_id) as peer_of,
        sum(c.counts) over (partition by c.peer_id order by c.eva) as peer_eva_upto,
        sum(c.counts) over (partition by c.peer_id, c.eva) as peer_eva_same,
        sum(c.counts) filter (where c.loyalty is not null) over (partition by c.peer_id) as loyalty_of,
        sum(c.counts) over (partition by c.peer_id order by c.loyalty) as loyalty_upto,
        sum(c.counts) over (partition by c.peer_id, c.loyalty) as loyalty_same,
        sum(c.counts) filter (where c.risk is not null) over (partition by c.peer_id) as risk_of,
        sum(c.counts) over (partition by c.peer_id order by c.risk) as risk_upto,
        sum(c.counts) over (partition by c.peer_id, c.risk) as risk_same,
        sum(c.counts) over (partition by c.kind_id order by c.last_own_on) as recency_upto,
        sum(c.counts) over (partition by c.kind_id, c.last_own_on) as recency_same,
        sum(c.counts) over (partition by c.kind_id order by c.own_180d) as frequency_upto,
        sum(c.counts) over (partition by c.kind_id, c.own_180d) as frequency_same,
        sum(c.counts) over (partition by c.kind_id order by c.assets) as money_upto,
        sum(c.counts) over (partition by c.kind_id, c.assets) as money_same
    from customers as c
)
-- Mid-rank: 100 × (below + ½ level) ÷ all = 50 × (2 × upto − level) ÷ all. A fifth more each 20 of it, in whole numbers.
insert into stage_rank
    (customer_id, peer_id, contribution_score, contribution_less, contribution_equal, contribution_among,
     contribution_percentile, loyalty_percentile, risk_percentile, recency_rank, frequency_rank, money_rank)
select
    c.customer_id,
    c.peer_id,
    round(50.0 * (2 * c.eva_upto - c.eva_same) / nullif(c.kind_of, 0), 4),
    c.eva_upto - c.eva_same,
    c.eva_same,
    c.kind_of,
    round(50.0 * (2 * c.peer_eva_upto - c.peer_eva_same) / nullif(c.peer_of, 0), 4),
    case when c.loyalty is not null
        then round(50.0 * (2 * c.loyalty_upto - c.loyalty_same) / nullif(c.loyalty_of, 0), 4) end,
    case when c.risk is not null then round(50.0 * (2 * c.risk_upto - c.risk_same) / nullif(c.risk_of, 0), 4) end,
    case when c.last_own_on = '-infinity' then 1 else 1 + least(4, coalesce(
        5 * (2 * c.recency_upto - c.recency_same) / (2 * nullif(c.kind_of, 0)), 0)) end,
    1 + least(4, coalesce(5 * (2 * c.frequency_upto - c.frequency_same) / (2 * nullif(c.kind_of, 0)), 0)),
    1 + least(4, coalesce(5 * (2 * c.money_upto - c.money_same) / (2 * nullif(c.kind_of, 0)), 0))
from counted as c
