"""``manage.py nightly --as-of DATE [--json]``: run the night of a business date, or go on with it, and publish it."""

import datetime
import json
import time

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from crm.core import clock, jobs
from crm.core.models import Run, RunState
from crm.core.tasks import worker_name
from segmentation import nightly, steps

HOURS = 3600.0


class Command(BaseCommand):
    help = (
        "Run the night of a business date: day-averages, contribution, tiers, summary, checks, publication."
    )

    def add_arguments(self, parser):
        parser.add_argument("--as-of", required=True, help="business date, YYYY-MM-DD")
        parser.add_argument("--json", action="store_true", help="print JSON alone on standard output")
        parser.add_argument("--rebuild", action="store_true", help="fill the accumulators from nothing first")

    def handle(self, *args, **options):
        try:
            as_of = datetime.date.fromisoformat(str(options["as_of"]))
        except ValueError as error:
            raise CommandError(f"{options['as_of']} is not a date: write YYYY-MM-DD") from error
        if options["rebuild"]:
            with transaction.atomic(), connection.cursor() as cursor:
                steps.rebuild(cursor)
        try:
            run, error = self.finish(as_of)
        except nightly.NoFeed as reason:
            raise CommandError(str(reason)) from reason
        told = nightly.report(run)
        if options["json"]:
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            self.tell(told)
        if not told["published"]:
            raise CommandError(error or run.error or "the night is not published")

    def finish(self, as_of: datetime.date) -> tuple[Run, str]:
        """Work on the run until it is done or fails; wait while somebody else is at it. Return it and what went wrong."""
        shown = ""
        for _ in range(5):  # attempts, when inputs change while it runs
            run = nightly.run_for(as_of, at=clock.now())
            while run.state not in (RunState.DONE, RunState.DEAD):
                try:
                    jobs.work_on(run.pk, worker=worker_name(), at=clock.now(), seconds=24 * HOURS)
                except (steps.CheckFailed, DatabaseError) as error:
                    run.refresh_from_db()
                    return run, str(error)
                run.refresh_from_db()
                if run.state == RunState.RUNNING:
                    if run.progress != shown:
                        shown = run.progress
                        self.stderr.write(f"{as_of}: {run.worker} is at {shown or 'it'}")
                    time.sleep(0.5)
            if run.state == RunState.DONE:
                return run, ""
            self.stderr.write(f"{as_of}: {run.error}")
        return run, run.error

    def tell(self, told: dict) -> None:
        for step in told["steps"]:
            self.stdout.write(f"{step['name']:<20} {step['rows']:>12,} rows {step['ms']:>8,} ms")
        state = "published" if told["published"] else "not published"
        self.stdout.write(
            f"night of {told['as_of']}: run {told['run']}, {told['customers'] or 0:,} customers, {state}"
        )
