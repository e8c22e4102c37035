-- From how few others a firm's money comes: Σ (share of a counterparty in the transfers it received)² over the rolling year.
-- grain   one row per firm that received a transfer from somebody named
-- reads   customers_customer_as_of, customers_transaction_as_of, segmentation_accountmeasure
-- writes  stage_counterparty
-- params  run_id, as_of, rolling_first
with
accounts as (
    select m.account_id, m.customer_id, m.fx_rate, c.name
    from segmentation_accountmeasure as m
    join customers_customer_as_of(%(as_of)s::date) as c on c.id = m.customer_id
    where m.run_id = %(run_id)s and m.side = 'deposit' and c.kind = 'corporate'
),
received as (
    select
        a.customer_id, a.name, t.amount * a.fx_rate as amount,
        -- One payer may use several accounts; a bare account number stands for itself.
        coalesce(nullif(t.counterparty_name, ''), encode(t.counterparty_account_print, 'hex')) as counterparty
    from accounts as a
    join customers_transaction_as_of(%(as_of)s::date) as t on t.account_id = a.account_id
    where t.booked_on between %(rolling_first)s and %(as_of)s and t.kind = 'transfer_in' and t.amount > 0
),
turnovers as (
    select r.customer_id, sum(r.amount) as amount
    from received as r
    -- What a firm sends to itself is no turnover.
    where r.counterparty is not null and r.counterparty <> r.name
    group by r.customer_id, r.counterparty
)
insert into stage_counterparty (customer_id, hhi)
select t.customer_id, sum(t.amount * t.amount)::numeric(100, 40) / (sum(t.amount) * sum(t.amount))
from turnovers as t
group by t.customer_id
