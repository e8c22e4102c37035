-- What each customer brought the bank in three periods: sums of the rounded lines of his accounts, then tax and capital.
-- grain   one row per customer and period
-- reads   customers_customer_as_of, segmentation_accountmeasure, stage_minute
-- writes  segmentation_contribution
-- params  run_id, as_of, month_days, year_days, rolling_days, year_base, minute_cost, tax
with
lines as (
    select
        m.customer_id,
        sum(m.mtd_margin) filter (where m.side = 'deposit') as mtd_deposit,
        sum(m.mtd_margin) filter (where m.side = 'debt') as mtd_loan,
        sum(m.mtd_margin) filter (where m.side = 'investment') as mtd_wealth,
        sum(m.mtd_fee) as mtd_fee,
        sum(m.mtd_operation) as mtd_operation,
        sum(m.mtd_loss) as mtd_loss,
        sum(m.mtd_surcharge) as mtd_surcharge,
        sum(m.mtd_capital) as mtd_capital,
        sum(m.mtd_capital_cost) as mtd_capital_cost,
        sum(m.ytd_margin) filter (where m.side = 'deposit') as ytd_deposit,
        sum(m.ytd_margin) filter (where m.side = 'debt') as ytd_loan,
        sum(m.ytd_margin) filter (where m.side = 'investment') as ytd_wealth,
        sum(m.ytd_fee) as ytd_fee,
        sum(m.ytd_operation) as ytd_operation,
        sum(m.ytd_loss) as ytd_loss,
        sum(m.ytd_surcharge) as ytd_surcharge,
        sum(m.ytd_capital) as ytd_capital,
        sum(m.ytd_capital_cost) as ytd_capital_cost,
        sum(m.r12_margin) filter (where m.side = 'deposit') as r12_deposit,
        sum(m.r12_margin) filter (where m.side = 'debt') as r12_loan,
        sum(m.r12_margin) filter (where m.side = 'investment') as r12_wealth,
        sum(m.r12_fee) as r12_fee,
        sum(m.r12_operation) as r12_operation,
        sum(m.r12_loss) as r12_loss,
        sum(m.r12_surcharge) as r12_surcharge,
        sum(m.r12_capital) as r12_capital,
        sum(m.r12_capital_cost) as r12_capital_cost,
        sum(abs(m.year_sum * m.fx_rate)) filter (where m.inputs_asked > 0) as weight,
        sum(abs(m.year_sum * m.fx_rate) * m.inputs_given / m.inputs_asked) filter (where m.inputs_asked > 0) as given
    from segmentation_accountmeasure as m
    where m.run_id = %(run_id)s
    group by m.customer_id
),
customers as (
    select c.id as customer_id
    from customers_customer_as_of(%(as_of)s::date) as c
    where c.opened_on <= %(as_of)s or c.id in (select customer_id from lines)
),
periods as (
    select
        k.customer_id,
        p.period,
        p.days,
        coalesce(p.deposit, 0) as deposit,
        coalesce(p.loan, 0) as loan,
        coalesce(p.wealth, 0) as wealth,
        coalesce(p.fee, 0) as fee,
        coalesce(p.operation, 0) + round(coalesce(p.minutes, 0) * %(minute_cost)s, 2) as operation,
        coalesce(p.loss, 0) as loss,
        coalesce(p.surcharge, 0) as surcharge,
        coalesce(p.capital, 0) as capital,
        coalesce(p.capital_cost, 0) as capital_cost,
        -- Nothing held is a known absence, not a missing input.
        case when c.weight > 0 then round(c.given / c.weight, 4) else 1 end as coverage
    from customers as k
    left join lines as c on c.customer_id = k.customer_id
    left join stage_minute as n on n.customer_id = k.customer_id
    cross join lateral (values
        ('mtd', %(month_days)s::int, c.mtd_deposit, c.mtd_loan, c.mtd_wealth, c.mtd_fee, c.mtd_operation, c.mtd_loss, c.mtd_surcharge,
         c.mtd_capital, c.mtd_capital_cost, n.mtd),
        ('ytd', %(year_days)s::int, c.ytd_deposit, c.ytd_loan, c.ytd_wealth, c.ytd_fee, c.ytd_operation, c.ytd_loss, c.ytd_surcharge,
         c.ytd_capital, c.ytd_capital_cost, n.ytd),
        ('r12', %(rolling_days)s::int, c.r12_deposit, c.r12_loan, c.r12_wealth, c.r12_fee, c.r12_operation, c.r12_loss, c.r12_surcharge,
         c.r12_capital, c.r12_capital_cost, n.r12)
    ) as p (period, days, deposit, loan, wealth, fee, operation, loss, surcharge, capital, capital_cost, minutes)
),
earned as (
    select
        p.*,
        p.deposit + p.loan + p.fee + p.wealth - p.operation - p.loss - p.surcharge as pretax,
        round((p.deposit + p.loan + p.fee + p.wealth - p.operation - p.loss - p.surcharge) * %(tax)s, 2) as tax
    from periods as p
)
insert into segmentation_contribution
    (run_id, customer_id, as_of, period, days, deposit, loan, fee, wealth, operation, loss, surcharge, pretax, tax, net,
     capital, capital_cost, eva, eva_annual, raroc, coverage)
select
    %(run_id)s, e.customer_id, %(as_of)s, e.period, e.days, e.deposit, e.loan, e.fee, e.wealth, e.operation, e.loss,
    e.surcharge, e.pretax, e.tax, e.pretax - e.tax, e.capital, e.capital_cost, e.pretax - e.tax - e.capital_cost,
    round((e.pretax - e.tax - e.capital_cost) * %(year_base)s::numeric(40, 20) / e.days, 2),
    round((e.pretax - e.tax) * %(year_base)s::numeric(40, 20) / (e.days * nullif(e.capital, 0)), 6),
    e.coverage
from earned as e
