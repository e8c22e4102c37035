-- The lines of all accounts are the contributions of all customers, save what managers' minutes cost.
-- grain   no row
-- reads   segmentation_accountmeasure, segmentation_contribution
-- writes  none
-- params  run_id
select a.margin, a.fee, a.loss, c.margin as customers_margin, c.fee as customers_fee, c.loss as customers_loss
from (
    select coalesce(sum(m.ytd_margin), 0) as margin, coalesce(sum(m.ytd_fee), 0) as fee, coalesce(sum(m.ytd_loss), 0) as loss,
           coalesce(sum(m.ytd_operation), 0) as operation, coalesce(sum(m.ytd_capital_cost), 0) as capital_cost
    from segmentation_accountmeasure as m
    where m.run_id = %(run_id)s
) as a
cross join (
    select coalesce(sum(k.deposit + k.loan + k.wealth), 0) as margin, coalesce(sum(k.fee), 0) as fee,
           coalesce(sum(k.loss), 0) as loss, coalesce(sum(k.operation), 0) as operation,
           coalesce(sum(k.capital_cost), 0) as capital_cost
    from segmentation_contribution as k
    where k.run_id = %(run_id)s and k.period = 'ytd'
) as c
where a.margin <> c.margin or a.fee <> c.fee or a.loss <> c.loss or a.operation > c.operation
   or a.capital_cost <> c.capital_cost
