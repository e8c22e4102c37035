"""The set-wise half of judging rows: unknown keys, dates that run backwards against what is known, keys seen twice.

Leaves ``temp_good_<file>``: the rows that load, with the ids they refer to. Everything else is in ``temp_reject``.
"""

from customers.feeds import format as feed
from customers.feeds.staging import Staged
from customers.feeds.targets import TARGETS, Reference, resolved


def good_table(staged: Staged) -> str:
    return f"temp_good_{staged.file.stem}"


def resolve(cursor, staged: Staged, references: tuple[Reference, ...]) -> None:
    """Make the table of good rows: resolved, then cleared of what breaks a rule."""
    good = good_table(staged)
    cursor.execute(f"drop table if exists {good}")
    cursor.execute(f"create temp table {good} on commit drop as {resolved(staged, references)}")
    cursor.execute(f"analyze {good}")
    _reject(cursor, staged, _broken_rules(staged, references))
    _reject_repeated(cursor, staged)


def _broken_rules(staged: Staged, references: tuple[Reference, ...]) -> list[tuple[str, str, str]]:
    """Return (condition on the staged row ``g``, column, reason), the first that holds being the one told."""
    rules = [
        (f"g.{reference.column} is not null and g.{reference.into} is null", reference.column, "unknown_key")
        for reference in references
        if staged.has(reference.column)
    ]
    if staged.file is feed.RELATIONS:
        rules.append(("g.customer_no = g.related_no", "related_no", "refers_to_itself"))
    target = TARGETS.get(staged.file.name)
    for first, last in staged.file.orders if target else ():
        # Only one of the two came: it must fit the other, as the bank already knows it.
        if staged.has(first) != staged.has(last) and target is not None:
            start, end = (f"g.{first}", f"t.{last}") if staged.has(first) else (f"t.{first}", f"g.{last}")
            on = " and ".join(f"t.{column} = g.{column}" for column in target.key)
            came = first if staged.has(first) else last
            rules.append(
                (
                    f"exists (select from {target.table} as t where {on} and {end} < {start})",
                    came,
                    "out_of_order",
                )
            )
    return rules


def _reject(cursor, staged: Staged, rules: list[tuple[str, str, str]]) -> None:
    if not rules:
        return
    columns = " ".join(f"when {condition} then '{column}'" for condition, column, _ in rules)
    reasons = " ".join(f"when {condition} then '{reason}'" for condition, _, reason in rules)
    cursor.execute(
        f"""
        with fallen as (
            delete from {good_table(staged)} as g where {" or ".join(f"({condition})" for condition, _, _ in rules)}
            returning g.*, case {columns} end as bad_column, case {reasons} end as bad_reason
        )
        insert into temp_reject select {_told(staged, "g.bad_column", "g.bad_reason")} from fallen as g
        """
    )


def _reject_repeated(cursor, staged: Staged) -> None:
    """Keep the first good row of each key."""
    key = ", ".join(f"g.{column}" for column in staged.file.key)
    same = " and ".join(f"a.{column} = g.{column}" for column in staged.file.key)
    cursor.execute(
        f"""
        with repeated as (
            select {key}, min(line_no) as first_line from {good_table(staged)} as g group by {key} having count(*) > 1
        ), fallen as (
            delete from {good_table(staged)} as g using repeated as a where {same} and g.line_no > a.first_line returning g.*
        )
        insert into temp_reject select {_told(staged, f"'{staged.file.key[0]}'", "'duplicate_key'")} from fallen as g
        """
    )


def reject_lines(cursor, staged: Staged, lines: dict[int, tuple[str, str]]) -> None:
    """Move staged rows of a file without ids (the org tree, staff) to the rejects by their line numbers."""
    for line, (column, reason) in lines.items():
        cursor.execute(
            f"""
            with fallen as (delete from {good_table(staged)} as g where g.line_no = %s returning g.*)
            insert into temp_reject select {_told(staged, "%s", "%s")} from fallen as g
            """,
            [line, column, reason],
        )


def _told(staged: Staged, column: str, reason: str) -> str:
    amounts = ", ".join(f"'{name}', g.{name}::text" for name in staged.promise.control)
    account = "g.account_no" if staged.has("account_no") else "null"
    currency = "g.currency" if staged.has("currency") else "null"
    return (
        f"'{staged.file.name}', g.line_no, {column}, {reason}, {account}, {currency}, "
        f"jsonb_strip_nulls(jsonb_build_object({amounts}))"
    )
