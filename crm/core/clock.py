"""The one place that asks what time it is. Everything below an entry point takes the time as an argument."""

import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime.datetime:
    """Return the present instant, aware, in UTC. For entry points: views, commands, tasks."""
    return timezone.now()


def business_date(at: datetime.datetime) -> datetime.date:
    """Return the bank's calendar day at ``at``: the day in Shanghai, whatever the server's zone."""
    return at.astimezone(SHANGHAI).date()
