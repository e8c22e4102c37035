"""``manage.py seal_audit``: seal what is pending; the worker does the same every two seconds."""

from django.core.management.base import BaseCommand

from crm.core import audit_chain, clock


class Command(BaseCommand):
    help = "Seal the audit entries that are not in the chain yet."

    def handle(self, *args, **options):
        sealed = audit_chain.seal(clock.now(), wait=True)
        self.stdout.write(f"{sealed} entries sealed.")
