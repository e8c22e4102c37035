-- Papers that run out: the identity document the bank knows the customer by, and his risk assessment.
-- grain   one row per open customer and kind
-- reads   customers_customer_as_of, customers_identity, customers_rowhistory, segmentation_behaviour
-- writes  segmentation_signal
-- params  run_id, as_of, document_days, assessment_months
with
customers as (
    select c.id as customer_id, (c.risk_assessed_on + make_interval(months => %(assessment_months)s))::date as assessed_until
    from segmentation_behaviour as b
    join customers_customer_as_of(%(as_of)s::date) as c on c.id = b.customer_id
    where b.run_id = %(run_id)s and (c.closed_on is null or c.closed_on > %(as_of)s)
),
-- Primary documents as they were known on the date.
versions as (
    select i.customer_id, i.expires_on
    from customers_identity as i
    where i.is_primary and i.known_on <= %(as_of)s
    union all
    select h.customer_id, (h.row ->> 'expires_on')::date
    from customers_rowhistory as h
    where h.entity = 'identity' and h.superseded_on > %(as_of)s and h.known_on <= %(as_of)s
      and (h.row ->> 'is_primary')::boolean
),
identities as (
    select v.customer_id, max(v.expires_on) as expires_on from versions as v group by v.customer_id
),
found as (
    -- One that ran out lately is told as well: nobody may have looked in time.
    select c.customer_id, 'identity_expiring' as kind, 'blue' as level, i.expires_on as due_on
    from customers as c
    join identities as i on i.customer_id = c.customer_id
    where i.expires_on between %(as_of)s::date - %(document_days)s::int and %(as_of)s::date + %(document_days)s::int
    union all
    select c.customer_id, 'assessment_expiring', 'note', c.assessed_until
    from customers as c
    where c.assessed_until between %(as_of)s::date and %(as_of)s::date + %(document_days)s::int
)
insert into segmentation_signal (run_id, customer_id, kind, account_id, level, amount, figure, due_on, was, becomes)
select %(run_id)s, f.customer_id, f.kind, 0, f.level, null, f.due_on - %(as_of)s::date, f.due_on, '', ''
from found as f
