"""Whether a mobile number and a credit code are well formed, judged when they come: one is encrypted, the other needs
arithmetic no query should repeat."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_name_grams")]
    operations = [
        migrations.AddField("customer", "mobile_ok", models.BooleanField(null=True)),
        migrations.AddField("customer", "uscc_ok", models.BooleanField(null=True)),
    ]
