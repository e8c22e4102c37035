"""``manage.py verify_invariants [--json]``: what must hold at any moment; exit 1 on any finding."""

import dataclasses
import json
import sys

from django.core.management.base import BaseCommand

from crm.core import invariants


class Command(BaseCommand):
    help = "Check the invariants of every app."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="print JSON alone")
        parser.add_argument("--only", action="append", metavar="I12", help="only these numbers")

    def handle(self, *args, **options):
        results = invariants.run(set(options["only"]) if options["only"] else None)
        ok = not any(result.findings for result in results)
        if options["json"]:
            told = [dataclasses.asdict(result) for result in results]
            self.stdout.write(json.dumps({"ok": ok, "invariants": told}, ensure_ascii=False))
        else:
            for result in results:
                mark = "holds" if not result.findings else "BROKEN"
                self.stdout.write(f"{result.id:<4} {mark:<7} {result.ms:>7} ms  {result.title}")
                for finding in result.findings:
                    self.stdout.write(f"       {finding}")
        if not ok:
            sys.exit(1)
