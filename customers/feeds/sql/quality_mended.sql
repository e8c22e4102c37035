-- Takes mended flaws of the touched customers off the fix list.
-- grain   one row per customer and rule
-- reads   temp_touched, temp_flaw
-- writes  customers_qualityissue
-- params  none
delete from customers_qualityissue as q
using temp_touched as t
where q.customer_id = t.customer_id
  and not exists (select from temp_flaw as f where f.customer_id = q.customer_id and f.rule = q.rule)
