"""The steps of a night, each one transaction of set-based statements. Killed anywhere, a step leaves nothing; run again,
it writes the same rows: no time of day, no random number and no earlier night enters a result."""

import datetime
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from crm.core import audit, faults, sqlrun
from segmentation import behaviour, nights, periods
from segmentation.policy import Policy

SQL = Path(__file__).parent / "sql"
MANY = 100_000  # account-months
PUBLISHED = audit.system_verb("nights.published", "the pointer moved to a finished night")

# Narrow tables of one step. They are gone with its transaction, so a second try finds none.
STAGES = {
    "stage_sum": """account_id bigint, balance numeric, month_sum numeric, quarter_sum numeric, year_sum numeric,
        rolling_sum numeric, month_fees numeric, year_fees numeric, rolling_fees numeric, month_counter bigint,
        year_counter bigint, rolling_counter bigint, month_digital bigint, year_digital bigint, rolling_digital bigint,
        own_90d int, own_180d int, last_own_on date, salary_mask smallint, repaid numeric, recent_sums numeric[]""",
    "stage_outflow": "account_id bigint, mask smallint",
    "stage_curve": "currency varchar(3), term_days int, valid_from date, rate numeric",
    "stage_fx": "currency varchar(3), rate numeric",
    "stage_minute": "customer_id bigint, mtd numeric, ytd numeric, r12 numeric",
    "stage_figure": """customer_id bigint, kind varchar(10), is_closed boolean, is_strategic boolean, weighted_month_sum numeric,
        contribution_annual numeric, deposit_year_sum numeric, place int""",
    "stage_held": """customer_id bigint, kind varchar(10), place int, tier varchar(12), since date, why varchar(10),
        floor numeric, deposit_floor numeric""",
    "stage_below": "customer_id bigint, months smallint",
    "stage_debt": """customer_id bigint, debts int, days_told int, overdue_days int, classes_told int, probability numeric,
        class_rank smallint, exposure numeric""",
    "stage_guarantee": "customer_id bigint, guarantors int, warned int, in_ring boolean",
    "stage_counterparty": "customer_id bigint, hhi numeric",
    "stage_size": "customer_id bigint, size varchar(8)",
    "stage_tier": """customer_id bigint, was varchar(12), tier varchar(12), why varchar(10), tier_by_figures varchar(12),
        tier_since date, months_below smallint, protected_until date, next_tier varchar(12), next_gap numeric(20, 2),
        drop_gap numeric(20, 2)""",
    "stage_peer": "customer_id bigint, peer_id int, narrow_id int, wide_id int, kind_id int, counts int",
    "stage_rank": """customer_id bigint, peer_id int, contribution_score numeric(8, 4), contribution_less bigint,
        contribution_equal bigint, contribution_among bigint, contribution_percentile numeric(8, 4),
        loyalty_percentile numeric(8, 4), risk_percentile numeric(8, 4), recency_rank smallint, frequency_rank smallint,
        money_rank smallint""",
}


class CheckFailed(RuntimeError):
    """Checks found rows: the night is not published, and the message names each check with what it found."""


class InputsChanged(RuntimeError):
    """A batch or a parameter of the night's date changed while it ran: another attempt is due."""


@dataclass(frozen=True)
class Night:
    """What a run pinned: its id, date, input batches, base currency and policy."""

    run_id: int
    as_of: datetime.date
    inputs: dict[str, Any]
    policy: Policy

    @property
    def params(self) -> dict[str, Any]:
        """Return every value a statement may ask for."""
        stretches = periods.of(self.as_of)
        values = self.policy.parameters()
        named = {}
        for name in ("month", "quarter", "year", "rolling"):
            stretch = getattr(stretches, name)
            named |= {f"{name}_first": stretch.first, f"{name}_days": stretch.days}
        return {
            **values,
            **named,
            "recent_firsts": [month.first for month in stretches.recent],
            "recent_days": [month.days for month in stretches.recent],
            "run_id": self.run_id,
            "as_of": self.as_of,
            "base_currency": self.inputs["base_currency"],
            "overrides": self.inputs.get("overrides", []),
            # A day-average reaches a floor when its sum reaches floor × days: no division, no rounding.
            "personal_floor_sums": [floor * stretches.month.days for floor in values["personal_floors"]],
            "deposit_floor_sums": [floor * stretches.year.days for floor in values["deposit_floors"]],
        }


@dataclass(frozen=True)
class Step:
    """``run(cursor, night) -> (rows, checksum)``."""

    name: str
    run: Callable[[Any, Night], tuple[int, str]]


def statement(cursor, name: str, night: Night | None = None) -> int:
    """Run ``sql/<name>.sql`` and return the rows it wrote. The accumulators know no night: they hold for every date."""
    params = night.params if night else {"bank_made": behaviour.BANK_MADE}
    return sqlrun.run(cursor, sqlrun.load(SQL / f"{name}.sql"), params)


def open_run(cursor, night: Night) -> tuple[int, str]:
    """Make the run's partitions."""
    cursor.execute("select segmentation_open_run(%s)", [night.run_id])
    return 0, ""


def absorb(cursor, night: Night) -> tuple[int, str]:
    """Bring the accumulators up to what is published, once: a second run finds nothing pending."""
    guard_months(cursor, shared=False)
    cursor.execute(
        "select exists (select from segmentation_accountmonth),"
        " (select reltuples from pg_class where oid = 'segmentation_accountmonth'::regclass),"
        " (select count(*) from customers_feedtouch as t"
        "  where not exists (select from segmentation_absorbed as a where a.batch_id = t.batch_id))"
    )
    filled, known, touched = cursor.fetchone()
    # Touching most of a large bank row by row costs more than adding all of it up.
    if not filled or (touched > MANY and touched * 3 > known):
        return rebuild(cursor), ""
    return statement(cursor, "10_absorb"), ""


def rebuild(cursor) -> int:
    """Fill the accumulators from nothing; the same rows as refreshing them batch by batch."""
    guard_months(cursor, shared=False)
    cursor.execute("select segmentation_clear_months()")
    rows = statement(cursor, "11_rebuild")
    cursor.execute("select segmentation_analyze_months()")
    return rows


def measure(cursor, night: Night) -> tuple[int, str]:
    """Measure every account. The accumulators serve where they hold exactly what the run pinned."""
    make_stages(cursor, "stage_sum", "stage_outflow", "stage_curve", "stage_fx")
    guard_months(cursor, shared=True)
    statement(cursor, "20_sums_from_months" if months_are_of(cursor, night) else "21_sums_as_known", night)
    statement(cursor, "22_outflows", night)
    statement(cursor, "25_transfer_curve", night)
    statement(cursor, "26_exchange_rates", night)
    cursor.execute("create index on stage_curve (currency, term_days, valid_from)")
    analyze(cursor, "stage_sum", "stage_outflow", "stage_curve", "stage_fx")
    rows = statement(cursor, "30_account_measures", night)
    key(cursor, night, "accountmeasure", "customer_id", "account_id")
    return rows, ""


def contribute(cursor, night: Night) -> tuple[int, str]:
    """Add the accounts' lines up to what each customer contributed."""
    make_stages(cursor, "stage_minute")
    statement(cursor, "35_manager_minutes", night)
    analyze(cursor, "stage_minute")
    rows = statement(cursor, "40_contributions", night)
    key(cursor, night, "contribution", "customer_id", "period")
    return rows, ""


def behave(cursor, night: Night) -> tuple[int, str]:
    """Say what each customer does and holds."""
    make_stages(cursor, "stage_fx")
    statement(cursor, "26_exchange_rates", night)
    rows = statement(cursor, "42_behaviour", night)
    key(cursor, night, "behaviour", "customer_id")
    return rows, ""


def relate(cursor, night: Night) -> tuple[int, str]:
    """Find whose value counts with whose, and add it up."""
    statement(cursor, "43_related_shares", night)
    key(cursor, night, "relatedshare", "customer_id", "member_id")
    rows = statement(cursor, "44_related", night)
    key(cursor, night, "related", "customer_id")
    return rows, ""


def signal(cursor, night: Night) -> tuple[int, str]:
    """Note what holds of each customer tonight."""
    rows = sum(
        statement(cursor, name, night)
        for name in ("46_money_signals", "47_credit_signals", "48_document_signals")
    )
    key(cursor, night, "signal", "customer_id", "kind", "account_id")
    return rows, ""


def score_loyalty(cursor, night: Night) -> tuple[int, str]:
    rows = statement(cursor, "50_loyalty", night)
    key(cursor, night, "loyalty", "customer_id")
    return rows, ""


def score_risk(cursor, night: Night) -> tuple[int, str]:
    make_stages(cursor, "stage_debt", "stage_guarantee", "stage_counterparty")
    statement(cursor, "52_debts", night)
    analyze(cursor, "stage_debt")
    statement(cursor, "53_guarantors", night)
    statement(cursor, "54_counterparties", night)
    analyze(cursor, "stage_guarantee", "stage_counterparty")
    rows = statement(cursor, "55_risk", night)
    key(cursor, night, "risk", "customer_id")
    return rows, ""


def stand(cursor, night: Night) -> tuple[int, str]:
    """Give every customer his tier, his peers, his ranks and so his standing; write down which tiers changed."""
    make_stages(
        cursor,
        "stage_figure",
        "stage_held",
        "stage_below",
        "stage_tier",
        "stage_peer",
        "stage_rank",
        "stage_size",
    )
    for name, stage in (
        ("57_tier_figures", "stage_figure"),
        ("58_held_tiers", "stage_held"),
        ("59_months_below", "stage_below"),
    ):
        statement(cursor, name, night)
        analyze(cursor, stage)
    statement(cursor, "60_tiers", night)
    analyze(cursor, "stage_tier")
    statement(cursor, "61_peer_groups", night)
    key(cursor, night, "peergroup", "peer_id")
    # Apart, because the planner takes a join by kind, tier and branch for almost empty: told how many rows it gave, it
    # does not compare all customers with all when it ranks them.
    statement(cursor, "62_peers", night)
    analyze(cursor, "stage_peer")
    statement(cursor, "63_ranks", night)
    analyze(cursor, "stage_rank")
    statement(cursor, "64_sizes", night)
    analyze(cursor, "stage_size")
    rows = statement(cursor, "65_standings", night)
    key(cursor, night, "standing", "customer_id")
    statement(cursor, "66_tier_changes", night)
    cursor.execute("select segmentation_seal_run(%s)", [night.run_id])
    return rows, ""


def compare(cursor, night: Night) -> tuple[int, str]:
    """Average every figure within every group of peers."""
    rows = statement(cursor, "70_peer_figures", night)
    key(cursor, night, "peerfigure", "peer_id", "figure")
    return rows, ""


def summarise(cursor, night: Night) -> tuple[int, str]:
    """Sum the standings per branch; the checksum lets two runs of a date be compared at a glance."""
    rows = statement(cursor, "75_branch_summary", night)
    cursor.execute(
        "select branch_id, kind, tier, customers, closed_customers, accounts, deposit_balance, deposit_month_sum,"
        " deposit_year_sum, loan_balance, loan_month_sum, loan_year_sum, asset_balance, asset_month_sum, contribution,"
        " contribution_annual, pretax, deposit_holders, loan_holders, deposit_points, loyalty_count, loyalty_sum, risk_count,"
        " risk_sum, new_customers, active_customers, reactivated_customers, dormant_customers, lost_customers"
        " from segmentation_branchsummary where run_id = %s order by branch_id, kind, tier",
        [night.run_id],
    )
    lines = [[str(value) for value in row] for row in cursor]
    return rows, hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def alert(cursor, night: Night) -> tuple[int, str]:
    """Tell what is new: signals and tier moves that were not told within their cool-down."""
    return statement(cursor, "80_alerts", night), ""


def remember(cursor, night: Night) -> tuple[int, str]:
    """Keep the scores of the night in narrow rows for the years."""
    rows = statement(cursor, "85_past_scores", night)
    key(cursor, night, "pastscore", "customer_id")
    return rows, ""


def check(cursor, night: Night) -> tuple[int, str]:
    """Run every check; return how many. Raises CheckFailed naming all that found something."""
    checks = sorted((SQL / "checks").glob("*.sql"))
    failed = []
    for path in checks:
        if sqlrun.run(cursor, sqlrun.load(path), night.params):
            columns = [column.name for column in cursor.description]
            found = [dict(zip(columns, map(str, row), strict=True)) for row in cursor.fetchmany(5)]
            failed.append(f"{path.stem}: {json.dumps(found, ensure_ascii=False)}")
    if failed:
        raise CheckFailed("; ".join(failed))
    return len(checks), ""


def publish(cursor, night: Night) -> tuple[int, str]:
    """Let the readers' pointer lead to this run: one row in one transaction."""
    verify_inputs(night)
    cursor.execute(
        "insert into segmentation_publishednight (business_date, run_id, customers, base_currency, published_at, kept)"
        " select %s, %s, (select count(*) from segmentation_standing where run_id = %s), %s, clock_timestamp(), true"
        " on conflict (business_date) do update set run_id = excluded.run_id, customers = excluded.customers,"
        " base_currency = excluded.base_currency, published_at = excluded.published_at, kept = true",
        [night.as_of, night.run_id, night.run_id, night.inputs["base_currency"]],
    )
    audit.record(None, PUBLISHED, ("run", night.run_id), payload={"business_date": night.as_of.isoformat()})
    return 1, ""


STEPS = [
    Step("open", open_run),
    Step("accumulators", absorb),
    Step("account_measures", measure),
    Step("contributions", contribute),
    Step("behaviour", behave),
    Step("related", relate),
    Step("signals", signal),
    Step("loyalty", score_loyalty),
    Step("risk", score_risk),
    Step("standings", stand),
    Step("peers", compare),
    Step("branch_summary", summarise),
    Step("alerts", alert),
    Step("past_scores", remember),
    Step("checks", check),
    Step("publish", publish),
]


def verify_inputs(night: Night) -> None:
    """Raise InputsChanged unless the batches of the night's date are still those the run pinned."""
    now = nights.inputs_of(night.as_of, night.inputs["base_currency"])
    if night.inputs["batches"] != now["batches"]:
        raise InputsChanged(f"the batches up to {night.as_of} have changed since the run was made")
    if night.inputs.get("overrides") != now["overrides"]:
        raise InputsChanged(
            f"the tiers decided by people for {night.as_of} have changed since the run was made"
        )


def months_are_of(cursor, night: Night) -> bool:
    """Return whether the accumulators hold exactly the pinned batches and nothing of a later day."""
    cursor.execute(
        "select coalesce(array_agg(b.id order by b.id), '{}'), coalesce(max(b.business_date) <= %s, true)"
        " from segmentation_absorbed a join customers_feedbatch b on b.id = a.batch_id where b.state = 'published'",
        [night.as_of],
    )
    batches, nothing_later = cursor.fetchone()
    return nothing_later and list(batches) == night.inputs["batches"]


def guard_months(cursor, *, shared: bool) -> None:
    """Keep the accumulators still while they are read, and to oneself while they are written, until the commit."""
    cursor.execute("set local lock_timeout = '20min'")
    lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    cursor.execute(f"select {lock}(hashtext('segmentation_accountmonth'))")


def analyze(cursor, *stages: str) -> None:
    """The planner takes an unknown table for a small one."""
    for stage in stages:
        cursor.execute(f"analyze {stage}")


def key(cursor, night: Night, table: str, *columns: str) -> None:
    """Give a table of the run its unique key, and the planner its figures."""
    cursor.execute(
        "select segmentation_key_run(%s, %s, %s)", [night.run_id, f"segmentation_{table}", list(columns)]
    )


def make_stages(cursor, *names: str) -> None:
    for name in names:
        cursor.execute(f"drop table if exists pg_temp.{name}")
        cursor.execute(f"create temporary table {name} ({STAGES[name]}) on commit drop")


def run_step(step: Step, night: Night) -> tuple[int, str]:
    """Run one step in the caller's transaction."""
    with connection.cursor() as cursor:
        # For this transaction only: a session's worth of memory for sorts and hashes of whole tables.
        cursor.execute("set local work_mem = '96MB'")
        done = step.run(cursor, night)
    faults.point(f"{step.name}.written")
    return done
