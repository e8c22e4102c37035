-- Who lost assets between two nights, by what loyalty, its components and the naive recipe said of them before: tenure,
-- bookings and balance, each as its place among all, added up. Lost is who closed, or whose assets of the month are less than half of what they
-- were on average over the three months before. Whoever came within those months is not judged: his average is one of days
-- on which he was not here, and can hardly be undercut.
-- grain   one row per question, score, kind and value of the score
-- reads   segmentation_standing, segmentation_behaviour, segmentation_loyalty, customers_customer_as_of
-- writes  none
-- params  first_run, second_run, first_day, first_date, first_days, second_days, least
with
settled as (
    select c.id as customer_id from customers_customer_as_of(%(first_date)s::date) as c where c.opened_on <= %(first_day)s
),
judged as (
    select
        s.kind,
        l.score as loyalty, l.tenure_sub, l.holdings_sub, l.wallet_sub, l.activity_sub, l.stability_sub, l.advocacy_sub,
        l.tenure_months,
        b.own_90d,
        b.asset_sums[1] + b.asset_sums[2] + b.asset_sums[3] as before_sum,
        later.is_closed
            or later.asset_month_sum * %(first_days)s * 2
                < (b.asset_sums[1] + b.asset_sums[2] + b.asset_sums[3]) * %(second_days)s as lost
    from segmentation_standing as s
    join settled as k on k.customer_id = s.customer_id
    join segmentation_behaviour as b on b.run_id = s.run_id and b.customer_id = s.customer_id
    join segmentation_loyalty as l on l.run_id = s.run_id and l.customer_id = s.customer_id
    join segmentation_standing as later on later.run_id = %(second_run)s and later.customer_id = s.customer_id
    where s.run_id = %(first_run)s and not s.is_closed
      and b.asset_sums[1] + b.asset_sums[2] + b.asset_sums[3] > %(least)s * %(first_days)s
),
-- A place is twice the mid-rank: a whole number, ties and all.
placed as (
    select
        j.kind,
        j.lost,
        j.loyalty, j.tenure_sub, j.holdings_sub, j.wallet_sub, j.activity_sub, j.stability_sub, j.advocacy_sub,
        2 * (rank() over (order by j.tenure_months) + rank() over (order by j.own_90d) + rank() over (order by j.before_sum))
            + count(*) over (partition by j.tenure_months) + count(*) over (partition by j.own_90d)
            + count(*) over (partition by j.before_sum) as naive
    from judged as j
)
select
    'loss' as question,
    v.score,
    p.kind,
    v.value,
    count(*) filter (where p.lost) as happened,
    count(*) filter (where not p.lost) as spared
from placed as p
cross join lateral (values
    ('loyalty', p.loyalty), ('naive', p.naive::numeric), ('tenure', p.tenure_sub), ('holdings', p.holdings_sub),
    ('wallet', p.wallet_sub), ('activity', p.activity_sub), ('stability', p.stability_sub), ('advocacy', p.advocacy_sub)
) as v (score, value)
where v.value is not null
group by v.score, p.kind, v.value
