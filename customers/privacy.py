"""Which facts of a customer are sensitive, which may be revealed to whom, and where old versions of them lie."""

from typing import Any

from crm.core.privacy import crypto, reveal, rotation
from crm.core.privacy.classes import C2, classify
from customers.models import Account, ContactPerson, Customer, Identity, RowHistory, Transaction

classify(
    Customer,
    {"name": C2("name"), "birth_on": C2(), "annual_income": C2(), "legal_representative": C2("name")},
)
classify(ContactPerson, {"name": C2("name")})
classify(Account, {"account_no": C2("account", searchable=True)})
classify(Transaction, {"amount": C2(), "balance_after": C2(), "counterparty_name": C2("name")})

# Encrypted columns say so themselves. A row is found through the reader's scope, or not at all.
reveal.open_to(Account, lambda user, key: Account.objects.visible_to(user).get(pk=key))
reveal.open_to(Customer, lambda user, key: Customer.objects.visible_to(user).get(pk=key), customer="pk")
reveal.open_to(Identity, lambda user, key: _with_customer(Identity, user, key))
reveal.open_to(ContactPerson, lambda user, key: _with_customer(ContactPerson, user, key))


def _with_customer(model, user, key: str):
    return model.objects.visible_to(user).select_related("customer").get(pk=key)


def _transaction(user, key: str) -> Transaction:
    account_id, booked_on, txn_no, customer_id = key.split("|")
    return Transaction.objects.visible_to(user).get(pk=(int(account_id), booked_on, txn_no, int(customer_id)))


reveal.open_to(Transaction, _transaction)


def _cell(version: dict[str, Any], column: str) -> str:
    """The cell a ciphertext of an old version was written for: the live table's, by the natural key."""
    row = version["row"]
    key = row.get("txn_no") or row.get("customer_no") or version["key"]
    return crypto.cell(f"customers_{version['entity']}", column, key)


rotation.also(rotation.Snapshots(RowHistory, "row", ("entity", "key"), _cell))
