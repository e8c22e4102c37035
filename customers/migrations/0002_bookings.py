"""Bookings and balances in monthly partitions, every fed table as it was known on a day, and no gap between managers.

Primary keys hold the customer's key, so that the tables can be spread over machines by customer.
"""

from django.db import migrations

TABLES = """
create table customers_transaction (
    customer_id bigint not null,
    account_id bigint not null,
    booked_on date not null,
    txn_no varchar(60) not null,
    booked_at timestamptz,
    amount numeric(20, 2) not null,
    balance_after numeric(20, 2),
    kind varchar(20) not null,
    channel varchar(16) not null,
    counterparty_bank varchar(200),
    counterparty_account text,
    counterparty_account_print bytea,
    counterparty_account_mask varchar(40),
    counterparty_name varchar(200),
    memo varchar(500),
    reversal_of varchar(60),
    batch_id bigint not null,
    known_on date not null,
    primary key (account_id, booked_on, txn_no, customer_id),
    constraint transaction_kind_is_known check (kind in ('cash_deposit', 'cash_withdrawal', 'transfer_in',
        'transfer_out', 'card_payment', 'card_withdrawal', 'salary', 'pension', 'interest_credit', 'interest_charge',
        'penalty_interest', 'fee', 'standing_order', 'insurance_premium', 'loan_disbursement', 'loan_repayment',
        'purchase', 'redemption', 'fx', 'other')),
    constraint transaction_channel_is_known check (channel in ('counter', 'self_service', 'online', 'mobile', 'phone',
        'card_network', 'batch', 'third_party'))
) partition by range (booked_on);

-- The loader asks whether a number was booked before, whatever the day.
create index transaction_by_number on customers_transaction (txn_no);
-- A correction replaces what a batch delivered.
create index transaction_of_batch on customers_transaction using brin (batch_id);

create table customers_balance (
    customer_id bigint not null,
    account_id bigint not null,
    on_date date not null,
    balance numeric(20, 2) not null,
    batch_id bigint not null,
    known_on date not null,
    primary key (account_id, on_date, customer_id)
) partition by range (on_date);

create index balance_of_batch on customers_balance using brin (batch_id);
"""

# Attaching takes a lock that lets readers pass; creating the partition in place would not.
ENSURE_MONTH = """
create function customers_ensure_month(day date) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    first_day date := date_trunc('month', day)::date;
    next_month date := (date_trunc('month', day) + interval '1 month')::date;
    parent text;
    child text;
begin
    foreach parent in array array['customers_transaction', 'customers_balance'] loop
        child := parent || to_char(first_day, '_YYYY_MM');
        if to_regclass('public.' || child) is null then
            perform pg_advisory_xact_lock(hashtext('customers_ensure_month'));
            if to_regclass('public.' || child) is null then
                execute format('create table public.%I (like public.%I including defaults including constraints)', child, parent);
                execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)',
                               parent, child, first_day, next_month);
                execute format('grant select, insert, update, delete on public.%I to crm_app', child);
            end if;
        end if;
    end loop;
end
$$;
revoke execute on function customers_ensure_month(date) from public;
grant execute on function customers_ensure_month(date) to crm_app;

-- After a large load the planner must know; only an owner may analyse a table.
create function customers_analyze(relation text) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if relation !~ '^customers_[a-z_0-9]+$' then
        raise exception 'not a table of this room: %', relation;
    end if;
    execute format('analyze public.%I', relation);
end
$$;
revoke execute on function customers_analyze(text) from public;
grant execute on function customers_analyze(text) to crm_app;
"""

AS_OF = """
-- customers_{table} as it was known on a day. At the newest day the second half is an index look-up that finds nothing.
create function customers_{table}_as_of(day date) returns setof customers_{table} language sql stable as $$
    select live.* from customers_{table} as live where live.known_on <= day
    union all
    select version.*
    from customers_rowhistory as h
    cross join lateral jsonb_populate_record(null::customers_{table}, h.row) as version
    where h.entity = '{table}' and h.superseded_on > day and h.known_on <= day
$$;
"""
FED_TABLES = ["customer", "account", "accountholder", "relation", "product", "rate", "outsideholding", "transaction", "balance"]

# The next stretch must begin the day the last one ends; an ended one without a successor is a customer nobody looks after.
NO_GAP = """
create function customers_assignment_no_gap() returns trigger language plpgsql as $$
declare
    owner bigint := coalesce(new.customer_id, old.customer_id);
begin
    if exists (
        select from customers_assignment as ended
        where ended.customer_id = owner and ended.role = 'main' and ended.ends_on is not null
          and not exists (
              select from customers_assignment as next
              where next.customer_id = owner and next.role = 'main' and next.starts_on = ended.ends_on
          )
    ) then
        raise exception 'assignment_leaves_no_gap: customer %', owner using errcode = 'check_violation';
    end if;
    return null;
end
$$;
create constraint trigger assignment_leaves_no_gap after insert or update on customers_assignment
    deferrable initially deferred for each row when (new.role = 'main' and new.ends_on is not null)
    execute function customers_assignment_no_gap();
create constraint trigger assignment_leaves_no_gap_behind after delete on customers_assignment
    deferrable initially deferred for each row when (old.role = 'main')
    execute function customers_assignment_no_gap();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]
    operations = [
        migrations.RunSQL(TABLES, "drop table customers_transaction, customers_balance"),
        migrations.RunSQL(ENSURE_MONTH, "drop function customers_ensure_month(date), customers_analyze(text)"),
        *[
            migrations.RunSQL(AS_OF.format(table=table), f"drop function customers_{table}_as_of(date)")
            for table in FED_TABLES
        ],
        migrations.RunSQL(NO_GAP, "drop function customers_assignment_no_gap() cascade"),
    ]
