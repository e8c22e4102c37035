"""The verbs on customers and feeds, each done once."""

import datetime
import zipfile

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.core import clock
from customers import assignments
from customers.feeds import uploads
from customers.models import Customer, FeedBatch
from tests.core.somebody import somebody
from tests.feed_files import write_batch
from tests.verbs import verb_case

DAY = datetime.date(2026, 11, 1)


@verb_case("customers.assign")
def assign():
    cai, bob = somebody("cai"), somebody("bob")
    customer = Customer.objects.visible_to(cai).filter(manager__isnull=True).first()
    return lambda: assignments.assign(
        customer=customer, manager=bob.staff, actor=cai, starts_on=DAY, reason="pool"
    )


@verb_case("feeds.upload")
def upload(tmp_path, settings):
    settings.DATA_DIR = tmp_path
    folder = write_batch(tmp_path / "batch", DAY, {"rates.csv": []})
    with zipfile.ZipFile(tmp_path / "batch.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    file = SimpleUploadedFile("batch.zip", (tmp_path / "batch.zip").read_bytes())
    return lambda: uploads.receive(
        actor=somebody("adam"), upload=file, choice=uploads.Choice.LOAD, reason="", at=clock.now()
    )


@verb_case("feeds.override")
def override():
    """Carried out by an approval, whose own entry is the decision's; here only what it carries out."""
    adam, other = somebody("adam"), somebody("sean")
    payload = {
        "file": "0" * 32 + ".zip",
        "source": "core",
        "business_date": DAY.isoformat(),
        "manifest": "a" * 64,
        "replace": True,
        "accept_gap": False,
    }
    return lambda: uploads.override(payload, maker=adam, checker=other, at=clock.now())


@verb_case("feeds.download_rejects")
def download_rejects(client):
    client.force_login(somebody("han"))
    batch = FeedBatch.objects.order_by("pk").first()
    return lambda: client.post(reverse("feed_rejects_file", args=[batch.pk]))
