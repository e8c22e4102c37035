-- Months in which money left for an account in the customer's own name at another bank: the name of whoever owns the account
-- on the night's date, as known then. The six complete months before the date are looked at, and no more.
-- grain   one row per account with such a transfer
-- reads   customers_account_as_of, customers_customer_as_of, customers_transaction_as_of
-- writes  stage_outflow
-- params  as_of, recent_firsts, own_bank_names
with
transfers as (
    select
        t.account_id,
        btrim(t.counterparty_name) as name,
        case when t.booked_on >= r.firsts[2] then 1 when t.booked_on >= r.firsts[3] then 2
             when t.booked_on >= r.firsts[4] then 4 when t.booked_on >= r.firsts[5] then 8
             when t.booked_on >= r.firsts[6] then 16 else 32 end as month_bit
    from customers_transaction_as_of(%(as_of)s::date) as t
    cross join (select %(recent_firsts)s::date[] as firsts) as r
    where t.booked_on >= r.firsts[7] and t.booked_on < r.firsts[1]
      and t.kind = 'transfer_out'
      and t.amount < 0  -- what came back is no outflow
      and btrim(t.counterparty_bank) <> ''
      and btrim(t.counterparty_bank) <> all (%(own_bank_names)s::text[])
),
-- Materialized: a planner that joined by name first would pair every 张伟 with the transfers of all the others.
owners as materialized (
    select a.id as account_id, btrim(c.name) as name
    from customers_account_as_of(%(as_of)s::date) as a
    join customers_customer_as_of(%(as_of)s::date) as c on c.id = a.customer_id
)
insert into stage_outflow (account_id, mask)
select t.account_id, bit_or(t.month_bit)
from transfers as t
join owners as o on o.account_id = t.account_id and o.name = t.name
group by t.account_id
