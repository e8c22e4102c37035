-- Whom each customer is compared with: the narrowest of his three groups that is large enough, his kind's at the latest.
-- grain   one row per customer
-- reads   customers_customer_as_of, segmentation_peergroup, stage_tier
-- writes  stage_peer
-- params  run_id, as_of, peer_floor
with
-- The three groups of everybody of a kind, tier and branch: found among a few thousand groups, not once a customer.
groups as (
    select
        g.kind, g.tier, g.branch_id, g.peer_id as narrow_id, g.size as narrow_size,
        max(g.peer_id) filter (where g.branch_id is null) over (partition by g.kind, g.tier) as wide_id,
        max(g.size) filter (where g.branch_id is null) over (partition by g.kind, g.tier) as wide_size,
        max(g.peer_id) filter (where g.tier = '') over (partition by g.kind) as kind_id
    from segmentation_peergroup as g
    where g.run_id = %(run_id)s
),
-- On its own, so that the groups meet the customers by all three columns at once.
customers as materialized (
    select c.id as customer_id, c.kind, t.tier, c.branch_id, (c.closed_on is null or c.closed_on > %(as_of)s)::int as counts
    from stage_tier as t
    join customers_customer_as_of(%(as_of)s::date) as c on c.id = t.customer_id
)
insert into stage_peer (customer_id, peer_id, narrow_id, wide_id, kind_id, counts)
select
    c.customer_id,
    case when g.narrow_size >= %(peer_floor)s then g.narrow_id
         when g.wide_size >= %(peer_floor)s then g.wide_id
         else g.kind_id end,
    g.narrow_id, g.wide_id, g.kind_id, c.counts
from customers as c
join groups as g on g.kind = c.kind and g.tier = c.tier and g.branch_id = c.branch_id
