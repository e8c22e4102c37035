-- The parts of a contribution add up to its totals, to the cent.
-- grain   no row
-- reads   segmentation_contribution
-- writes  none
-- params  run_id
select c.customer_id, c.period, c.pretax, c.net, c.eva
from segmentation_contribution as c
where c.run_id = %(run_id)s
  and (c.pretax <> c.deposit + c.loan + c.fee + c.wealth - c.operation - c.loss - c.surcharge
       or c.net <> c.pretax - c.tax
       or c.eva <> c.net - c.capital_cost)
limit 5
