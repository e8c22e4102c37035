"""Move everything encrypted to the current key, and look after the key file on the way.

rotate_keys --add k2     a fresh key joins the file; restart every process, so that all can read it
rotate_keys --use k2     it becomes the current one; restart again, so that all write with it
rotate_keys              everything still under another key moves; people go on working
rotate_keys --drop k1    the old key leaves the file, if nothing is under it any more
"""

import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm import keys
from crm.core import audit
from crm.core.privacy import crypto, rotation

audit.system_verb("privacy.keys_rotated", "everything encrypted moved to the current key")


class Command(BaseCommand):
    help = "Re-encrypt personal fields with the current key; --add, --use and --drop change the key file."

    def add_arguments(self, parser) -> None:
        step = parser.add_mutually_exclusive_group()
        step.add_argument("--add", metavar="KID", help="draw a new key")
        step.add_argument("--use", metavar="KID", help="make a key the current one")
        step.add_argument("--drop", metavar="KID", help="remove a key nothing is under")
        parser.add_argument("--sm4", action="store_true", help="with --add: a key for SM4 instead of AES-256")
        parser.add_argument("--batch", type=int, default=rotation.BATCH, help="rows a transaction")

    def handle(self, *args, add, use, drop, sm4, batch, **options) -> None:
        path = keys.key_file(settings.BASE_DIR)
        try:
            if add:
                keys.add_key(path, add, 16 if sm4 else 32)
                self.stdout.write(
                    f"Key {add} is in {path}. Restart every process, then: rotate_keys --use {add}"
                )
            elif use:
                keys.use_key(path, use)
                self.stdout.write(f"Key {use} is current. Restart every process, then: rotate_keys")
            elif drop:
                self._refuse_if_used(drop)
                keys.drop_key(path, drop)
                self.stdout.write(
                    f"Key {drop} is gone. Backups taken before still need it: keep it with them."
                )
            else:
                self._rotate(batch)
        except ValueError as error:
            raise CommandError(str(error)) from None

    def _rotate(self, batch: int) -> None:
        started, total = time.monotonic(), 0
        for store in rotation.stores():
            moved = 0
            for rows in rotation.rotate(store, batch):
                moved += rows
                self.stdout.write(f"{store}: {moved:,} moved")
            total += moved
        left = {store: counts for store in rotation.stores() if (counts := rotation.left_behind(store))}
        if left:
            # Somebody wrote with the old key meanwhile: a process that was not restarted.
            raise CommandError(f"still under an old key: {left}. Restart every process and run it again.")
        audit.record(None, "privacy.keys_rotated", payload={"rows": total, "key": crypto.current_prefix()})
        took = time.monotonic() - started
        self.stdout.write(f"{total:,} values in {took:.1f} s; everything is under {crypto.current_prefix()}")

    def _refuse_if_used(self, kid: str) -> None:
        for store in rotation.stores():
            used = {
                prefix: n for prefix, n in rotation.left_behind(store).items() if prefix.split(".")[1] == kid
            }
            if used:
                raise CommandError(
                    f"{store} still has {sum(used.values()):,} values under {kid}: rotate_keys first."
                )
