"""Where the columns of each file end up: tables, references to other rows, and the SQL made from them.

All identifiers come from here and from ``format.py``; a header may only choose among them, so nothing of a file ever
becomes SQL.
"""

from dataclasses import dataclass

from customers.feeds import format as feed
from customers.feeds.staging import Staged


@dataclass(frozen=True)
class Reference:
    """A column that names another row: ``into`` is the id it becomes, in the staged rows and in the target alike."""

    column: str
    table: str
    key: str
    into: str


def _customer(column: str = "customer_no", into: str = "customer_id") -> Reference:
    return Reference(column, "customers_customer", "customer_no", into)


def _branch() -> Reference:
    return Reference("branch_no", "core_branch", "branch_no", "branch_id")


ACCOUNT = Reference("account_no", "customers_account", "account_no", "account_id")


@dataclass(frozen=True)
class Target:
    """A table with a surrogate key. ``key``: its natural key in target columns; ``fixed``: what a new row starts with."""

    file: feed.File
    entity: str
    key: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()
    apart: tuple[str, ...] = ()  # delivered columns that live in another table

    @property
    def table(self) -> str:
        return f"customers_{self.entity}"


PRODUCT = Target(feed.PRODUCTS, "product", ("product_code",))
CUSTOMER = Target(
    feed.CUSTOMERS,
    "customer",
    ("customer_no",),
    (_branch(), Reference("manager_no", "core_staff", "employee_no", "feed_manager_id")),
    fixed=(("shares", "'{}'::bigint[]"), ("fact_batches", "'{}'::jsonb")),
    apart=("id_type", "id_no", "id_expires_on"),
)
RELATION = Target(
    feed.RELATIONS,
    "relation",
    ("customer_id", "related_id", "kind"),
    (_customer(), _customer("related_no", "related_id")),
)
ACCOUNTS = Target(
    feed.ACCOUNTS,
    "account",
    ("account_no",),
    (_customer(), Reference("product_code", "customers_product", "product_code", "product_id"), _branch()),
)
HOLDER = Target(feed.ACCOUNT_HOLDERS, "accountholder", ("account_id", "customer_id"), (ACCOUNT, _customer()))
RATE = Target(feed.RATES, "rate", ("kind", "currency", "term_days", "valid_from"))
OUTSIDE = Target(
    feed.OUTSIDE_HOLDINGS, "outsideholding", ("customer_id", "bank_name", "family", "as_of"), (_customer(),)
)
TARGETS = {
    target.file.name: target for target in (PRODUCT, CUSTOMER, RELATION, ACCOUNTS, HOLDER, RATE, OUTSIDE)
}


@dataclass(frozen=True)
class Assigned:
    """One target column and the staged expression that fills it. ``compared``: whether a difference is a change (a
    ciphertext differs every time it is written; its print does not)."""

    column: str
    source: str
    compared: bool = True


def assigned(
    file: feed.File, references: tuple[Reference, ...], header: tuple[str, ...], apart: tuple[str, ...] = ()
) -> list[Assigned]:
    """Return the target columns that the delivered header fills, as expressions on the staged row ``g``."""
    by_column = {reference.column: reference for reference in references}
    filled: list[Assigned] = []
    for name in header:
        if name in apart:
            continue
        if name in by_column:
            filled.append(Assigned(by_column[name].into, f"g.{by_column[name].into}"))
        elif file.by_name[name].protect:
            filled += [
                Assigned(name, f"g.{name}", compared=False),
                Assigned(f"{name}_print", f"g.{name}_print"),
                Assigned(f"{name}_mask", f"g.{name}_mask", compared=False),
            ]
        else:
            filled.append(Assigned(name, f"g.{name}"))
    if file is feed.CUSTOMERS:
        filled.append(Assigned("name_sort", "g.name_sort", compared=False))
        filled += [
            Assigned(f"{name}_ok", f"g.{name}_ok", compared=False)
            for name in ("mobile", "uscc")
            if name in header
        ]
    return filled


def resolved(staged: Staged, references: tuple[Reference, ...]) -> str:
    """Return the query that gives the staged rows with the ids they refer to; an id stays null where nothing is found.

    A customer number that was merged leads to the survivor, for good: the old number may come for years.
    """
    columns = ["s.*"]
    joins: list[str] = []
    for number, reference in enumerate(references):
        if reference.column not in staged.header:
            continue
        r = f"r{number}"
        joins.append(f"left join {reference.table} as {r} on {r}.{reference.key} = s.{reference.column}")
        if reference.table == "customers_customer":
            joins.append(
                f"left join customers_customernumber as n{number} on n{number}.customer_no = s.{reference.column}"
            )
            columns.append(f"coalesce({r}.merged_into_id, {r}.id, n{number}.customer_id) as {reference.into}")
        else:
            columns.append(f"{r}.id as {reference.into}")
        if reference.table == "customers_account":
            columns.append(f"{r}.currency as account_currency")
            if "customer_no" not in staged.header:
                columns.append(f"{r}.customer_id as customer_id")
    return f"select {', '.join(columns)} from {staged.table} as s {' '.join(joins)}"
