-- Whom customers are compared with: open customers of a kind, tier and branch, of a kind and tier, of a kind.
-- grain   one row per group
-- reads   customers_customer_as_of, stage_tier
-- writes  segmentation_peergroup
-- params  run_id, as_of
insert into segmentation_peergroup (run_id, peer_id, kind, tier, branch_id, size)
select %(run_id)s, row_number() over (order by k.kind), k.kind, '', null, k.size
from (
    select c.kind, count(*) as size
    from stage_tier as t
    join customers_customer_as_of(%(as_of)s::date) as c on c.id = t.customer_id
    group by c.kind
) as k
