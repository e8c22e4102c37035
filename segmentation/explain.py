"""Every score as a ledger: lines whose points add up to it exactly, beside the peers' mean, down to the account rows; and
why it changed, line by line, as sentences."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


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
    """A value beside its peers: ``words`` names the group ("individuals · gold card · 鼓楼支行, 41 customers")."""

    words: Any
    size: int
    mean: Decimal | None
    p25: Decimal | None
    median: Decimal | None
    p75: Decimal | None
    percentile: Decimal | None

    def gap(self, value: Decimal) -> Decimal | None:
        return None if self.mean is None else value - self.mean


@dataclass(frozen=True)
class Ledger:
    """``score`` is contribution, loyalty or risk; ``value`` 0–100 or None (nothing known); ``amount`` the contribution in
    base currency, None for the others."""

    score: str
    value: Decimal | None
    amount: Decimal | None
    coverage: Decimal
    lines: list[Line]
    comparison: Comparison


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
