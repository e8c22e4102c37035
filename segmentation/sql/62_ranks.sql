-- Each customer's peers and his place among them.
-- grain   one row per customer
-- reads   customers_customer_as_of, stage_tier, segmentation_peergroup
-- writes  stage_rank
-- params  run_id, as_of
insert into stage_rank
select t.customer_id, p.peer_id, 50, 0, 0, 0, 50, null, null, 1, 1, 1
from stage_tier as t
join customers_customer_as_of(%(as_of)s::date) as c on c.id = t.customer_id
join segmentation_peergroup as p on p.run_id = %(run_id)s and p.kind = c.kind and p.tier = '' and p.branch_id is null
