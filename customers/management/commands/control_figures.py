"""``manage.py control_figures --as-of DATE [--json]``: totals of the whole bank as it was known on a day."""

import datetime
import json

from django.core.management.base import BaseCommand

from customers.control import figures


class Command(BaseCommand):
    help = "Print what anybody must find in the bank's books by a day."

    def add_arguments(self, parser):
        parser.add_argument("--as-of", required=True, type=datetime.date.fromisoformat, metavar="DATE")
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object, and nothing else, on standard output"
        )

    def handle(self, *args, **options):
        found = figures(options["as_of"])
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False, indent=1))
            return
        self.stdout.write(
            f"as of {found['as_of']}: {found['customers']} customers, {found['accounts']} accounts"
        )
        for currency, row in found["currencies"].items():
            self.stdout.write(currency)
            for name, value in row.items():
                self.stdout.write(f"  {name:40} {value}")
