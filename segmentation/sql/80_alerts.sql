-- What is told tonight: signals, tier moves and customers close to a floor, less what a published earlier night has told
-- within the kind's cool-down. Told again at once where tonight is graver than everything told since.
-- grain   one row per customer, kind and account
-- reads   segmentation_standing, segmentation_signal, segmentation_tierchange, segmentation_alert,
--         segmentation_publishednight
-- writes  segmentation_alert
-- params  run_id, as_of, year_days, tier_ladder, tier_keep_share, near_share, alert_cooldowns, tier_alert_levels
with
-- Closed customers are over and done with.
standings as (
    select
        s.customer_id, s.kind, s.tier, s.next_tier, s.next_gap, s.drop_gap, s.protected_until,
        round(s.asset_balance, 2) as assets,
        s.deposit_year_sum / %(year_days)s as deposit_average
    from segmentation_standing as s
    where s.run_id = %(run_id)s and not s.is_closed
),
signals as (
    select g.customer_id, g.account_id, g.kind, g.level, g.amount, g.figure, g.due_on, g.was, g.becomes
    from segmentation_signal as g
    where g.run_id = %(run_id)s
),
changes as (
    select c.customer_id, c.was, c.becomes
    from segmentation_tierchange as c
    where c.run_id = %(run_id)s and c.why <> 'first'
),
cooldowns as (
    select c.kind, c.days::int as days from jsonb_each_text(%(alert_cooldowns)s::jsonb) as c (kind, days)
),
levels as (
    select l.kind, l.level from jsonb_each_text(%(tier_alert_levels)s::jsonb) as l (kind, level)
),
-- Both ladders, lowest first. The first tier has no floor; firms have a second one by deposits from some place on.
ladder as (
    select t.kind, t.place, t.tier, t.floor, t.deposit_floor
    from jsonb_to_recordset(%(tier_ladder)s::jsonb)
        as t (kind text, place int, tier text, floor numeric, deposit_floor numeric)
),
moved as (
    select
        s.customer_id,
        case when above.place > coalesce(below.place, -1) then 'tier_won' else 'tier_lost' end as kind,
        s.assets as amount, null::numeric as figure, c.was, c.becomes
    from changes as c
    join standings as s on s.customer_id = c.customer_id
    join ladder as above on above.kind = s.kind and above.tier = c.becomes
    left join ladder as below on below.kind = s.kind and below.tier = c.was
),
-- The gap is of the measure the tier looked at; a firm's is the deposits' where it leads to their line exactly.
gaps as (
    select
        s.customer_id, 'near_up' as kind, s.next_gap as gap, s.tier as was, s.next_tier as becomes,
        case when abs(l.deposit_floor - s.deposit_average - s.next_gap) < 0.01 then l.deposit_floor else l.floor end as floor
    from standings as s
    join ladder as l on l.kind = s.kind and l.tier = s.next_tier
    where s.next_gap is not null
    union all
    select
        s.customer_id, 'near_down', s.drop_gap, s.tier, b.tier,
        case
            when abs(s.deposit_average - %(tier_keep_share)s * l.deposit_floor - s.drop_gap) < 0.01 then l.deposit_floor
            else l.floor
        end
    from standings as s
    join ladder as l on l.kind = s.kind and l.tier = s.tier
    join ladder as b on b.kind = s.kind and b.place = l.place - 1
    -- Who won his tier lately cannot lose it yet.
    where s.drop_gap is not null and (s.protected_until is null or s.protected_until <= %(as_of)s)
),
near as (
    select
        g.customer_id, g.kind, g.gap as amount, round(g.gap / nullif(g.floor, 0), 4) as figure, g.was, g.becomes
    from gaps as g
    where g.gap <= %(near_share)s * g.floor
      -- A tier that moved tonight is told as that.
      and not exists (select from changes as c where c.customer_id = g.customer_id)
),
found as (
    select
        g.customer_id, nullif(g.account_id, 0) as account_id, g.kind, g.level,
        -- Papers that run out concern all he holds.
        coalesce(g.amount, s.assets) as amount,
        g.figure, g.due_on, g.was, g.becomes
    from signals as g
    join standings as s on s.customer_id = g.customer_id
    union all
    select m.customer_id, null, m.kind, l.level, m.amount, m.figure, null, m.was, m.becomes
    from moved as m
    join levels as l on l.kind = m.kind
    union all
    select n.customer_id, null, n.kind, l.level, n.amount, n.figure, null, n.was, n.becomes
    from near as n
    join levels as l on l.kind = case when n.kind = 'near_down' and n.amount < 0 then 'below' else n.kind end
),
-- Only what readers were shown counts as told: the published run of each earlier date.
told as (
    select
        a.customer_id, a.account_id, a.kind,
        min(array_position(array['red', 'orange', 'yellow', 'blue', 'note'], a.level::text)) as gravest
    from segmentation_alert as a
    join segmentation_publishednight as p on p.run_id = a.run_id
    join cooldowns as c on c.kind = a.kind
    where a.raised_on < %(as_of)s and a.raised_on > %(as_of)s - c.days
    group by a.customer_id, a.account_id, a.kind
)
insert into segmentation_alert
    (run_id, raised_on, customer_id, account_id, kind, level, amount, figure, due_on, was, becomes)
select
    %(run_id)s, %(as_of)s, f.customer_id, f.account_id, f.kind, f.level, f.amount, f.figure, f.due_on, f.was, f.becomes
from found as f
left join told as t
    on t.customer_id = f.customer_id and t.kind = f.kind and t.account_id is not distinct from f.account_id
where t.gravest is null or array_position(array['red', 'orange', 'yellow', 'blue', 'note'], f.level::text) < t.gravest
order by f.customer_id, f.kind, f.account_id nulls first
