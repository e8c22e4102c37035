-- The middle rate of each currency on the night's date; the base currency counts 1.
-- grain   one row per currency
-- reads   customers_rate_as_of
-- writes  stage_fx
-- params  as_of, base_currency
insert into stage_fx (currency, rate)
select distinct on (r.currency) r.currency, r.rate
from customers_rate_as_of(%(as_of)s::date) as r
where r.kind = 'fx' and r.valid_from <= %(as_of)s and r.currency <> %(base_currency)s
order by r.currency, r.valid_from desc, r.term_days
