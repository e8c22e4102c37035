-- Whose value counts with whose, at which weight.
-- grain   one row per customer and related customer
-- reads   none
-- writes  segmentation_relatedshare
-- params  run_id
insert into segmentation_relatedshare (run_id, customer_id, member_id, weight, depth, kind)
select %(run_id)s, 0, 0, 0, 0, '' where false
