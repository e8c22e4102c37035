-- Minutes relationship managers spent on each customer; contacts are not recorded yet, so nobody has any.
-- grain   one row per customer with minutes
-- reads   none
-- writes  stage_minute
-- params  none
insert into stage_minute (customer_id, mtd, ytd, r12)
select 0, 0, 0, 0 where false
