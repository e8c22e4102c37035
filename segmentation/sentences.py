"""What a score looked at and why it changed, as people say it: raw facts with their units, and one sentence a change.

Everything here is said in the reader's language of the moment, so the words are made anew for each reader.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from crm.core.templatetags import display
from customers.models.accounts import FiveClass
from customers.models.parties import Grade, PartyKind
from segmentation.models import Level, Loyalty, Risk, Standing

CENT = Decimal("0.01")
GRAVITY = ["", Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED]  # of warnings, mildest first

# code → label, what is measured, what to say where it is not known
LOYALTY = {
    "tenure": (_("Tenure"), _("months since he became a customer"), ""),
    "holdings": (_("Holdings"), _("different classes of products he holds"), ""),
    "wallet": (
        _("Share of wallet"),
        _("assets here ÷ all his assets"),
        _("not known: no word of what he holds elsewhere"),
    ),
    "activity": (_("Activity"), _("his own bookings, how recent they are, app logins"), ""),
    "stability": (
        _("Stability"),
        _("how little the month averages of his assets vary"),
        _("not known: fewer than three months of balances"),
    ),
    "advocacy": (
        _("Advocacy"),
        _("referrals and his latest answer whether he would recommend us"),
        _("not known: neither a referral nor an answer is recorded"),
    ),
    "complaint": (_("Open complaint"), _("adjustment"), ""),
    "dissatisfied": (_("Complaint closed dissatisfied"), _("adjustment"), ""),
    "outflow": (_("Regular transfers to himself at another bank"), _("adjustment"), ""),
    "payroll": (_("Salary in each of six months"), _("adjustment"), ""),
    "clamp": (_("Kept within 0–100"), _("the sum of the lines above leaves the scale"), ""),
}
RISK = {
    "overdue": (_("Overdue"), _("longest over his loans"), _("not known: days past due are not delivered")),
    "probability": (
        _("Probability of default"),
        _("from the scorecard, else from the class of his loans"),
        _("not known: no class and no scorecard is delivered"),
    ),
    "leverage": (
        _("Debt ratio"),
        _("firms: liabilities ÷ assets; individuals: monthly repayment ÷ income"),
        _("not known: income or balance sheet is not delivered"),
    ),
    "concentration": (
        _("Concentration"),
        _("his share of the bank's net capital, how few he trades with"),
        _("not known: net capital is not set and his counterparties are not named"),
    ),
    "guarantee": (
        _("Guarantees"),
        _("exposure guaranteed by warned customers, guarantee rings"),
        _("not known: relations are not delivered"),
    ),
    "warning": (_("Early warning"), _("the gravest open signal"), ""),
    "kyc": (
        _("Due diligence"),
        _("money-laundering grade, validity of his document"),
        _("not known: no grade is delivered"),
    ),
    "floor": (_("Lifted to the floor"), _("at least as risky as the worst class of his loans"), ""),
}
# code → label, formula, column of the contribution, sign. None: a total of the lines above.
CONTRIBUTION: dict[str, tuple[Any, Any, str, int | None]] = {
    "deposit": (_("Deposits"), _("day average × (transfer price − rate paid)"), "deposit", 1),
    "loan": (_("Loans"), _("day average × (rate earned − transfer price)"), "loan", 1),
    "fee": (_("Fees"), _("fees earned"), "fee", 1),
    "wealth": (_("Wealth and funds"), _("day average × sales fee"), "wealth", 1),
    "operation": (_("Operation"), _("bookings by channel × unit cost"), "operation", -1),
    "loss": (
        _("Expected loss"),
        _("default probability × loss given default × exposure"),
        "loss",
        -1,
    ),
    "surcharge": (_("Turnover taxes"), _("on loan interest and fees"), "surcharge", -1),
    "pretax": (_("Before tax"), "", "pretax", None),
    "tax": (_("Income tax"), _("management view: the sign is kept"), "tax", -1),
    "net": (_("Net"), "", "net", None),
    "capital_cost": (_("Cost of capital"), _("capital tied up × expected return"), "capital_cost", -1),
    "eva": (_("Contribution (EVA)"), "", "eva", None),
}
ADJUSTMENTS = ("complaint", "dissatisfied", "outflow", "payroll")
ENDS = ("clamp", "floor")  # move with the lines above them


@dataclass(frozen=True)
class Fact:
    """One thing measured: ``subject`` names it, ``words`` is its value with the unit, ``said`` stands alone.

    ``value`` orders two nights; None: nothing to compare (``words`` says what is known, empty: nothing is).
    """

    subject: str
    value: Any
    words: str
    said: str = ""

    @property
    def alone(self) -> str:
        return self.said or self.words


def percent(share: Decimal | None) -> str:
    return "" if share is None else f"{(share * 100).quantize(CENT, ROUND_HALF_UP):,}%"


def _language() -> str:
    return "zh" if (get_language() or "zh").startswith("zh") else "en"


def amount(value: Decimal) -> str:
    """An amount of base currency to the cent, with its unit."""
    return display.exact_words(value, display.base_currency(), _language())


def listed(words: Iterable[str]) -> str:
    """Put what is there of several facts into one line."""
    return {"zh": "，", "en": ", "}[_language()].join(word for word in words if word)


def signed_amount(value: Decimal) -> str:
    return ("+" if value > 0 else "") + amount(value)


def points(value: Decimal) -> str:
    """A change in points with its sign: two decimals, four where two would say nothing."""
    short = value.quantize(CENT, ROUND_HALF_UP)
    return f"{short if short else value.quantize(Decimal('0.0001')):+,}"


def days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


def months(count: int) -> str:
    return ngettext("%(count)d month", "%(count)d months", count) % {"count": count}


def bookings(count: int) -> str:
    return ngettext("%(count)d booking", "%(count)d bookings", count) % {"count": count}


def yes_no(value: bool) -> str:
    return gettext("yes") if value else gettext("no")


def facts(score: str, code: str, row: Any, kind: str) -> list[Fact]:
    """Return what a line of loyalty or risk measured, known or not; empty where it measures nothing of its own."""
    if score == "loyalty":
        if code in ADJUSTMENTS:
            applies = bool(getattr(row, f"{code}_points"))
            return [Fact(str(LOYALTY[code][0]), applies, yes_no(applies))]
        return _LOYALTY_FACTS[code](row) if code in _LOYALTY_FACTS else []
    if code == "leverage":
        return [_debt_ratio(row, kind)]
    return _RISK_FACTS[code](row) if code in _RISK_FACTS else []


def _tenure(row: Loyalty) -> list[Fact]:
    return [Fact(gettext("time with the bank"), row.tenure_months, months(row.tenure_months))]


def _holdings(row: Loyalty) -> list[Fact]:
    words = ngettext("%(count)d class", "%(count)d classes", row.class_count) % {"count": row.class_count}
    return [Fact(gettext("product classes held"), row.class_count, words)]


def _wallet(row: Loyalty) -> list[Fact]:
    return [Fact(gettext("share of his assets held here"), row.wallet_share, percent(row.wallet_share))]


def _activity(row: Loyalty) -> list[Fact]:
    words = bookings(row.own_90d)
    said = gettext("%(bookings)s in 90 days") % {"bookings": words}
    found = [Fact(gettext("own bookings in 90 days"), row.own_90d, words, said)]
    since = gettext("time since the last one")
    if row.days_since_own is None:
        none = gettext("none in a year")
        found.append(Fact(since, None, none, gettext("no booking of his own in a year")))
    else:
        words = days(row.days_since_own)
        ago = gettext("the last %(days)s ago") % {"days": words}
        found.append(
            Fact(since, row.days_since_own, words, ago if row.days_since_own else gettext("the last today"))
        )
    logins = gettext("days with an app login in 30")
    if row.login_days is None:
        found.append(Fact(logins, None, "", gettext("app logins not known")))
    else:
        words = days(row.login_days)
        said = gettext("%(days)s with an app login in 30") % {"days": words}
        found.append(Fact(logins, row.login_days, words, said))
    return found


def _stability(row: Loyalty) -> list[Fact]:
    words = percent(row.variation)
    said = gettext("variation %(share)s") % {"share": words} if words else ""
    return [Fact(gettext("variation of his assets"), row.variation, words, said)]


def _advocacy(row: Loyalty) -> list[Fact]:
    found = []
    if row.referrals is not None:
        words = ngettext("%(count)d referral", "%(count)d referrals", row.referrals) % {
            "count": row.referrals
        }
        found.append(Fact(gettext("referrals in two years"), row.referrals, words))
    if row.nps is not None:
        words = gettext("%(answer)d of 10") % {"answer": row.nps}
        said = gettext("would recommend us: %(answer)s") % {"answer": words}
        found.append(Fact(gettext("would recommend us"), row.nps, words, said))
    return found


_LOYALTY_FACTS: dict[str, Callable[[Loyalty], list[Fact]]] = {
    "tenure": _tenure,
    "holdings": _holdings,
    "wallet": _wallet,
    "activity": _activity,
    "stability": _stability,
    "advocacy": _advocacy,
}


def _overdue(row: Risk) -> list[Fact]:
    overdue = row.overdue_days
    if overdue is None:
        return [Fact(gettext("longest overdue"), None, "")]
    words = days(overdue)
    said = gettext("longest overdue %(days)s") % {"days": words} if overdue else gettext("nothing overdue")
    return [Fact(gettext("longest overdue"), overdue, words, said)]


def _probability(row: Risk) -> list[Fact]:
    found = row.default_probability
    said = gettext("nothing lent to him") if found == 0 else ""
    return [Fact(gettext("probability of default"), found, percent(found), said)]


def _debt_ratio(row: Risk, kind: str) -> Fact:
    firm = kind == PartyKind.CORPORATE
    subject = gettext("liabilities ÷ assets") if firm else gettext("monthly repayment ÷ income")
    return Fact(subject, row.debt_ratio, percent(row.debt_ratio))


def _concentration(row: Risk) -> list[Fact]:
    share, index = percent(row.capital_share), ""
    of_capital = gettext("share of the bank's net capital")
    if row.counterparty_hhi is not None:
        index = f"{row.counterparty_hhi.quantize(Decimal('0.0001'), ROUND_HALF_UP)}"
    return [
        Fact(
            of_capital,
            row.capital_share,
            share,
            gettext("%(share)s of the bank's net capital") % {"share": share}
            if share
            else gettext("share of the bank's net capital not known"),
        ),
        Fact(
            gettext("concentration of counterparties (HHI)"),
            row.counterparty_hhi,
            index,
            gettext("concentration of counterparties %(index)s") % {"index": index}
            if index
            else gettext("counterparties not known"),
        ),
    ]


def _guarantee(row: Risk) -> list[Fact]:
    found = []
    if row.guarantee_share is not None:
        words = percent(row.guarantee_share)
        said = gettext("%(share)s guaranteed by warned customers") % {"share": words}
        found.append(
            Fact(gettext("exposure guaranteed by warned customers"), row.guarantee_share, words, said)
        )
    ring = gettext("in a guarantee ring")
    known = row.guarantee_share is not None or row.in_guarantee_ring
    if known:
        said = ring if row.in_guarantee_ring else gettext("in no guarantee ring")
        found.append(Fact(ring, row.in_guarantee_ring, yes_no(row.in_guarantee_ring), said))
    return found


def _warning(row: Risk) -> list[Fact]:
    level = row.warning_level
    words = str(Level(level).label) if level else gettext("none")
    gravity = GRAVITY.index(level) if level in GRAVITY else 0
    return [
        Fact(gettext("gravest open warning"), gravity, words, "" if level else gettext("no open warning"))
    ]


def _kyc(row: Risk) -> list[Fact]:
    grade = row.kyc_grade
    found = []
    if grade:
        words = str(Grade(grade).label)
        found.append(Fact(gettext("money-laundering grade"), Grade.values.index(grade), words))
    if grade or row.identity_expired:
        said = gettext("document expired") if row.identity_expired else gettext("document valid")
        found.append(
            Fact(gettext("document expired"), row.identity_expired, yes_no(row.identity_expired), said)
        )
    return found


def _worst_class(row: Risk) -> list[Fact]:
    if not row.worst_class:
        return [Fact(gettext("worst class of his loans"), None, "", gettext("no loan with a class"))]
    order = FiveClass.values.index(row.worst_class)
    return [Fact(gettext("worst class of his loans"), order, str(FiveClass(row.worst_class).label))]


_RISK_FACTS: dict[str, Callable[[Risk], list[Fact]]] = {
    "overdue": _overdue,
    "probability": _probability,
    "concentration": _concentration,
    "guarantee": _guarantee,
    "warning": _warning,
    "kyc": _kyc,
    "floor": _worst_class,
}


def of_points(
    code: str, label: Any, before: list[Fact], after: list[Fact], change: Decimal, *, same_sub: bool
) -> str:
    """Say what a line of loyalty or risk did: the facts that moved, else what else moved its points (``same_sub``: its
    sub-score stayed, so that it was the weights); then the points."""
    if code in ADJUSTMENTS and bool(before and before[0].value) != bool(after and after[0].value):
        applies = bool(after and after[0].value)
        shape = (
            gettext("%(label)s applies now: %(points)s points")
            if applies
            else gettext("%(label)s applies no longer: %(points)s points")
        )
        return _spaced(shape % {"label": label, "points": points(change)})
    told = listed(_moved(was, now) for was, now in _paired(before, after))
    if not told:
        if code in ENDS:
            told = gettext("what the lines above come to changed")
        elif same_sub:
            told = gettext("the weights were shared out anew")
        else:
            told = gettext("the rules changed, not what was measured")
    shape = gettext("%(what)s: %(label)s %(points)s points")
    return _spaced(shape % {"what": told, "label": label, "points": points(change)})


def of_amount(label: Any, before: Decimal, after: Decimal, change: Decimal, *, new_year: bool) -> str:
    """Say what a part of the contribution did; ``before`` and ``after`` as people say them (costs above zero)."""
    shape = (
        gettext("%(part)s rose from %(before)s to %(after)s: contribution %(change)s")
        if after > before
        else gettext("%(part)s fell from %(before)s to %(after)s: contribution %(change)s")
    )
    told = shape % {
        "part": label,
        "before": amount(before),
        "after": amount(after),
        "change": signed_amount(change),
    }
    return _spaced(gettext("A new year began at zero; %(what)s") % {"what": told} if new_year else told)


def of_rank(standing: Standing) -> str:
    """Say the counts a contribution score is made of."""
    if standing.contribution_score is None:
        return ""
    if standing.kind == PartyKind.CORPORATE:
        shape = gettext("%(less)s of %(among)s open corporates contribute less, %(equal)s the same")
    else:
        shape = gettext("%(less)s of %(among)s open individuals contribute less, %(equal)s the same")
    counts = {name: f"{getattr(standing, f'contribution_{name}'):,}" for name in ("less", "among", "equal")}
    return shape % counts


def _paired(before: list[Fact], after: list[Fact]) -> list[tuple[Fact | None, Fact | None]]:
    was = {fact.subject: fact for fact in before}
    now = {fact.subject: fact for fact in after}
    return [(was.get(subject), now.get(subject)) for subject in dict.fromkeys([*was, *now])]


def _moved(was: Fact | None, now: Fact | None) -> str:
    """Say how one fact moved; empty where it did not."""
    before, after = was.words if was else "", now.words if now else ""
    fact = now or was
    assert fact is not None
    named = {"subject": fact.subject, "before": before, "after": after}
    values = was.value if was else None, now.value if now else None
    if before == after:
        if None in values or values[0] == values[1]:
            return ""
        # Less than the words show.
        shape = (
            gettext("%(subject)s rose slightly")
            if values[1] > values[0]
            else gettext("%(subject)s fell slightly")
        )
        return shape % named
    if not before:
        return gettext("%(subject)s became known: %(after)s") % named
    if not after:
        return gettext("%(subject)s is not known any more (was %(before)s)") % named
    if None in values or isinstance(values[1], bool):
        return gettext("%(subject)s changed from %(before)s to %(after)s") % named
    if values[1] > values[0]:
        return gettext("%(subject)s rose from %(before)s to %(after)s") % named
    return gettext("%(subject)s fell from %(before)s to %(after)s") % named


_CJK, _LATIN = r"[\u4e00-\u9fff]", r"[0-9A-Za-z+%-]"
_TOO_WIDE = re.compile(f"(?<={_CJK}) +(?={_CJK})")
_TOO_CLOSE = re.compile(f"(?<={_CJK})(?={_LATIN})|(?<={_LATIN})(?={_CJK})")


def _spaced(text: str) -> str:
    """Put a space between Chinese and figures, none between Chinese and Chinese: a value may end in either."""
    return _TOO_CLOSE.sub(" ", _TOO_WIDE.sub("", text)) if _language() == "zh" else text
