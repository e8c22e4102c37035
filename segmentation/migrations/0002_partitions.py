"""The large tables of the night, partitioned by run, and the few acts on them the app role may not do itself.

Indexes are made per partition once its rows are in; their keys hold the customer's key, so that the tables can be
spread over machines by customer.
"""

from django.db import migrations

LINES = ["margin", "fee", "operation", "loss", "surcharge", "capital", "capital_cost"]
LINE_COLUMNS = ",\n    ".join(f"{period}_{line} numeric(20, 2) not null" for line in LINES for period in ("mtd", "ytd", "r12"))

TABLES = f"""
create table segmentation_accountmeasure (
    run_id bigint not null,
    customer_id bigint not null,
    account_id bigint not null,
    product_id bigint not null,
    as_of date not null,
    family varchar(24) not null,
    side varchar(10) not null,
    currency varchar(3) not null,
    fx_rate numeric(18, 8) not null,
    interest_rate numeric(12, 6),
    transfer_rate numeric(12, 6),
    fee_rate numeric(12, 6),
    inputs_asked smallint not null,
    inputs_given smallint not null,
    balance numeric(20, 2) not null,
    month_sum numeric(38, 2) not null,
    quarter_sum numeric(38, 2) not null,
    year_sum numeric(38, 2) not null,
    rolling_sum numeric(38, 2) not null,
    {LINE_COLUMNS},
    constraint measure_inputs_given_of_those_asked check (inputs_given between 0 and inputs_asked),
    constraint measure_side_is_known check (side in ('deposit', 'debt', 'investment', 'service'))
) partition by list (run_id);

create table segmentation_standing (
    run_id bigint not null,
    customer_id bigint not null,
    as_of date not null,
    branch_id bigint not null,
    manager_id bigint,
    kind varchar(10) not null,
    tier varchar(12) not null,
    is_closed boolean not null,
    account_count integer not null,
    deposit_balance numeric(38, 10) not null,
    deposit_month_sum numeric(38, 10) not null,
    deposit_year_sum numeric(38, 10) not null,
    loan_balance numeric(38, 10) not null,
    loan_month_sum numeric(38, 10) not null,
    loan_year_sum numeric(38, 10) not null,
    asset_balance numeric(38, 10) not null,
    asset_month_sum numeric(38, 10) not null,
    weighted_month_sum numeric(38, 10) not null,
    contribution numeric(20, 2) not null,
    contribution_annual numeric(20, 2) not null,
    pretax numeric(20, 2) not null,
    coverage numeric(5, 4) not null,
    constraint standing_tier_is_known check (tier in ('ordinary', 'gold', 'platinum', 'vip', 'diamond', 'private',
        'inefficient', 'general', 'quality', 'key', 'strategic')),
    constraint standing_coverage_is_a_share check (coverage between 0 and 1)
) partition by list (run_id);

create table segmentation_contribution (
    run_id bigint not null,
    customer_id bigint not null,
    as_of date not null,
    period varchar(3) not null,
    days smallint not null,
    deposit numeric(20, 2) not null,
    loan numeric(20, 2) not null,
    fee numeric(20, 2) not null,
    wealth numeric(20, 2) not null,
    operation numeric(20, 2) not null,
    loss numeric(20, 2) not null,
    surcharge numeric(20, 2) not null,
    pretax numeric(20, 2) not null,
    tax numeric(20, 2) not null,
    net numeric(20, 2) not null,
    capital numeric(20, 2) not null,
    capital_cost numeric(20, 2) not null,
    eva numeric(20, 2) not null,
    eva_annual numeric(20, 2) not null,
    raroc numeric(18, 6),
    coverage numeric(5, 4) not null,
    constraint contribution_period_is_known check (period in ('mtd', 'ytd', 'r12')),
    constraint contribution_coverage_is_a_share check (coverage between 0 and 1)
) partition by list (run_id);
"""

FUNCTIONS = """
-- The partitions of a run. Attaching a table made beside lets readers pass.
create function segmentation_open_run(run bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    parent text;
    child text;
begin
    foreach parent in array array['segmentation_accountmeasure', 'segmentation_standing', 'segmentation_contribution'] loop
        child := parent || '_r' || run;
        if to_regclass('public.' || child) is null then
            execute format('create table public.%I (like public.%I including defaults including constraints)', child, parent);
            execute format('alter table public.%I attach partition public.%I for values in (%L)', parent, child, run);
            execute format('grant select, insert, update, delete on public.%I to crm_app', child);
        end if;
    end loop;
end
$$;

-- Indexes once the rows are in: one customer's rows, one account's, and the lists by contribution.
create function segmentation_seal_run(run bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    execute format('create unique index %I on public.%I (customer_id, account_id)',
                   'measure_once_' || run, 'segmentation_accountmeasure_r' || run);
    execute format('create unique index %I on public.%I (customer_id)',
                   'standing_once_' || run, 'segmentation_standing_r' || run);
    execute format('create index %I on public.%I (contribution, customer_id)',
                   'standing_by_contribution_' || run, 'segmentation_standing_r' || run);
    execute format('create index %I on public.%I (branch_id, contribution, customer_id)',
                   'standing_of_branch_' || run, 'segmentation_standing_r' || run);
    execute format('create index %I on public.%I (manager_id, contribution, customer_id)',
                   'standing_of_manager_' || run, 'segmentation_standing_r' || run);
    execute format('create unique index %I on public.%I (customer_id, period)',
                   'contribution_once_' || run, 'segmentation_contribution_r' || run);
end
$$;

create function segmentation_analyze_run(run bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    parent text;
begin
    foreach parent in array array['segmentation_accountmeasure', 'segmentation_standing', 'segmentation_contribution'] loop
        execute format('analyze public.%I', parent || '_r' || run);
    end loop;
end
$$;

-- Let the customers' rows of a run go. Refused for the newest published night: somebody is reading it.
create function segmentation_drop_run(run bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    parent text;
begin
    if run = (select p.run_id from public.segmentation_publishednight p order by p.business_date desc limit 1) then
        raise exception 'run % is the newest published night', run;
    end if;
    perform set_config('lock_timeout', '3s', true);
    foreach parent in array array['segmentation_accountmeasure', 'segmentation_standing', 'segmentation_contribution'] loop
        execute format('drop table if exists public.%I', parent || '_r' || run);
    end loop;
end
$$;

-- Empty the accumulators before a rebuild: deleting thirty million rows would leave them behind as dead ones.
create function segmentation_clear_months() returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    truncate public.segmentation_accountmonth, public.segmentation_absorbed
$$;

create function segmentation_analyze_months() returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    analyze public.segmentation_accountmonth
$$;
"""

NAMES = [
    "segmentation_open_run(bigint)",
    "segmentation_seal_run(bigint)",
    "segmentation_analyze_run(bigint)",
    "segmentation_drop_run(bigint)",
    "segmentation_clear_months()",
    "segmentation_analyze_months()",
]
RIGHTS = "".join(
    f"revoke execute on function {name} from public; grant execute on function {name} to crm_app;" for name in NAMES
)

# Readers follow the pointer; an older attempt must never take it back, and no published night may vanish.
NEVER_BACK = """
create function segmentation_pointer_never_goes_back() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'published_night_never_goes_back: %', old.business_date using errcode = 'check_violation';
    end if;
    if new.business_date <> old.business_date or (new.run_id <> old.run_id and
            (select attempt from core_run where id = new.run_id) <= (select attempt from core_run where id = old.run_id)) then
        raise exception 'published_night_never_goes_back: %', old.business_date using errcode = 'check_violation';
    end if;
    return new;
end
$$;
create trigger published_night_never_goes_back before update or delete on segmentation_publishednight
    for each row execute function segmentation_pointer_never_goes_back();

create function segmentation_pointer_is_of_its_date() returns trigger language plpgsql as $$
begin
    if not exists (select from core_run r
                   where r.id = new.run_id and r.kind = 'night' and r.business_date = new.business_date) then
        raise exception 'published_night_is_of_its_date: %', new.business_date using errcode = 'check_violation';
    end if;
    return new;
end
$$;
create trigger published_night_is_of_its_date before insert or update on segmentation_publishednight
    for each row execute function segmentation_pointer_is_of_its_date();
"""


class Migration(migrations.Migration):
    dependencies = [("segmentation", "0001_initial"), ("customers", "0002_bookings")]
    operations = [
        migrations.RunSQL(
            TABLES, "drop table segmentation_accountmeasure, segmentation_standing, segmentation_contribution"
        ),
        migrations.RunSQL(FUNCTIONS, "".join(f"drop function {name};" for name in NAMES)),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
        migrations.RunSQL(
            NEVER_BACK,
            "drop function segmentation_pointer_never_goes_back() cascade;"
            "drop function segmentation_pointer_is_of_its_date() cascade",
        ),
    ]
