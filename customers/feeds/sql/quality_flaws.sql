-- What is wrong, missing or expired, for every touched customer who is still one.
-- grain   one row per customer and rule
-- reads   temp_touched, customers_customer, customers_identity
-- writes  temp_flaw
-- params  as_of, valid_months
insert into temp_flaw (customer_id, rule)
with
parties as (
    select c.*, i.number_print, i.checksum_ok, i.expires_on, c.kind = 'individual' as is_person,
        exists (
            select from customers_identity as other
            where other.number_print = i.number_print and other.customer_id <> c.id
        ) as is_shared
    from temp_touched as t
    join customers_customer as c on c.id = t.customer_id
    left join customers_identity as i on i.customer_id = c.id and i.is_primary
    where c.merged_into_id is null and (c.closed_on is null or c.closed_on > %(as_of)s)
)
select p.id, flaw.rule
from parties as p
cross join lateral (
    values
        ('identity_checksum', p.checksum_ok is false),
        ('identity_shared', p.is_shared),
        ('identity_missing', p.is_person and p.number_print is null),
        ('identity_expired', p.expires_on < %(as_of)s),
        ('uscc_checksum', p.uscc_ok is false),
        ('uscc_missing', not p.is_person and p.uscc is null),
        ('mobile_missing', p.is_person and p.mobile_print is null),
        ('mobile_malformed', p.mobile_ok is false),
        ('address_missing', p.address_print is null),
        ('occupation_missing', p.is_person and p.occupation is null),
        ('industry_missing', not p.is_person and p.industry_code is null),
        ('birth_missing', p.is_person and p.birth_on is null),
        ('risk_assessment_expired', p.risk_assessed_on + make_interval(months => %(valid_months)s) < %(as_of)s),
        ('no_manager', p.manager_id is null)
) as flaw (rule, is_so)
where flaw.is_so
