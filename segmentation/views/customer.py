"""Two tabs of the customer page that the night fills: his accounts with their day-averages, and what he contributes."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from crm.core.access import needs
from crm.core.privacy.masks import mask
from customers import facts, reads
from customers.models import Account
from customers.models.accounts import DEBTS, DEPOSITS, INVESTMENTS, SERVICES
from customers.views import customer_for, page
from segmentation import explain, scorecard, sentences, standing
from segmentation.models import Contribution, Period, Standing
from segmentation.views import scores

SECTIONS = (
    ("deposits", _("Deposits"), frozenset(DEPOSITS)),
    ("loans", _("Loans"), frozenset(DEBTS)),
    ("investments", _("Investments"), frozenset(INVESTMENTS)),
    ("services", _("Services"), frozenset(SERVICES)),
)


@dataclass(frozen=True)
class Section:
    key: str
    label: Any
    accounts: list[Account]


@needs("customers.view_accounts")
@require_GET
def customer_accounts(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Every account with the balance at the data's date, its day-averages, and who else holds it."""
    customer = customer_for(request, customer_id)
    rows = Account.objects.visible_to(request.user).filter(customer=customer)
    rows = rows.select_related("product", "branch").order_by("status", "-opened_on", "id")
    accounts = reads.with_holders(rows, request.user)
    at = standing.of_customer(request, customer.pk)
    measures = standing.of_accounts(request.user, at)
    # A night that does not know him yet has no balances: the newest of the feed stand in.
    balances = {} if at else reads.newest_balances(accounts, request.user)
    for account in accounts:
        account.mask = mask("account", account.account_no)
        account.measure = measures.get(account.pk)
        account.newest = balances.get(account.pk)
        for holder in account.others:
            if holder.customer is not None:
                holder.customer.shown_name = facts.name_of(holder.customer, request.user)
    sections = [
        Section(key, label, [a for a in accounts if a.product.family in families])
        for key, label, families in SECTIONS
    ]
    return page(
        request,
        customer,
        "accounts",
        "segmentation/customer_accounts.html",
        sections=[section for section in sections if section.accounts],
        at=at,
    )


@dataclass(frozen=True)
class Part:
    """One line of the statement; ``total`` lines are sums of what stands above them. Amounts carry their sign."""

    label: Any
    note: Any
    amount: Decimal
    total: bool = False


def statement(c: Contribution) -> list[Part]:
    """Return the contribution as a statement that adds up: each total is the sum of the lines above it."""
    return [
        Part(label, note, (sign or 1) * getattr(c, column) + 0, total=not sign)  # never minus zero
        for label, note, column, sign in sentences.CONTRIBUTION.values()
    ]


@needs("customers.view_accounts")
@require_GET
def customer_contribution(request: HttpRequest, customer_id: int) -> HttpResponse:
    """What the customer contributed in a period (``?period=mtd|ytd|r12``), part by part and account by account; the year
    to date, which the score is made of, beside his peers."""
    customer = customer_for(request, customer_id)
    period = request.GET.get("period", "")
    period = period if period in Period.values else Period.YTD.value
    at = standing.of_customer(request, customer.pk)
    by_period: dict[str, Contribution] = {}
    value, lines = None, []
    if at is not None:
        rows = Contribution.objects.visible_to(request.user).filter(run_id=at.run_id, customer_id=customer.pk)
        by_period = {row.period: row for row in rows}
        lines = _lines(request, at, period)
    if at is not None and Period.YTD in by_period:
        value = explain.value(at, by_period[Period.YTD])
    found = by_period.get(period)
    return page(
        request,
        customer,
        "contribution",
        "segmentation/customer_contribution.html",
        night=None if found else standing.night_of(request),
        period=period,
        periods=Period.choices,
        at=at,
        contribution=found,
        parts=statement(found) if found else [],
        value=value,
        related=_related(at) if at else {},
        share=standing.share_of_branch(at) if at else None,
        rows=scores.rows(customer, value.ledger) if value and period == Period.YTD else [],
        lines=[line for line in lines if any(line[name] for name in LINE)],
        silent=sum(1 for line in lines if not any(line[name] for name in LINE)),
        ladder=standing.ladder(customer.kind, at.as_of, scorecard.policy_of(at)) if at else [],
    )


def _related(at: Standing) -> dict[str, Decimal] | None:
    """What those related to him add to contribution and deposit points; None where it may not be told."""
    if not scorecard.tells_related(at):
        return None
    return {
        "contribution": at.related_contribution - at.contribution,
        "points": at.related_deposit_points - at.deposit_points,
    }


LINE = ("margin", "fee", "operation", "loss", "surcharge", "capital_cost")


def _lines(request: HttpRequest, at: Standing, period: str) -> list[dict[str, Any]]:
    """One line an account: margin, fee and costs of the period, and what is left before tax."""
    measures = standing.of_accounts(request.user, at)
    result = []
    for measure in measures.values():
        account = measure.account
        line = {name: getattr(measure, f"{period}_{name}") for name in LINE}
        costs = line["operation"] + line["loss"] + line["surcharge"]
        line |= {
            "account": account,
            "measure": measure,
            "costs": costs,
            "pretax": line["margin"] + line["fee"] - costs,
        }
        # What it costs is shown below zero, as in the statement above: a line adds up as it stands.
        line |= {name: -line[name] for name in ("operation", "loss", "surcharge")}
        account.mask = mask("account", account.account_no)
        result.append(line)
    return sorted(result, key=lambda line: -line["pretax"])
