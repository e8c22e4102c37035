"""``manage.py anchor_audit``: sign the head of the audit chain and write it outside the database."""

import json

from django.core.management.base import BaseCommand, CommandError

from crm.core import anchors, audit_chain, clock


class Command(BaseCommand):
    help = "Anchor the audit trail; the worker does it once a day."

    def add_arguments(self, parser):
        parser.add_argument(
            "--public-key", action="store_true", help="print the key that checks the anchors, and end"
        )
        parser.add_argument(
            "--accept-loss",
            metavar="WHY",
            default="",
            help="after restoring an older backup: say why entries that anchors have seen are gone",
        )

    def handle(self, *args, **options):
        if options["public_key"]:
            self.stdout.write(anchors.public_key())
            return
        at = clock.now()
        audit_chain.seal(at, wait=True)
        try:
            line = anchors.anchor(at, again=True, accepted_loss=options["accept_loss"])
        except anchors.ChainBroken as error:
            raise CommandError(str(error)) from None
        self.stdout.write("Nothing is sealed yet." if line is None else json.dumps(line, sort_keys=True))
