"""The audit trail, its seals, approvals and the outbox."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0002_work")]
    operations = []
