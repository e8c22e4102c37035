"""``manage.py backup DIR``: a copy of database and files that ``restore`` can bring back."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm.core import clock
from crm.local import postgres
from crm.local.safekeeping import BackupBroken, back_up


class Command(BaseCommand):
    help = "Back up the embedded database and the product's files. The key file is not part of it."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="a new folder")

    def handle(self, *args, folder: Path, **options):
        if not settings.DATABASES["default"]["CRM"]["profile"]:
            raise CommandError(
                "DATABASE_URL names a server of the bank's own: back it up with pg_basebackup and its log, "
                f"and keep {settings.DATA_DIR} with it. This command serves the embedded PostgreSQL."
            )
        cluster = postgres(settings.PROFILE)
        if not cluster.cluster.exists():
            raise CommandError(f"There is no database yet in {cluster.folder}.")
        try:
            manifest = back_up(cluster, settings.DATA_DIR, settings.KEYS, folder.absolute(), clock.now())
        except BackupBroken as error:
            raise CommandError(str(error)) from None
        size = sum(path.stat().st_size for path in folder.rglob("*"))
        self.stdout.write(
            f"{folder}: {len(manifest['files'])} files, {size / 1e6:.1f} MB. Keep the key file apart."
        )
