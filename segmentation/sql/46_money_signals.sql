-- What the money of a customer does tonight: deposits far below what they were, much of it moving on one day, and accounts
-- that fall due.
-- grain   one row per open customer, kind and account
-- reads   customers_customer_as_of, customers_account_as_of, customers_transaction_as_of, segmentation_behaviour,
--         segmentation_accountmeasure
-- writes  segmentation_signal
-- params  run_id, as_of, month_first, down_from, down_yellow, down_orange, down_red, move_individual, move_corporate,
--         move_share, moves_not, maturity_soon, maturity_ahead
with
customers as (
    select c.id as customer_id, c.kind, b.deposit_sums[2] + b.deposit_sums[3] + b.deposit_sums[4] as three_month_sum
    from segmentation_behaviour as b
    join customers_customer_as_of(%(as_of)s::date) as c on c.id = b.customer_id
    where b.run_id = %(run_id)s and (c.closed_on is null or c.closed_on > %(as_of)s)
),
accounts as not materialized (
    select m.customer_id, m.account_id, m.side, m.currency, m.fx_rate, m.balance, m.is_open
    from segmentation_accountmeasure as m
    where m.run_id = %(run_id)s
),
three_months as (
    select (%(month_first)s::date - (%(month_first)s::date - interval '3 months')::date) as days
),
deposits as (
    select a.customer_id, sum(a.balance * a.fx_rate) as balance
    from accounts as a
    where a.side = 'deposit'
    group by a.customer_id
),
-- A sum over days compares with balance × days: nothing is rounded before it is judged.
falls as (
    select
        c.customer_id, c.three_month_sum, t.days,
        (c.three_month_sum - coalesce(d.balance, 0) * t.days)::numeric(60, 30) as fallen
    from customers as c
    cross join three_months as t
    left join deposits as d on d.customer_id = c.customer_id
    where c.three_month_sum > 0 and c.three_month_sum >= %(down_from)s * t.days
),
down as (
    select
        f.customer_id,
        case when f.fallen >= f.three_month_sum * %(down_red)s then 'red'
            when f.fallen >= f.three_month_sum * %(down_orange)s then 'orange' else 'yellow' end as level,
        round(f.fallen / f.days, 2) as amount,
        round(f.fallen / f.three_month_sum, 4) as figure
    from falls as f
    where f.fallen >= f.three_month_sum * %(down_yellow)s
),
-- What the bank books itself, and what only changes its form within the bank, moves no money in or out.
bookings as (
    select
        a.customer_id, a.account_id, a.currency, a.fx_rate, t.amount, t.kind <> all(%(moves_not)s::text[]) as is_move
    from customers_transaction_as_of(%(as_of)s::date) as t
    join accounts as a on a.account_id = t.account_id
    where t.booked_on = %(as_of)s and a.side = 'deposit'
),
legs as (
    select
        b.customer_id, b.account_id, b.currency, abs(b.amount) as size, min(b.fx_rate) as fx_rate,
        count(*) filter (where b.amount < 0) as outs,
        count(*) filter (where b.amount > 0) as ins
    from bookings as b
    where b.is_move and b.amount <> 0
    group by b.customer_id, b.account_id, b.currency, abs(b.amount)
),
-- The same amount out of one account and into another of his: as many pairs as can be made, whichever legs they are.
paired as (
    select
        l.customer_id,
        l.size * min(l.fx_rate) * least(sum(l.outs), sum(l.ins), sum(l.outs) + sum(l.ins) - max(l.outs + l.ins)) as amount
    from legs as l
    group by l.customer_id, l.currency, l.size
),
between_own as (
    select p.customer_id, sum(p.amount) as amount from paired as p group by p.customer_id
),
sums as (
    select
        b.customer_id,
        coalesce(sum(-b.amount * b.fx_rate) filter (where b.is_move and b.amount < 0), 0) as out_sum,
        coalesce(sum(b.amount * b.fx_rate) filter (where b.is_move and b.amount > 0), 0) as in_sum,
        sum(b.amount * b.fx_rate) as net
    from bookings as b
    group by b.customer_id
),
moves as (
    select
        c.customer_id,
        s.out_sum - coalesce(o.amount, 0) as out_sum,
        s.in_sum - coalesce(o.amount, 0) as in_sum,
        coalesce(d.balance, 0) - s.net as before,
        case c.kind when 'individual' then %(move_individual)s else %(move_corporate)s end as large
    from sums as s
    join customers as c on c.customer_id = s.customer_id
    left join between_own as o on o.customer_id = s.customer_id
    left join deposits as d on d.customer_id = s.customer_id
),
large_moves as (
    select
        m.customer_id, 'large_outflow' as kind, 'orange' as level, round(m.out_sum, 2) as amount,
        -- Below one unit a share says nothing.
        case when m.before >= greatest(%(down_from)s, 1) then round(m.out_sum::numeric(60, 30) / m.before, 4) end as figure
    from moves as m
    where m.out_sum > 0
      and (m.out_sum >= m.large or (m.before >= greatest(%(down_from)s, 1) and m.out_sum >= m.before * %(move_share)s))
    union all
    select m.customer_id, 'large_inflow', 'note', round(m.in_sum, 2), null
    from moves as m
    where m.in_sum > 0 and m.in_sum >= m.large
),
maturing as (
    select a.id as account_id, a.matures_on, a.matures_on - %(as_of)s::date as days
    from customers_account_as_of(%(as_of)s::date) as a
    where a.matures_on between %(as_of)s::date and %(as_of)s::date + %(maturity_ahead)s::int
),
found as (
    select d.customer_id, 'deposits_down' as kind, 0::bigint as account_id, d.level, d.amount, d.figure, null::date as due_on
    from down as d
    union all
    select l.customer_id, l.kind, 0, l.level, l.amount, l.figure, null
    from large_moves as l
    union all
    select
        c.customer_id, 'maturity', a.account_id, case when m.days <= %(maturity_soon)s then 'yellow' else 'blue' end,
        round(a.balance * a.fx_rate, 2), m.days, m.matures_on
    from maturing as m
    join accounts as a on a.account_id = m.account_id
    join customers as c on c.customer_id = a.customer_id
    -- Nothing is at stake on an empty account.
    where a.is_open and a.balance > 0 and a.side in ('deposit', 'investment', 'debt')
)
insert into segmentation_signal (run_id, customer_id, kind, account_id, level, amount, figure, due_on, was, becomes)
select %(run_id)s, f.customer_id, f.kind, f.account_id, f.level, f.amount, f.figure, f.due_on, '', ''
from found as f
