-- What tonight's feed says anew of a loan: overdue for the first time, a worse class; and a class that is milder than the
-- days overdue demand. The class is the credit system's: it is shown and never changed here.
-- grain   one row per loan of an open customer, and kind
-- reads   customers_customer_as_of, customers_account_as_of, segmentation_behaviour, segmentation_accountmeasure
-- writes  segmentation_signal
-- params  run_id, as_of, overdue_classes
with
customers as (
    select c.id as customer_id
    from segmentation_behaviour as b
    join customers_customer_as_of(%(as_of)s::date) as c on c.id = b.customer_id
    where b.run_id = %(run_id)s and (c.closed_on is null or c.closed_on > %(as_of)s)
),
debts as (
    select
        m.customer_id, m.account_id, m.family = 'credit_card' as is_card, m.days_past_due, m.five_class,
        round(m.balance * m.fx_rate, 2) as amount
    from segmentation_accountmeasure as m
    join customers as c on c.customer_id = m.customer_id
    where m.run_id = %(run_id)s and m.side = 'debt' and (m.is_open or m.balance <> 0)
),
-- Mildest first.
ranks as (
    select r.class, r.rank
    from unnest(array['normal', 'special_mention', 'substandard', 'doubtful', 'loss']) with ordinality as r (class, rank)
),
demands as (
    select d.is_card, d.class, d.from_days
    from jsonb_to_recordset(%(overdue_classes)s::jsonb) as d (is_card boolean, class text, from_days int)
),
-- Only a version of this very date can be news.
told_today as (
    select a.id as account_id from customers_account_as_of(%(as_of)s::date) as a where a.known_on = %(as_of)s
),
known_before as (
    select a.id as account_id, a.days_past_due, a.five_class
    from customers_account_as_of(%(as_of)s::date - 1) as a
    where a.id in (select t.account_id from told_today as t)
),
first_overdue as (
    select d.customer_id, d.account_id, d.days_past_due, d.amount
    from debts as d
    join told_today as t on t.account_id = d.account_id
    left join known_before as k on k.account_id = d.account_id
    where d.days_past_due > 0 and coalesce(k.days_past_due, 0) = 0
),
downgraded as (
    select
        d.customer_id, d.account_id, d.days_past_due, d.amount, k.five_class as was, d.five_class as becomes,
        case when after.rank >= 3 then 'red' else 'orange' end as level
    from debts as d
    join known_before as k on k.account_id = d.account_id
    join ranks as before on before.class = k.five_class
    join ranks as after on after.class = d.five_class
    where after.rank > before.rank
),
mismatched as (
    select d.customer_id, d.account_id, d.days_past_due, d.amount, d.five_class as was, demanded.class as becomes
    from debts as d
    join ranks as given on given.class = d.five_class
    cross join lateral (
        select m.class, r.rank
        from demands as m
        join ranks as r on r.class = m.class
        where m.is_card = d.is_card and m.from_days <= d.days_past_due
        order by r.rank desc
        limit 1
    ) as demanded
    where demanded.rank > given.rank
),
found as (
    select f.customer_id, 'first_overdue' as kind, f.account_id, 'orange' as level, f.amount, f.days_past_due, '' as was, '' as becomes
    from first_overdue as f
    union all
    select d.customer_id, 'class_downgraded', d.account_id, d.level, d.amount, d.days_past_due, d.was, d.becomes
    from downgraded as d
    union all
    select m.customer_id, 'class_mismatch', m.account_id, 'yellow', m.amount, m.days_past_due, m.was, m.becomes
    from mismatched as m
)
insert into segmentation_signal (run_id, customer_id, kind, account_id, level, amount, figure, due_on, was, becomes)
select %(run_id)s, f.customer_id, f.kind, f.account_id, f.level, f.amount, f.days_past_due, null, f.was, f.becomes
from found as f
