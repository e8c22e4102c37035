"""``manage.py verify_audit [--json]``: seal what is pending, then read the whole chain; exit 1 on any finding."""

import dataclasses
import json
import sys

from django.core.management.base import BaseCommand

from crm.core import audit_chain, clock


class Command(BaseCommand):
    help = "Verify the audit trail: every column of every entry, the numbering, the hashes, the anchors."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args, **options):
        sealed = audit_chain.seal(clock.now(), wait=True)
        result = audit_chain.verify()
        audit_chain.note(None, "audit.verified", result)
        if options["json"]:
            found = [dataclasses.asdict(finding) for finding in result.findings]
            self.stdout.write(
                json.dumps(
                    {
                        "ok": result.ok,
                        "sealed": sealed,
                        "entries": result.entries,
                        "head": {"seq": result.head_seq, "hash": result.head_hash},
                        "anchors": result.anchors,
                        "findings": found,
                        "more": result.more,
                        "ms": result.ms,
                    }
                )
            )
        else:
            self.tell(result)
        if not result.ok:
            sys.exit(1)

    def tell(self, result: audit_chain.Verification) -> None:
        for finding in result.findings:
            self.stdout.write(str(finding))
        if result.more:
            self.stdout.write(f"and {result.more} more")
        self.stdout.write(
            f"{result.entries} entries, head {result.head_seq} {result.head_hash[:16]}, {result.anchors} anchors,"
            f" {result.ms} ms: {'intact' if result.ok else 'NOT INTACT'}"
        )
