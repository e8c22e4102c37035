"""Account numbers that say whose, in which currency and of which product the account is, where the bank's numbers do so.

Which parts a bank's numbers are made of is a parameter: an empty list says they have no structure and nothing is judged.
"""

from dataclasses import dataclass

from crm.core import parameters

PARTS = ("customer", "currency", "product")
STRUCTURE = parameters.define(
    "account_number_parts",
    [],
    unit="list",
    source="D",
    note='Leading parts of an account number, in their order, for instance ["customer", "currency", "product"]; the rest is a serial number.',
)


@dataclass(frozen=True)
class AccountNumber:
    """One number taken apart. ``contradicts`` names the first part that is not what the account's row says."""

    serial: str
    contradicts: str = ""


def take_apart(number: str, *, customer: str, currency: str, product: str, parts: list[str]) -> AccountNumber:
    """Hold a number against the account's own facts.

    >>> take_apart("C001CNYDD01", customer="C001", currency="CNY", product="DD", parts=["customer", "currency", "product"])
    AccountNumber(serial='01', contradicts='')
    """
    facts = {"customer": customer, "currency": currency, "product": product}
    rest = number
    for part in parts:
        if not rest.startswith(facts[part]):
            return AccountNumber(serial=rest, contradicts=part)
        rest = rest[len(facts[part]) :]
    return AccountNumber(serial=rest)


def prefix_sql(parts: list[str], *, account: str, customer: str, product: str) -> str:
    """Return the SQL expression of the leading parts, from the aliases of three joined tables; empty without a structure."""
    columns = {
        "customer": f"{customer}.customer_no",
        "currency": f"{account}.currency",
        "product": f"{product}.product_code",
    }
    return " || ".join(columns[part] for part in parts if part in columns)
