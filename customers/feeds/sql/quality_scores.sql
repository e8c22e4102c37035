-- Three indicators of the touched customers, the share of the checks asked that pass, and their mean.
-- grain   one row per customer
-- reads   temp_touched, temp_flaw, customers_customer, customers_identity, customers_account
-- writes  customers_quality
-- params  as_of
insert into customers_quality (customer_id, as_of, accuracy, completeness, timeliness, score)
with
flaws as (
    select f.customer_id,
        count(*) filter (where f.rule in ('identity_checksum', 'identity_shared', 'uscc_checksum', 'mobile_malformed', 'account_number')) as wrong,
        count(*) filter (where f.rule in ('identity_missing', 'uscc_missing', 'mobile_missing', 'address_missing', 'occupation_missing', 'industry_missing', 'birth_missing', 'no_manager')) as missing,
        count(*) filter (where f.rule in ('identity_expired', 'risk_assessment_expired')) as expired
    from temp_flaw as f
    group by f.customer_id
),
asked as (
    select c.id as customer_id,
        (i.checksum_ok is not null)::int + (i.id is not null)::int + (c.uscc_ok is not null)::int + (c.mobile_ok is not null)::int
            + exists (select from customers_account as a where a.customer_id = c.id)::int as right_ones,
        case when c.kind = 'individual' then 6 else 4 end as needed,
        (i.expires_on is not null)::int + (c.risk_assessed_on is not null)::int as dated
    from temp_touched as t
    join customers_customer as c on c.id = t.customer_id
    left join customers_identity as i on i.customer_id = c.id and i.is_primary
    where c.merged_into_id is null
),
indicators as (
    select a.customer_id,
        case when a.right_ones = 0 then 100 else round(100.0 * greatest(a.right_ones - coalesce(f.wrong, 0), 0) / a.right_ones) end as accuracy,
        round(100.0 * (a.needed - coalesce(f.missing, 0)) / a.needed) as completeness,
        case when a.dated = 0 then 100 else round(100.0 * (a.dated - coalesce(f.expired, 0)) / a.dated) end as timeliness
    from asked as a
    left join flaws as f on f.customer_id = a.customer_id
)
select customer_id, %(as_of)s::date, accuracy, completeness, timeliness, round((accuracy + completeness + timeliness) / 3)
from indicators
on conflict (customer_id) do update
set as_of = excluded.as_of, accuracy = excluded.accuracy, completeness = excluded.completeness,
    timeliness = excluded.timeliness, score = excluded.score
