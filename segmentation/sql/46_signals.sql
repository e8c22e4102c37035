-- What holds of each customer tonight.
-- grain   one row per customer, kind and account
-- reads   none
-- writes  segmentation_signal
-- params  run_id
insert into segmentation_signal (run_id, customer_id, kind, account_id, level, amount, figure, due_on, was, becomes)
select %(run_id)s, 0, '', 0, 'note', null, null, null, '', '' where false
