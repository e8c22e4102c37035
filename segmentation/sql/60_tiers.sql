-- The tier every customer holds after tonight. The first rule that speaks decides: a closed customer keeps his last; what
-- people decided; what the bank named strategic; the figures for whom no tier is known and where a decision has run out;
-- a rise at month end (individuals to the top on the day); a loss at month end. Otherwise the tier held goes on.
-- grain   one row per customer
-- reads   segmentation_publishednight, segmentation_tieroverride, stage_below, stage_figure, stage_held
-- writes  stage_tier
-- params  as_of, overrides, tier_ladder, month_days, year_days, tier_keep_months, tier_keep_share, tier_protection_months,
--         top_tier_at_once
with
ladder as (
    select l.kind, l.place, l.tier, l.floor, l.deposit_floor, max(l.place) over (partition by l.kind) as top
    from jsonb_to_recordset(%(tier_ladder)s::jsonb)
        as l (kind text, place int, tier text, floor numeric, deposit_floor numeric)
),
-- The ids the run pinned: in force on the date.
overrides as (
    select o.customer_id, o.tier from segmentation_tieroverride as o where o.id = any (%(overrides)s::bigint[])
),
before as (
    select max(p.business_date) as on_date from segmentation_publishednight as p where p.business_date < %(as_of)s
),
ended as (
    select o.customer_id
    from segmentation_tieroverride as o
    join before as b on o.starts_on <= b.on_date and o.ends_on > b.on_date
),
cases as (
    select
        f.customer_id, f.kind, f.is_closed, f.is_strategic, f.weighted_month_sum, f.contribution_annual, f.deposit_year_sum,
        f.place as figures, n.tier as tier_by_figures, n.top,
        h.place as at, coalesce(h.tier, '') as was, h.since, h.why,
        coalesce(b.months, 0) as months,
        d.place as decided,
        h.why = 'override' and e.customer_id is not null as has_ended,
        h.why in ('first', 'upgrade')
            and (h.since + make_interval(months => %(tier_protection_months)s))::date > %(as_of)s as is_protected
    from stage_figure as f
    join ladder as n on n.kind = f.kind and n.place = f.place
    left join stage_held as h on h.customer_id = f.customer_id
    left join stage_below as b on b.customer_id = f.customer_id
    left join overrides as o on o.customer_id = f.customer_id
    left join ladder as d on d.kind = f.kind and d.tier = o.tier
    left join ended as e on e.customer_id = f.customer_id
),
ruled as (
    select
        c.*,
        case
            when c.is_closed then case when c.at is null then 'first' end
            when c.decided is not null then 'override'
            when c.is_strategic then 'strategic'
            when c.at is null then 'first'
            when c.has_ended or c.why = 'strategic' then 'expired'
            when c.figures > c.at and (extract(day from %(as_of)s::date + 1) = 1
                                       or %(top_tier_at_once)s and c.kind = 'individual' and c.figures = c.top) then 'upgrade'
            when extract(day from %(as_of)s::date + 1) = 1 and c.figures < c.at and c.months >= %(tier_keep_months)s
                and not c.is_protected then 'downgrade'
        end as rule
    from cases as c
),
placed as (
    select
        r.*,
        case when r.rule is null then r.at when r.rule = 'override' then r.decided when r.rule = 'strategic' then r.top
             else r.figures end as place
    from ruled as r
),
dated as (
    select
        p.*,
        p.place is not distinct from p.at as stays,
        case when p.place is not distinct from p.at then p.since else %(as_of)s::date end as tier_since,
        case when p.place is not distinct from p.at then p.why else p.rule end as tier_why
    from placed as p
),
-- Gaps × days are exact; a gap to close is rounded up to the cent that suffices, one that is left down.
gaps as (
    select
        d.*, l.tier, n.tier as next_tier, l.place > 0 as can_fall,
        case when d.kind = 'individual' then n.floor * %(month_days)s - d.weighted_month_sum
             else (n.floor - d.contribution_annual) * %(year_days)s end as lacks,
        case when d.kind = 'corporate' then n.deposit_floor * %(year_days)s - d.deposit_year_sum end as lacks_deposit,
        case when d.kind = 'individual' then d.weighted_month_sum - l.floor * %(tier_keep_share)s * %(month_days)s
             else (d.contribution_annual - l.floor * %(tier_keep_share)s) * %(year_days)s end as spare,
        case when d.kind = 'corporate' then d.deposit_year_sum - l.deposit_floor * %(tier_keep_share)s * %(year_days)s end
            as spare_deposit,
        case when d.kind = 'individual' then %(month_days)s else %(year_days)s end as days,
        (d.tier_since + make_interval(months => %(tier_protection_months)s))::date as protected_until
    from dated as d
    join ladder as l on l.kind = d.kind and l.place = d.place
    left join ladder as n on n.kind = d.kind and n.place = d.place + 1
)
insert into stage_tier
select
    g.customer_id, g.was, g.tier, g.tier_why, g.tier_by_figures, g.tier_since,
    case when g.stays then g.months else 0 end,
    case when g.tier_why in ('first', 'upgrade') and g.protected_until > %(as_of)s then g.protected_until end,
    coalesce(g.next_tier, ''),
    case when g.next_tier is not null then greatest(
        div(least(g.lacks, g.lacks_deposit) * 100, g.days)
            + case when mod(least(g.lacks, g.lacks_deposit) * 100, g.days) > 0 then 1 else 0 end, 0) * 0.01 end,
    case when g.can_fall then (
        div(greatest(g.spare, g.spare_deposit) * 100, g.days)
            - case when mod(greatest(g.spare, g.spare_deposit) * 100, g.days) < 0 then 1 else 0 end) * 0.01 end
from gaps as g
