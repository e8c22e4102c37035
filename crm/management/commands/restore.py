"""``manage.py restore DIR``: bring a backup back, and see that the bank in it is whole."""

from pathlib import Path

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from crm.core import clock
from crm.local import postgres
from crm.local.holding import ServiceInUse
from crm.local.safekeeping import BackupBroken, restore, verify


class Command(BaseCommand):
    help = "Restore a backup into the embedded PostgreSQL of this profile, then check the invariants."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path)
        parser.add_argument("--replace", action="store_true", help="move an existing database aside")
        parser.add_argument("--verify-only", action="store_true", help="check the backup and change nothing")

    def handle(self, *args, folder: Path, replace: bool, verify_only: bool, **options):
        if not settings.DATABASES["default"]["CRM"]["profile"]:
            raise CommandError(
                "DATABASE_URL names a server of the bank's own: restore it with its own tools."
            )
        cluster = postgres(settings.PROFILE)
        try:
            manifest = verify(folder.absolute(), settings.KEYS, cluster)
            self.stdout.write(f"The backup of {manifest['made_at']} is complete and fits this installation.")
            if verify_only:
                return
            restore(cluster, settings.DATA_DIR, folder.absolute(), replace, clock.now())
        except (BackupBroken, ServiceInUse) as error:
            raise CommandError(str(error)) from None
        cluster.hold()
        self.stdout.write("Restored. Checking the invariants …")
        if "verify_invariants" in get_commands():
            call_command("verify_invariants", stdout=self.stdout)
