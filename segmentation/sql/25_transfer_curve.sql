-- The transfer prices fed with rates.csv, as known on the night's date.
-- grain   one row per currency, term and first day of validity
-- reads   customers_rate_as_of
-- writes  stage_curve
-- params  as_of
insert into stage_curve (currency, term_days, valid_from, rate)
select r.currency, r.term_days, r.valid_from, r.rate
from customers_rate_as_of(%(as_of)s::date) as r
where r.kind = 'transfer' and r.valid_from <= %(as_of)s
