"""The few customers under a processing stop are found without reading the others: every dashboard asks for them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_checked_facts")]
    operations = [
        migrations.AddIndex(
            "customer",
            models.Index(fields=["id"], condition=models.Q(restricted_on__isnull=False), name="customer_under_a_stop"),
        ),
    ]
