"""The large tables of the night, partitioned by run, and the few acts on them the app role may not do itself.

Indexes are made per partition once its rows are in; their keys hold the customer's key, so that the tables can be
spread over machines by customer.
"""

from django.db import migrations

LINES = ["margin", "fee", "operation", "loss", "surcharge", "capital", "capital_cost"]
LINE_COLUMNS = ",\n    ".join(f"{period}_{line} numeric(20, 2) not null" for line in LINES for period in ("mtd", "ytd", "r12"))

LOYALTY = ["tenure", "holdings", "wallet", "activity", "stability", "advocacy"]
RISK = ["overdue", "probability", "leverage", "concentration", "guarantee", "warning", "kyc"]


def score_columns(components: list[str], more: list[str]) -> str:
    subs = [f"{name}_sub numeric(8, 4)" for name in components]
    points = [f"{name}_points numeric(8, 4) not null" for name in components + more]
    return ",\n    ".join(subs + points)


LOYALTY_COLUMNS = score_columns(LOYALTY, ["complaint", "dissatisfied", "outflow", "payroll", "clamp"])
RISK_COLUMNS = score_columns(RISK, ["floor"])

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
    is_open boolean not null,
    days_past_due integer,
    five_class varchar(16),
    own_90d integer not null,
    own_180d integer not null,
    last_own_on date,
    salary_mask smallint not null,
    outflow_mask smallint not null,
    repaid numeric(20, 2) not null,
    recent_sums numeric(38, 2)[] not null,
    points_month numeric(20, 2) not null,
    points_year numeric(20, 2) not null,
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
    contribution_score numeric(8, 4),
    contribution_less bigint not null,
    contribution_equal bigint not null,
    contribution_among bigint not null,
    loyalty numeric(8, 4),
    loyalty_coverage numeric(5, 4) not null,
    risk numeric(8, 4),
    risk_coverage numeric(5, 4) not null,
    peer_id integer not null,
    contribution_percentile numeric(8, 4),
    loyalty_percentile numeric(8, 4),
    risk_percentile numeric(8, 4),
    tier_by_figures varchar(12) not null,
    tier_since date not null,
    months_below smallint not null,
    protected_until date,
    next_tier varchar(12) not null,
    next_gap numeric(20, 2),
    drop_gap numeric(20, 2),
    primary_id bigint not null,
    related_members integer not null,
    related_contribution numeric(20, 2) not null,
    related_annual numeric(20, 2) not null,
    deposit_points numeric(20, 2) not null,
    related_deposit_points numeric(20, 2) not null,
    enterprise_size varchar(8) not null,
    life varchar(12) not null,
    last_own_on date,
    own_180d integer not null,
    recency_rank smallint not null,
    frequency_rank smallint not null,
    money_rank smallint not null,
    constraint standing_scores_are_on_the_scale check (
        contribution_score between 0 and 100 and loyalty between 0 and 100 and risk between 0 and 100),
    constraint standing_size_is_known check (enterprise_size in ('', 'large', 'medium', 'small', 'micro', 'unknown')),
    constraint standing_life_is_known check (life in ('new', 'active', 'reactivated', 'dormant', 'lost', 'closed')),
    constraint standing_ranks_are_quintiles check (
        recency_rank between 1 and 5 and frequency_rank between 1 and 5 and money_rank between 1 and 5),
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

create table segmentation_behaviour (
    run_id bigint not null,
    customer_id bigint not null,
    as_of date not null,
    classes varchar(16)[] not null,
    own_90d integer not null,
    own_180d integer not null,
    last_own_on date,
    salary_mask smallint not null,
    outflow_mask smallint not null,
    repaid numeric(20, 2) not null,
    asset_sums numeric(38, 10)[] not null,
    deposit_sums numeric(38, 10)[] not null,
    points_month numeric(20, 2) not null,
    points_year numeric(20, 2) not null,
    outside_assets numeric(20, 2),
    life varchar(12) not null,
    constraint behaviour_knows_twelve_months check (cardinality(asset_sums) = 12 and cardinality(deposit_sums) = 12),
    constraint behaviour_life_is_known check (life in ('new', 'active', 'reactivated', 'dormant', 'lost', 'closed'))
) partition by list (run_id);

create table segmentation_related (
    run_id bigint not null,
    customer_id bigint not null,
    as_of date not null,
    primary_id bigint not null,
    members integer not null,
    contribution numeric(20, 2) not null,
    contribution_annual numeric(20, 2) not null,
    deposit_points numeric(20, 2) not null
) partition by list (run_id);

create table segmentation_relatedshare (
    run_id bigint not null,
    customer_id bigint not null,
    member_id bigint not null,
    weight numeric(9, 8) not null,
    depth smallint not null,
    kind varchar(24) not null,
    constraint related_weight_is_a_share check (weight > 0 and weight <= 1),
    constraint related_to_somebody_else check (customer_id <> member_id)
) partition by list (run_id);

create table segmentation_signal (
    run_id bigint not null,
    customer_id bigint not null,
    kind varchar(24) not null,
    account_id bigint not null,
    level varchar(6) not null,
    amount numeric(20, 2),
    figure numeric(20, 4),
    due_on date,
    was varchar(16) not null,
    becomes varchar(16) not null,
    constraint signal_level_is_known check (level in ('red', 'orange', 'yellow', 'blue', 'note'))
) partition by list (run_id);

create table segmentation_loyalty (
    run_id bigint not null,
    customer_id bigint not null,
    as_of date not null,
    score numeric(8, 4),
    coverage numeric(5, 4) not null,
    tenure_months integer not null,
    class_count smallint not null,
    wallet_share numeric(24, 8),
    own_90d integer not null,
    days_since_own integer,
    login_days smallint,
    variation numeric(24, 8),
    referrals smallint,
    nps smallint,
    {LOYALTY_COLUMNS},
    constraint loyalty_is_on_the_scale check (score between 0 and 100),
    constraint loyalty_coverage_is_a_share check (coverage between 0 and 1),
    constraint loyalty_is_null_only_where_nothing_is_known check ((score is null) = (coverage = 0))
) partition by list (run_id);

create table segmentation_risk (
    run_id bigint not null,
    customer_id bigint not null,
    as_of date not null,
    score numeric(8, 4),
    coverage numeric(5, 4) not null,
    overdue_days integer,
    default_probability numeric(24, 8),
    debt_ratio numeric(24, 8),
    capital_share numeric(24, 8),
    counterparty_hhi numeric(24, 8),
    guarantee_share numeric(24, 8),
    in_guarantee_ring boolean not null,
    warning_level varchar(6) not null,
    kyc_grade varchar(6),
    identity_expired boolean not null,
    worst_class varchar(16),
    {RISK_COLUMNS},
    constraint risk_is_on_the_scale check (score between 0 and 100),
    constraint risk_coverage_is_a_share check (coverage between 0 and 1),
    constraint risk_is_null_only_where_nothing_is_known check ((score is null) = (coverage = 0))
) partition by list (run_id);

create table segmentation_peergroup (
    run_id bigint not null,
    peer_id integer not null,
    kind varchar(10) not null,
    tier varchar(12) not null,
    branch_id bigint,
    size integer not null
) partition by list (run_id);

create table segmentation_peerfigure (
    run_id bigint not null,
    peer_id integer not null,
    figure varchar(40) not null,
    n integer not null,
    mean numeric(38, 10) not null,
    p25 numeric(38, 10),
    median numeric(38, 10),
    p75 numeric(38, 10)
) partition by list (run_id);

-- Kept for many more nights than the rest, so only what a trend shows (docs/night.md says what it costs).
create table segmentation_pastscore (
    run_id bigint not null,
    customer_id bigint not null,
    contribution numeric(20, 2) not null,
    contribution_score numeric(8, 4),
    loyalty numeric(8, 4),
    risk numeric(8, 4),
    tier varchar(12) not null
) partition by list (run_id);
"""

# How many rows a customer (an account) has in a night, as the planner is to know it whatever the number of nights kept.
DISTINCT = "".join(
    f"alter table segmentation_{table} alter column {column} set (n_distinct_inherited = {share});"
    for table, column, share in [
        *((table, "customer_id", -1) for table in ("standing", "behaviour", "related", "loyalty", "risk", "pastscore")),
        ("contribution", "customer_id", -0.333333),
        ("accountmeasure", "customer_id", -0.3),
        ("accountmeasure", "account_id", -1),
        ("relatedshare", "customer_id", -0.5),
        ("signal", "customer_id", -0.5),
    ]
)

# What is made with a run and let go with it.
OF_A_RUN = [
    "accountmeasure", "behaviour", "contribution", "loyalty", "peerfigure", "peergroup", "related", "relatedshare",
    "risk", "signal", "standing",
]  # fmt: skip

FUNCTIONS = """
create function segmentation_run_tables() returns text[] language sql immutable as $$
    select array[%s]
$$;

-- The partitions of a run. Attaching a table made beside lets readers pass.
create function segmentation_open_run(run bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    parent text;
    child text;
begin
    foreach parent in array public.segmentation_run_tables() || 'segmentation_pastscore'::text loop
        child := parent || '_r' || run;
        if to_regclass('public.' || child) is null then
            execute format('create table public.%%I (like public.%%I including defaults including constraints)', child, parent);
            execute format('alter table public.%%I attach partition public.%%I for values in (%%L)', parent, child, run);
            execute format('grant select, insert, update, delete on public.%%I to crm_app', child);
        end if;
    end loop;
end
$$;

-- The key of one table of a run, once its rows are in: what later steps and readers look a customer up by.
create function segmentation_key_run(run bigint, parent text, columns text[]) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if not (parent = any (public.segmentation_run_tables() || 'segmentation_pastscore'::text)) then
        raise exception 'no table of a run: %%', parent;
    end if;
    execute format('create unique index %%I on public.%%I (%%s)', parent || '_key_' || run, parent || '_r' || run,
                   (select string_agg(quote_ident(c), ', ' order by i) from unnest(columns) with ordinality as u (c, i)));
    execute format('analyze public.%%I', parent || '_r' || run);
    -- Joins are planned by the figures of the parent, which nobody else gathers: without them a join of a million
    -- customers with their scores is taken for a million times five thousand. Again when the bank has outgrown them.
    if not exists (
        select from pg_class p, pg_class c
        where p.oid = ('public.' || quote_ident(parent))::regclass
          and c.oid = ('public.' || quote_ident(parent || '_r' || run))::regclass
          and p.reltuples >= c.reltuples
    ) then
        execute format('analyze public.%%I', parent);
    end if;
end
$$;

-- Indexes of the lists: by contribution, within the bank, a branch, a manager's book.
create function segmentation_seal_run(run bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    execute format('create index %%I on public.%%I (contribution, customer_id)',
                   'standing_by_contribution_' || run, 'segmentation_standing_r' || run);
    execute format('create index %%I on public.%%I (branch_id, contribution, customer_id)',
                   'standing_of_branch_' || run, 'segmentation_standing_r' || run);
    execute format('create index %%I on public.%%I (manager_id, contribution, customer_id)',
                   'standing_of_manager_' || run, 'segmentation_standing_r' || run);
    execute format('create index %%I on public.%%I (member_id)',
                   'related_members_' || run, 'segmentation_relatedshare_r' || run);
end
$$;

-- Let the customers' rows of a run go, all but the narrow history. Refused for the newest published night: somebody is
-- reading it.
create function segmentation_drop_run(run bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    parent text;
begin
    if run = (select p.run_id from public.segmentation_publishednight p order by p.business_date desc limit 1) then
        raise exception 'run %% is the newest published night', run;
    end if;
    perform set_config('lock_timeout', '3s', true);
    foreach parent in array public.segmentation_run_tables() loop
        execute format('drop table if exists public.%%I', parent || '_r' || run);
    end loop;
end
$$;

-- Let the narrow history of a run go, too.
create function segmentation_forget_run(run bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    perform public.segmentation_drop_run(run);
    execute format('drop table if exists public.%%I', 'segmentation_pastscore_r' || run);
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
""" % ", ".join(f"'segmentation_{name}'" for name in OF_A_RUN)

NAMES = [
    "segmentation_run_tables()",
    "segmentation_open_run(bigint)",
    "segmentation_key_run(bigint, text, text[])",
    "segmentation_seal_run(bigint)",
    "segmentation_drop_run(bigint)",
    "segmentation_forget_run(bigint)",
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
            TABLES, "".join(f"drop table segmentation_{name};" for name in [*OF_A_RUN, "pastscore"])
        ),
        migrations.RunSQL(DISTINCT, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, "".join(f"drop function {name};" for name in reversed(NAMES))),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
        migrations.RunSQL(
            NEVER_BACK,
            "drop function segmentation_pointer_never_goes_back() cascade;"
            "drop function segmentation_pointer_is_of_its_date() cascade",
        ),
    ]
