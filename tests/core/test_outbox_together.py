"""Several drains at once, with real commits."""

import datetime
import threading

from django.db import connection

from crm.core import outbox
from crm.core.models import OutboxItem

SOON = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)


def test_drains_share_the_work_and_send_nothing_twice(bank_copy, monkeypatch):
    sent = []
    for kind, sure in (("sure", True), ("once", False)):
        monkeypatch.setitem(outbox._kinds, kind, outbox.Kind(lambda payload, key: sent.append(key), sure))
    with bank_copy.connected():
        keys = {f"{kind} {number}" for kind in ("sure", "once") for number in range(30)}
        for key in keys:
            outbox.put(key.split()[0], key, {})

        def drain():
            outbox.drain(SOON)
            connection.close()

        threads = [threading.Thread(target=drain) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(sent) == sorted(keys)
        assert not OutboxItem.objects.filter(sent_at__isnull=True).exists()
