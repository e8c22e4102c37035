"""What the bank knows of a customer, fact by fact: grouped, masked, with source, age and how it came to be known."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.core.models import Post
from crm.core.privacy.masks import name_for
from customers.models import Customer, FeedBatch

STATED, OBSERVED, PREDICTED = "stated", "observed", "predicted"
KIND_WORDS = {
    STATED: _("stated by the customer"),
    OBSERVED: _("observed by the bank"),
    PREDICTED: _("predicted"),
}

# How each fact comes to be known. Nothing is predicted yet; a model's guess will say so here.
FIELD_KINDS: dict[str, str] = {
    "name": STATED,
    "gender": STATED,
    "birth_on": STATED,
    "marital_status": STATED,
    "education": STATED,
    "occupation": STATED,
    "employer": STATED,
    "annual_income": STATED,
    "mobile": STATED,
    "email": STATED,
    "address": STATED,
    "region_code": STATED,
    "uscc": STATED,
    "industry_code": STATED,
    "registered_capital": STATED,
    "staff_count": STATED,
    "annual_revenue": STATED,
    "total_assets": STATED,
    "legal_representative": STATED,
    "established_on": STATED,
    "group_no": OBSERVED,
    "risk_tolerance": STATED,
    "risk_assessed_on": OBSERVED,
    "kyc_grade": OBSERVED,
    "opened_on": OBSERVED,
    "closed_on": OBSERVED,
    "branch": OBSERVED,
    "feed_manager": OBSERVED,
}

LABELS: dict[str, Any] = {
    "gender": _("Gender"),
    "birth_on": _("Born on"),
    "marital_status": _("Marital status"),
    "education": _("Education"),
    "occupation": _("Occupation"),
    "employer": _("Employer"),
    "annual_income": _("Income a year"),
    "mobile": _("Mobile"),
    "email": _("E-mail"),
    "address": _("Address"),
    "region_code": _("Region"),
    "uscc": _("Credit code"),
    "industry_code": _("Industry"),
    "registered_capital": _("Registered capital"),
    "staff_count": _("Staff"),
    "annual_revenue": _("Revenue a year"),
    "total_assets": _("Total assets"),
    "legal_representative": _("Legal representative"),
    "established_on": _("Established on"),
    "group_no": _("Group"),
    "risk_tolerance": _("Risk tolerance"),
    "risk_assessed_on": _("Assessed on"),
    "kyc_grade": _("Due-diligence grade"),
    "opened_on": _("Customer since"),
    "closed_on": _("Closed on"),
    "branch": _("Branch"),
    "feed_manager": _("Manager in the core system"),
}

# Documents the core system names by code; others stand as they came.
DOCUMENTS: dict[str, Any] = {
    "citizen_id": _("citizen ID card"),
    "passport": _("passport"),
    "business_licence": _("business licence"),
    "household_register": _("household register"),
    "officer_id": _("officer's ID"),
    "hk_macau_permit": _("travel permit of Hong Kong and Macau residents"),
    "taiwan_permit": _("travel permit of Taiwan residents"),
    "foreign_permanent_id": _("ID card of permanent residents"),
}

PERSON = ("gender", "birth_on", "marital_status", "education", "occupation", "employer", "annual_income")
FIRM = (
    "uscc",
    "industry_code",
    "registered_capital",
    "staff_count",
    "annual_revenue",
    "total_assets",
    "legal_representative",
    "established_on",
    "group_no",
)
REACH = ("mobile", "email", "address", "region_code")
RISK = ("risk_tolerance", "risk_assessed_on", "kyc_grade")
BANK = ("opened_on", "closed_on", "branch", "feed_manager")
# What the counter needs to serve somebody; the rest of a person's life is none of its business.
COUNTER_SEES = frozenset(
    {"gender", *REACH, *RISK, "opened_on", "closed_on", "branch", "uscc", "industry_code"}
)
MASKED = frozenset({"mobile", "email", "address"})
MONEY = frozenset({"annual_income", "registered_capital", "annual_revenue", "total_assets"})
COUNTER_POSTS = frozenset({Post.TELLER, Post.LOBBY_MANAGER})


@dataclass(frozen=True)
class Fact:
    """One fact: ``value`` ready to be shown by its ``form`` (text, money, day, number, masked), where it is from, how old."""

    name: str
    label: Any
    value: Any
    form: str
    kind: str
    kind_words: Any
    source: str
    known_on: datetime.date | None
    age_days: int | None

    @property
    def is_old(self) -> bool:
        """Older than two years: worth asking the customer again."""
        return self.kind == STATED and self.age_days is not None and self.age_days > 730


@dataclass(frozen=True)
class Group:
    key: str
    label: Any
    facts: list[Fact]

    @property
    def known(self) -> int:
        return sum(1 for fact in self.facts if fact.value not in (None, ""))


def serves_in_full(user) -> bool:
    """Return whether a reader sees people's names in full: everybody but the counter, within his scope."""
    return user.post not in COUNTER_POSTS


def name_of(customer: Customer, user) -> str:
    """Return the customer's name as the reader may see it: firms in full, people as 张* at the counter."""
    return name_for(customer.name, firm=customer.kind == "corporate", in_full=serves_in_full(user))


def person_of(name: str | None, user) -> str:
    """Return the name of somebody who is no customer (a contact, a representative) as the reader may see it."""
    return name_for(name or "", firm=False, in_full=serves_in_full(user))


def batches_of(customer: Customer) -> dict[int, FeedBatch]:
    """Return the batches that delivered the customer's facts; ``customer`` was read with its own. Asks only where some
    facts came with another one."""
    found = {customer.batch_id: customer.batch} if customer.batch_id else {}
    others = set((customer.fact_batches or {}).values()) - set(found)
    return found | (FeedBatch.objects.in_bulk(others) if others else {})


def groups(customer: Customer, user, on: datetime.date, batches: dict[int, FeedBatch]) -> list[Group]:
    """Return the facts of a customer in groups, narrowed to what the reader's post may see."""
    firm = customer.kind == "corporate"
    plan = [
        ("firm", _("The firm"), FIRM) if firm else ("person", _("The person"), PERSON),
        ("reach", _("How to reach"), REACH),
        ("risk", _("Suitability and due diligence"), RISK),
        ("bank", _("At the bank"), BANK),
    ]
    result = []
    for key, label, names in plan:
        allowed = [n for n in names if serves_in_full(user) or n in COUNTER_SEES]
        # An open customer has no closing date: that is no gap in what the bank knows.
        facts = [
            _fact(customer, name, user, on, batches)
            for name in allowed
            if name != "closed_on" or customer.closed_on
        ]
        if facts:
            result.append(Group(key, label, facts))
    return result


def _fact(customer: Customer, name: str, user, on: datetime.date, batches: dict[int, FeedBatch]) -> Fact:
    batch = batches.get((customer.fact_batches or {}).get(name, customer.batch_id))
    value, form = _value(customer, name, user)
    known_on = batch.business_date if batch else None
    kind = FIELD_KINDS[name]
    return Fact(
        name=name,
        label=LABELS[name],
        value=value,
        form=form,
        kind=kind,
        kind_words=KIND_WORDS[kind],
        source=batch.source if batch else "",
        known_on=known_on,
        age_days=max(0, (on - known_on).days) if known_on else None,
    )


def _value(customer: Customer, name: str, user) -> tuple[Any, str]:
    if name in MASKED:
        return getattr(customer, f"{name}_mask"), "masked"
    if name in ("branch", "feed_manager"):
        related = getattr(customer, name)
        return (related.name if related else None), "text"
    if name == "legal_representative":
        return person_of(customer.legal_representative, user), "text"
    value = getattr(customer, name)
    if name in MONEY:
        return value, "money"
    if isinstance(value, datetime.date):
        return value, "day"
    field = customer._meta.get_field(name)
    if isinstance(field, models.CharField) and field.choices and value:
        return getattr(customer, f"get_{name}_display")(), "text"
    return value, "number" if isinstance(value, int) else "text"
