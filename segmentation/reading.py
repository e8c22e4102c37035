"""Which night a page has read, and whether it still stands: asked by the frame once the page is rendered, answered from
what was read with the figures themselves, without a question of its own."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from crm.core.access import may
from segmentation import nights
from segmentation.models import PublishedNight


@dataclass(frozen=True)
class Read:
    """The night behind a page's figures. ``is_stale``: batches or parameters of its date have changed since it ran.
    ``href`` leads to the run, for those who may see it."""

    business_date: datetime.date
    is_stale: bool
    href: str


def note(request: HttpRequest, row: Any) -> None:
    """Remember a row of a night, read with its ``nights.basis``, that the page shows figures of. Whoever gives a page such
    rows notes them: see ``segmentation.standing``."""
    request.__dict__.setdefault("_rows_of_nights", []).append(row)


def read_by(request: HttpRequest) -> Read | None:
    """Return the night the page has read so far; None for a page that shows no figure of one. All its rows are of one night."""
    rows = getattr(request, "_rows_of_nights", [])
    if not rows:
        return None
    row = rows[0]
    day = row.business_date if isinstance(row, PublishedNight) else row.as_of
    href = reverse("night", args=[row.run_id]) if may(request.user, "nights.view") else ""
    return Read(day, nights.has_changed(row), href)
