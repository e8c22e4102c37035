"""Every score as a ledger: lines whose points add up to it exactly, beside the peers' mean, down to the account rows; and
why it changed, line by line, as sentences."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Subquery, TextField
from django.db.models.functions import Cast, JSONObject
from django.utils.translation import gettext, ngettext

from crm.core import parameters
from crm.core.models import Branch
from customers.models.parties import PartyKind
from segmentation import sentences
from segmentation.behind import accounts_behind
from segmentation.history import Earlier, Point, earlier, trend
from segmentation.models import (
    Contribution,
    Loyalty,
    PeerFigure,
    PeerGroup,
    Period,
    Risk,
    Standing,
    Tier,
)

__all__ = [
    "Change", "Comparison", "Earlier", "Ledger", "Line", "Moves", "Point", "Value", "accounts_behind", "changes",
    "compared", "earlier", "ledger", "ledgers", "moves", "trend", "value",
]  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of a score. ``points`` of all lines add up to the score (for the contribution: to the amount).

    ``raw`` is what was measured and ``raw_words`` how people say it, unit included ("83 months"); None: the input is
    missing, ``missing`` says so and the line has no points. ``weight`` is the share of the whole in %, after the weights
    of missing components were shared out; None for adjustments and amounts. ``peer`` is the peers' mean of ``points``.
    """

    code: str
    label: Any
    note: Any
    raw: Any
    raw_words: Any
    sub: Decimal | None
    points: Decimal
    weight: Decimal | None
    peer: Decimal | None
    missing: bool = False
    total: bool = False


@dataclass(frozen=True)
class Comparison:
    """A value beside its peers: ``words`` names the group ("individuals · gold card · 鼓楼支行, 41 customers").

    ``percentile`` is the mid-rank place within the group, 0–100. Averages of fewer than three members are None.
    """

    words: Any
    size: int
    mean: Decimal | None
    p25: Decimal | None
    median: Decimal | None
    p75: Decimal | None
    percentile: Decimal | None
    value: Decimal | None = None

    def gap(self, value: Decimal) -> Decimal | None:
        return None if self.mean is None else value - self.mean


@dataclass(frozen=True)
class Ledger:
    """``score`` is contribution, loyalty or risk; ``value`` 0–100 or None (nothing known); ``amount`` the contribution in
    base currency, None for the others. ``words`` say the counts a contribution score is made of."""

    score: str
    value: Decimal | None
    amount: Decimal | None
    coverage: Decimal
    lines: list[Line]
    comparison: Comparison
    words: str = ""


@dataclass(frozen=True)
class Change:
    """What one line did to the score since another night; ``sentence`` says it in the reader's language."""

    code: str
    label: Any
    before: Decimal
    after: Decimal
    sentence: Any

    @property
    def points(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True)
class Moves:
    """What changed of one score since the nights it is compared with; None where no such night is kept."""

    earlier: Earlier
    since_previous: list[Change] | None
    since_month_end: list[Change] | None


@dataclass(frozen=True)
class Value:
    """What a customer brings beside what his peers bring: the ledger of the contribution, and figure → comparison."""

    ledger: Ledger
    compared: dict[str, Comparison]


SCORES = ("contribution", "loyalty", "risk")
# Fewer than this, and an average would tell of each of them.
FEWEST_TOLD = 3
FULL = Decimal(100)
CENT = Decimal("0.01")


@dataclass(frozen=True)
class _Rows:
    """What one night wrote of a customer; None for what the reader may not see or the night did not write."""

    contribution: Contribution | None = None
    loyalty: Loyalty | None = None
    risk: Risk | None = None

    def points(self, score: str) -> dict[str, Decimal]:
        """Return code → points of every line that is no total."""
        row = getattr(self, score)
        if row is None:
            return {}
        if score == "contribution":
            parts = sentences.CONTRIBUTION.items()
            return {code: sign * getattr(row, column) for code, (_l, _n, column, sign) in parts if sign}
        return {code: getattr(row, f"{code}_points") for code in _LINES[score]}


_LINES = {"loyalty": sentences.LOYALTY, "risk": sentences.RISK}


def ledgers(user, standing: Standing) -> dict[str, Ledger]:
    """Return the ledger of every score; five queries."""
    rows = _rows(user, [standing])[standing.run_id]
    peers, weights = _peers(standing), _weights(standing)
    return {score: _ledger(standing, score, rows, peers, weights) for score in SCORES}


def ledger(user, standing: Standing, score: str) -> Ledger:
    """Return the ledger of one score (contribution, loyalty, risk); three queries. Raises KeyError for another name."""
    if score not in SCORES:
        raise KeyError(score)
    rows = _rows(user, [standing], (score,))[standing.run_id]
    return _ledger(standing, score, rows, _peers(standing), _weights(standing))


def changes(user, standing: Standing, since: Standing, score: str) -> list[Change]:
    """Return the lines of a score that differ between two nights of a customer, largest first: they add up exactly to
    the change of the score, for the contribution to the change of the amount. One query."""
    rows = _rows(user, [standing, since], (score,))
    return _changes(standing, since, score, rows)


def moves(user, standing: Standing, score: str) -> Moves:
    """Return what changed of one score since the night before and since the last month end; two queries."""
    before = earlier(user, standing)
    nights = [night for night in (before.previous, before.month_end) if night is not None]
    rows = _rows(user, [standing, *nights], (score,))
    told = [
        _changes(standing, night, score, rows) if night else None
        for night in (before.previous, before.month_end)
    ]
    return Moves(before, *told)


def compared(user, standing: Standing) -> dict[str, Comparison]:
    """Return figure → comparison with the peers: the amount and the scores, and under ``deposits``, ``loans`` and
    ``assets`` the averages of the month. One query."""
    return _compared(standing, _peers(standing))


def value(standing: Standing, row: Contribution) -> Value:
    """Return what a customer brings beside his peers, from his contribution of the year to date; one query."""
    peers = _peers(standing)
    ledger = _ledger(standing, "contribution", _Rows(contribution=row), peers, {})
    return Value(ledger, _compared(standing, peers))


def _compared(standing: Standing, peers: "_Peers") -> dict[str, Comparison]:
    month = standing.as_of.day
    amounts = {"deposits": "deposit_month_sum", "loans": "loan_month_sum", "assets": "asset_month_sum"}
    plain = (
        "contribution",
        "contribution_score",
        "loyalty",
        "risk",
        "related_contribution",
        "deposit_points",
    )
    found = {
        name: peers.comparison(name, getattr(standing, name), _percentile(standing, name)) for name in plain
    }
    for name, figure in amounts.items():
        found[name] = peers.comparison(figure, getattr(standing, figure), None, days=month)
    return found


@dataclass(frozen=True)
class _Peers:
    """The group a customer is compared within and its figures: figure → {n, mean, p25, median, p75}."""

    words: str
    size: int
    figures: dict[str, dict[str, Any]]

    def mean(self, figure: str) -> Decimal | None:
        found = self.figures.get(figure)
        return Decimal(found["mean"]) if found and found["n"] >= FEWEST_TOLD else None

    def comparison(
        self, figure: str, value: Decimal | None, percentile: Decimal | None, days: int = 1
    ) -> Comparison:
        """Compare ``value``, divided by ``days`` as the group's own figures are."""
        found = self.figures.get(figure, {"n": 0})

        def told(name: str) -> Decimal | None:
            known = found["n"] >= FEWEST_TOLD and found[name] is not None
            return (Decimal(found[name]) / days) if known else None

        return Comparison(
            self.words,
            self.size,
            told("mean"),
            told("p25"),
            told("median"),
            told("p75"),
            percentile,
            None if value is None else value / days,
        )


def _peers(standing: Standing) -> _Peers:
    """Ask for the group with all its figures at once. Groups know no customer; small ones keep their averages to
    themselves."""
    figures = PeerFigure.objects.filter(run_id=OuterRef("run_id"), peer_id=OuterRef("peer_id"))
    # As text: JSON would make floats of exact numbers.
    numbers = {name: Cast(name, TextField()) for name in ("mean", "p25", "median", "p75")}
    as_json = figures.values(json=JSONObject(figure="figure", n="n", **numbers))
    branch = Branch.objects.filter(pk=OuterRef("branch_id")).values("name")[:1]
    group = (
        PeerGroup.objects.filter(run_id=standing.run_id, peer_id=standing.peer_id)
        .annotate(branch_name=Subquery(branch), figures=ArraySubquery(as_json))
        .first()
    )
    if group is None:
        return _Peers("", 0, {})
    kinds = {PartyKind.INDIVIDUAL: gettext("individuals"), PartyKind.CORPORATE: gettext("corporates")}
    tier = str(Tier(group.tier).label) if group.tier else ""
    place = group.branch_name or gettext("whole bank")
    names = " · ".join(word for word in (kinds[PartyKind(group.kind)], tier, place) if word)
    words = ngettext("%(group)s, %(count)s customer", "%(group)s, %(count)s customers", group.size)
    told = words % {"group": names, "count": f"{group.size:,}"}
    return _Peers(told, group.size, {figure["figure"]: figure for figure in group.figures})


def _weights(standing: Standing) -> dict[str, dict[str, Decimal]]:
    """Return score → component → weight in force on the night's date, before missing ones are shared out."""
    values = parameters.values(standing.as_of, ["loyalty_weights", "risk_component_weights"])
    chosen = {"loyalty": values["loyalty_weights"], "risk": values["risk_component_weights"][standing.kind]}
    return {
        score: {code: Decimal(str(w)) for code, w in weights.items()} for score, weights in chosen.items()
    }


def _rows(user, standings: list[Standing], scores: tuple[str, ...] = SCORES) -> dict[int, _Rows]:
    """Return run → what that night wrote of the customer; one query a score."""
    runs = {row.run_id for row in standings}
    chosen = {"run_id__in": runs, "customer_id": standings[0].customer_id}
    asked: dict[str, Any] = {
        "contribution": Contribution.objects.visible_to(user).filter(period=Period.YTD, **chosen),
        "loyalty": Loyalty.objects.visible_to(user).filter(**chosen),
        "risk": Risk.objects.visible_to(user).filter(**chosen),
    }
    found: dict[int, dict[str, Any]] = {run: {} for run in runs}
    for score in scores:
        for row in asked[score]:
            found[row.run_id][score] = row
    return {run: _Rows(**rows) for run, rows in found.items()}


def _ledger(
    standing: Standing, score: str, rows: _Rows, peers: _Peers, weights: dict[str, dict[str, Decimal]]
) -> Ledger:
    if score == "contribution":
        return Ledger(
            score,
            standing.contribution_score,
            standing.contribution,
            standing.coverage,
            _contribution_lines(rows, peers),
            peers.comparison(score, standing.contribution, standing.contribution_percentile),
            sentences.of_rank(standing),
        )
    row = getattr(rows, score)
    value = getattr(standing, score)
    return Ledger(
        score,
        value,
        None,
        getattr(standing, f"{score}_coverage"),
        _point_lines(score, row, standing.kind, peers, weights[score]) if row else [],
        peers.comparison(score, value, _percentile(standing, score)),
    )


def _percentile(standing: Standing, figure: str) -> Decimal | None:
    """The place among the peers; the contribution's score orders them as the amount does."""
    return getattr(standing, f"{figure.removesuffix('_score')}_percentile", None)


def _contribution_lines(rows: _Rows, peers: _Peers) -> list[Line]:
    row = rows.contribution
    if row is None:
        return []
    lines, so_far = [], Decimal(0)
    for code, (label, note, column, sign) in sentences.CONTRIBUTION.items():
        amount = (sign or 1) * getattr(row, column) + 0  # never minus zero
        mean = peers.mean(f"contribution.{column}") if sign else None
        if sign and mean is not None:
            mean *= sign
            so_far += mean
        elif mean is None and not sign and peers.mean("contribution.deposit") is not None:
            mean = so_far  # a mean of sums is the sum of the means
        words = sentences.amount(amount)
        lines.append(Line(code, label, note, amount, words, None, amount, None, mean, total=not sign))
    return lines


def _point_lines(score: str, row: Any, kind: str, peers: _Peers, weights: dict[str, Decimal]) -> list[Line]:
    known = {code for code in weights if getattr(row, f"{code}_sub") is not None}
    present = sum((weights[code] for code in known), Decimal(0))
    lines = []
    for code, (label, note, unknown) in _LINES[score].items():
        points = getattr(row, f"{code}_points")
        component = code in weights
        if not points and ((component and not weights[code]) or code == "clamp"):
            continue  # counts for nobody of his kind; nothing to bring back
        facts = sentences.facts(score, code, row, kind)
        missing = component and code not in known
        lines.append(
            Line(
                code,
                label,
                note,
                next((fact.value for fact in facts if fact.value is not None), None),
                (unknown or gettext("not known"))
                if missing
                else sentences.listed(fact.alone for fact in facts),
                getattr(row, f"{code}_sub") if component else None,
                points,
                (weights[code] * FULL / present).quantize(CENT) if code in known and present else None,
                peers.mean(f"{score}.{code}"),
                missing,
            )
        )
    return lines


def _changes(standing: Standing, since: Standing, score: str, rows: dict[int, _Rows]) -> list[Change]:
    was, now = rows[since.run_id], rows[standing.run_id]
    before, after = was.points(score), now.points(score)
    found = []
    for code in dict.fromkeys([*before, *after]):
        old, new = before.get(code, Decimal(0)), after.get(code, Decimal(0))
        if old == new:
            continue
        if score == "contribution":
            label, _note, _column, sign = sentences.CONTRIBUTION[code]
            another = standing.as_of.year != since.as_of.year
            sign = sign or 1
            sentence = sentences.of_amount(label, sign * old, sign * new, new - old, new_year=another)
        else:
            label = _LINES[score][code][0]
            told = _facts(score, code, was, standing.kind), _facts(score, code, now, standing.kind)
            subs = [getattr(getattr(night, score), f"{code}_sub", None) for night in (was, now)]
            sentence = sentences.of_points(code, label, *told, new - old, same_sub=subs[0] == subs[1])
        found.append(Change(code, label, old, new, sentence))
    return sorted(found, key=lambda change: (-abs(change.points), change.code))


def _facts(score: str, code: str, rows: _Rows, kind: str) -> list[sentences.Fact]:
    row = getattr(rows, score)
    return sentences.facts(score, code, row, kind) if row else []
