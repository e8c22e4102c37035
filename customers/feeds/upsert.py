"""Upserts of the tables with few rows: products, parties, relations, accounts, holders, rates, outside holdings.

Every good row is new, changed, the same, or left alone because a later batch already wrote it. The version that a
change replaces goes to the row history first, so that any past day can be read as it was known.
"""

from dataclasses import dataclass

from customers.feeds import format as feed
from customers.feeds.checking import good_table
from customers.feeds.staging import Staged
from customers.feeds.targets import Assigned, Target, assigned


@dataclass(frozen=True)
class Tally:
    """Rows of one file: inserted, changed, unchanged (the same, or kept because a later batch wrote them)."""

    new: int = 0
    changed: int = 0
    same: int = 0
    later: int = 0

    @property
    def loaded(self) -> int:
        return self.new + self.changed

    @property
    def unchanged(self) -> int:
        return self.same + self.later


@dataclass(frozen=True)
class Delivery:
    """Who delivers, for the stamps on the rows. ``replaces``: id of the batch that this one corrects, or 0."""

    batch_id: int
    business_date: str
    known_on: str
    replaces: int = 0
    is_delta: bool = True

    @property
    def params(self) -> dict[str, object]:
        return {
            "batch": self.batch_id,
            "on": self.business_date,
            "known_on": self.known_on,
            "replaces": self.replaces,
            "is_delta": self.is_delta,
        }


# A change is known from its batch on, never before the version it replaces; what a correction replaces was never true.
SINCE = "case when t.batch_id = %(replaces)s then t.known_on else greatest(t.known_on, %(on)s::date) end"


def verdict_table(staged: Staged) -> str:
    return f"temp_verdict_{staged.file.stem}"


def upsert(cursor, staged: Staged, target: Target, delivery: Delivery) -> Tally:
    """Write the good rows of a file and return what happened to them."""
    filled = assigned(staged.file, target.references, staged.header, target.apart)
    _judge(cursor, staged, target, filled, delivery)
    _keep_history(cursor, staged, target, delivery)
    _change(cursor, staged, target, filled, delivery)
    _insert(cursor, staged, target, filled, delivery)
    cursor.execute(f"select verdict, count(*) from {verdict_table(staged)} group by verdict")
    return Tally(**dict(cursor.fetchall()))


def _judge(cursor, staged: Staged, target: Target, filled: list[Assigned], delivery: Delivery) -> None:
    good, verdicts = good_table(staged), verdict_table(staged)
    compared = [one for one in filled if one.compared and one.column not in target.key]
    differs = "false"
    if compared:
        old, new = ", ".join(f"t.{one.column}" for one in compared), ", ".join(one.source for one in compared)
        differs = f"row({old}) is distinct from row({new})"
    on = " and ".join(f"t.{column} = g.{column}" for column in target.key)
    extra_join = alias = ""
    if staged.file is feed.CUSTOMERS:
        extra_join = "left join customers_identity as i on i.customer_id = t.id and i.is_primary"
        differs = " or ".join([differs, *_identity_differs(staged)])
        # A number that only points to a survivor has no row of its own, and gets none.
        alias = "when t.id is null and exists (select from customers_customernumber as n where n.customer_no = g.customer_no) then 'same'"
    cursor.execute(f"drop table if exists {verdicts}")
    cursor.execute(
        f"""
        create temp table {verdicts} on commit drop as
        select g.line_no, t.id as target_id,
            case {alias} when t.id is null then 'new'
                 when not ({differs}) then 'same'
                 when t.known_on > %(on)s::date and t.batch_id <> %(replaces)s then 'later'
                 else 'changed' end as verdict
        from {good} as g left join {target.table} as t on {on} {extra_join}
        """,
        delivery.params,
    )
    if target.references and any(column.endswith("_id") for column in target.key):
        # Two numbers of one merged customer fall on the same row: the first counts, the other says nothing new.
        key = ", ".join(f"g.{column}" for column in target.key)
        cursor.execute(
            f"""
            update {verdicts} as v set verdict = 'same' from (
                select g.line_no, row_number() over (partition by {key} order by g.line_no) as place from {good} as g
            ) as g where g.line_no = v.line_no and g.place > 1
            """
        )
    if staged.file is feed.RELATIONS:
        cursor.execute(
            f"update {verdicts} as v set verdict = 'same' from {good} as g where g.line_no = v.line_no and g.customer_id = g.related_id"
        )


def _identity_differs(staged: Staged) -> list[str]:
    rules = []
    stands = "g.id_no_print is not null" if staged.has("id_no") else "i.id is not null"
    if staged.has("id_no"):
        rules.append("i.number_print is distinct from g.id_no_print")
    if staged.has("id_type"):
        rules.append(f"{stands} and i.id_type is distinct from coalesce(g.id_type, '')")
    if staged.has("id_expires_on"):
        rules.append(f"{stands} and i.expires_on is distinct from g.id_expires_on")
    return [f"({rule})" for rule in rules]


def _keep_history(cursor, staged: Staged, target: Target, delivery: Delivery) -> None:
    key = " || '/' || ".join(f"t.{column}::text" for column in target.key)
    owner = {"customer": "t.id", "product": "null::bigint", "rate": "null::bigint"}.get(
        target.entity, "t.customer_id"
    )
    cursor.execute(
        f"""
        insert into customers_rowhistory (entity, key, customer_id, row, known_on, superseded_on, batch_id, superseded_by_id)
        select '{target.entity}', left({key}, 120), {owner}, to_jsonb(t), t.known_on, {SINCE}, t.batch_id, %(batch)s
        from {target.table} as t join {verdict_table(staged)} as v on v.target_id = t.id and v.verdict = 'changed'
        """,
        delivery.params,
    )


def _change(cursor, staged: Staged, target: Target, filled: list[Assigned], delivery: Delivery) -> None:
    sets = [f"{one.column} = {one.source}" for one in filled if one.column not in target.key]
    if staged.file is feed.CUSTOMERS:
        sets.append(f"fact_batches = {_fact_batches(staged, filled)}")
    sets += ["batch_id = %(batch)s", f"known_on = {SINCE}"]
    cursor.execute(
        f"""
        update {target.table} as t set {", ".join(sets)}
        from {good_table(staged)} as g join {verdict_table(staged)} as v using (line_no)
        where v.verdict = 'changed' and v.target_id = t.id
        """,
        delivery.params,
    )


def _fact_batches(staged: Staged, filled: list[Assigned]) -> str:
    """Facts the file does not have keep the batch they came with."""
    kept = [
        column.name
        for column in staged.file.columns
        if not column.required
        and not staged.has(column.name)
        and column.name not in ("id_type", "id_no", "id_expires_on", "manager_no")
    ]
    pairs = ", ".join(
        f"'{name}', case when t.{name} is not null then coalesce(t.fact_batches->'{name}', to_jsonb(t.batch_id)) end"
        for name in kept
    )
    return f"jsonb_strip_nulls(jsonb_build_object({pairs}))"


def _insert(cursor, staged: Staged, target: Target, filled: list[Assigned], delivery: Delivery) -> None:
    columns = [one.column for one in filled] + [name for name, _ in target.fixed]
    values = [one.source for one in filled] + [value for _, value in target.fixed]
    if staged.has("manager_no"):
        # The scope's anchor of a new customer; from then on the assignments keep it.
        columns.append("manager_id")
        values.append("g.feed_manager_id")
    cursor.execute(
        f"""
        insert into {target.table} ({", ".join(columns)}, batch_id, known_on)
        select {", ".join(values)}, %(batch)s, %(known_on)s::date
        from {good_table(staged)} as g join {verdict_table(staged)} as v using (line_no)
        where v.verdict = 'new' order by g.line_no
        """,
        delivery.params,
    )
