-- The size of every firm by the statistical standard: the smallest verdict of its industry's indicators, unknown where one
-- of them or the industry is.
-- grain   one row per corporate customer known on the date
-- reads   customers_customer_as_of
-- writes  stage_size
-- params  as_of, size_limits, size_industries
with
limits as (
    select l.industry, l.indicator, l.large, l.medium, l.small
    from jsonb_to_recordset(%(size_limits)s::jsonb)
        as l (industry text, indicator text, large numeric, medium numeric, small numeric)
),
industries as (
    select i.section, i.digits, i.industry
    from jsonb_to_recordset(%(size_industries)s::jsonb) as i (section text, digits text, industry text)
),
firms as (
    select
        c.id as customer_id, upper(btrim(c.industry_code)) as code, c.staff_count as staff, c.annual_revenue as revenue,
        c.total_assets as assets
    from customers_customer_as_of(%(as_of)s::date) as c
    where c.kind = 'corporate'
),
-- Firms are many, codes few.
codes as (
    select f.code, substring(f.code from '[A-T]') as section, coalesce(substring(f.code from '[0-9]+'), '') as digits
    from firms as f
    where f.code ~ '^([A-T]?[0-9]{2,4}|[A-T])$'
    group by f.code
),
-- A group may be judged otherwise than the rest of its division.
coded as (
    select c.code, found.industry
    from codes as c
    cross join lateral (
        select i.industry
        from industries as i
        where i.digits in (left(c.digits, 3), left(c.digits, 2)) and i.section = coalesce(c.section, i.section)
        order by length(i.digits) desc
        limit 1
    ) as found
),
judged as (
    select
        f.customer_id,
        v.value is null as is_missing,
        (v.value >= l.large)::int + (v.value >= l.medium)::int + (v.value >= l.small)::int as reached
    from firms as f
    join coded as c on c.code = f.code
    join limits as l on l.industry = c.industry
    cross join lateral (
        select case l.indicator when 'staff' then f.staff when 'revenue' then f.revenue else f.assets end as value
    ) as v
),
sized as (
    select
        j.customer_id,
        case when not bool_or(j.is_missing) then (array['micro', 'small', 'medium', 'large'])[min(j.reached) + 1] end as size
    from judged as j
    group by j.customer_id
)
insert into stage_size (customer_id, size)
select f.customer_id, coalesce(s.size, 'unknown')
from firms as f
left join sized as s on s.customer_id = f.customer_id
