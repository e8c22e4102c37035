-- Puts new flaws on the fix list; those that stand there keep the day since when.
-- grain   one row per customer and rule
-- reads   temp_flaw
-- writes  customers_qualityissue
-- params  as_of
insert into customers_qualityissue (customer_id, rule, since)
select f.customer_id, f.rule, %(as_of)s::date
from temp_flaw as f
on conflict (customer_id, rule) do nothing
