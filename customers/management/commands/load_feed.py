"""``manage.py load_feed PATH… [--json] [--accept-gap] [--replace]``: load batches in the order of their dates."""

import json

from django.core.management.base import BaseCommand, CommandError

from crm.core import clock
from customers.feeds.batches import BatchResult
from customers.feeds.load import load_paths

WORTH_TELLING = 20_000


class Command(BaseCommand):
    help = "Load feed batches: folders with a manifest.json, .zip or .tar.gz archives, or folders of them."

    def add_arguments(self, parser):
        parser.add_argument("paths", nargs="+", metavar="PATH")
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object, and nothing else, on standard output"
        )
        parser.add_argument("--accept-gap", action="store_true", help="let days be left out before a batch")
        parser.add_argument(
            "--replace", action="store_true", help="let a batch correct a date that was already loaded"
        )

    def handle(self, *args, **options):
        results = load_paths(
            options["paths"],
            accept_gap=options["accept_gap"],
            replace=options["replace"],
            at=clock.now(),
            told=self._told,
            working=self._working,
        )
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {"batches": [result.as_json() for result in results]}, ensure_ascii=False, indent=1
                )
            )
        if any(result.outcome == "refused" for result in results):
            raise CommandError("At least one batch was refused.", returncode=1)

    def _working(self, step: str, file: str, rows: int) -> None:
        """Small files are done before anybody could read their name."""
        if rows >= WORTH_TELLING:
            self.stderr.write(f"  {step:5} {file}, {rows:,} rows")
            self.stderr.flush()

    def _told(self, result: BatchResult) -> None:
        """One line a batch, beside the JSON: loading a month takes a while."""
        line = f"{result.business_date or result.path}  {result.outcome:9}"
        if result.outcome == "loaded":
            line += f"  read {result.rows_read}  loaded {result.rows_loaded}  rejected {result.rows_rejected}  breaks {result.breaks}"
        elif result.reason:
            line += f"  {result.reason}"
        self.stderr.write(line)
        self.stderr.flush()
