"""Why a night is stale: which batch came late or was corrected, which parameter or decided tier has changed since it ran."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm.core import parameters
from customers.models import FeedBatch
from segmentation import policy
from segmentation.models import PublishedNight

LATE, CORRECTED, WITHDRAWN, PARAMETER, DEFAULT, TIER = (
    "late",
    "corrected",
    "withdrawn",
    "parameter",
    "default",
    "tier",
)


@dataclass(frozen=True)
class Reason:
    """One thing that has changed: ``kind``, and the batch or the parameter's name it is about."""

    kind: str
    batch: FeedBatch | None = None
    name: str = ""
    title: Any = ""


def changed_batches(night: PublishedNight) -> set[int]:
    """Return the batches a night read with its ``nights.basis`` did not know or knew and lost: whose names are needed."""
    return set(night.pinned_batches or []) ^ set(night.batches_now)


def reasons(
    night: PublishedNight, made_at: datetime.datetime, batches: Mapping[int, FeedBatch]
) -> list[Reason]:
    """Return what has changed since the run of a night, read with its basis, was made; ``batches`` by id, the changed
    ones at least."""
    pinned, now = set(night.pinned_batches or []), set(night.batches_now)
    found, explained = [], set()
    for pk in sorted(now - pinned):
        batch = batches[pk]
        # A correction of a correction: the one the night knew may lie further back.
        corrects = batch.replaces_id is not None
        found.append(Reason(CORRECTED if corrects else LATE, batch))
        explained |= {
            old for old in pinned - now if old in batches and _same_day(batches[old], batch) and corrects
        }
    found += [Reason(WITHDRAWN, batches.get(pk)) for pk in sorted(pinned - now - explained)]
    if (night.pinned_overrides or []) != night.overrides_now:
        found.append(Reason(TIER))
    return found + _of_parameters(night, made_at)


def _of_parameters(night: PublishedNight, made_at: datetime.datetime) -> list[Reason]:
    pairs = [(row["name"], row["value"]) for row in night.values_now]
    if policy.Policy(parameters.over_defaults(policy.NAMES, pairs)).version == night.pinned_parameters:
        return []
    since = [
        row["name"] for row in night.values_now if datetime.datetime.fromisoformat(row["set_at"]) > made_at
    ]
    names = dict.fromkeys(since)
    if not names:
        return [Reason(DEFAULT)]
    return [Reason(PARAMETER, name=name, title=parameters.defined(name).title or name) for name in names]


def _same_day(one: FeedBatch, other: FeedBatch) -> bool:
    return (one.source, one.business_date) == (other.source, other.business_date)
