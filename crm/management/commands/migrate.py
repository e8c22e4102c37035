"""``migrate`` as the owner of the tables; everything else runs as the app role, which cannot change them."""

from django.core.management.commands import migrate

from crm.database.base import as_owner


class Command(migrate.Command):
    def handle(self, *args, **options):
        with as_owner(options["database"]):
            return super().handle(*args, **options)
