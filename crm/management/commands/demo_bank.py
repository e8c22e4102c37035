"""``manage.py demo_bank --customers N --months M --seed S``: a bank that nobody banks with, through the real feed door."""

import contextlib
import datetime
import io
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from crm.core import clock
from crm.demo.build import Built, build
from crm.demo.feed import SOURCE
from crm.demo.horizon import NIGHTS, Horizon

ORDER = "demo-bank.json"


class Command(BaseCommand):
    help = "Build a demo bank as feed batches, load them, run its nights, and open accounts to look at it."
    requires_system_checks = ()

    def add_arguments(self, parser) -> None:
        parser.add_argument("--customers", type=int, default=3000)
        parser.add_argument("--months", type=int, default=13, help="months of history")
        parser.add_argument(
            "--seed", type=int, default=1, help="the same seed gives the same bank, to the byte"
        )
        parser.add_argument(
            "--as-of",
            type=datetime.date.fromisoformat,
            help="last day of the bank; yesterday in Shanghai by default",
        )
        parser.add_argument(
            "--full-on",
            type=datetime.date.fromisoformat,
            help="tell all up to this day in the full batch, and the rest at each month end after it: for manage.py foresight",
        )
        parser.add_argument(
            "--month-ends",
            type=int,
            default=13,
            help="past month ends whose nights are run, too, so that trends and tiers have a history",
        )
        parser.add_argument(
            "--out", type=Path, help="write the batches and the truth about them there, and touch no database"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object, and nothing else, on standard output"
        )

    def handle(self, *args, customers, months, seed, as_of, full_on, out, month_ends, **options) -> None:
        at = clock.now()
        today = clock.business_date(at)
        if as_of is not None and as_of > today:
            raise CommandError(f"{as_of} has not come yet.")
        wanted = {"customers": customers, "months": months, "seed": seed}
        if full_on is not None:
            wanted["full_on"] = full_on.isoformat()
        if out is not None:
            day = as_of or today - datetime.timedelta(days=1)
            built = self.build(out, day, wanted, truth=True)
            self.tell(
                options["json"], {**wanted, "as_of": day.isoformat(), **built.as_dict(), "out": str(out)}
            )
            return
        day = self.settle(wanted, as_of, today - datetime.timedelta(days=1))
        answer = {**wanted, "as_of": day.isoformat()}
        with tempfile.TemporaryDirectory(prefix="demo-bank-") as folder:
            built = self.build(Path(folder) / "feed", day, wanted, truth=False)
            answer |= built.as_dict() | {
                "load": self.load(Path(folder) / "feed", at, monthly=full_on is not None)
            }
        answer["accounts"] = self.open_accounts(at)
        for past in past_nights(day, months, month_ends, nightly=full_on is None):
            self.night(past)
        answer["night"] = self.night(day)
        self.tell(options["json"], answer)

    def settle(self, wanted: dict, as_of: datetime.date | None, yesterday: datetime.date) -> datetime.date:
        """Return the as-of day, and write down which bank this database gets.

        A build that was killed half way goes on with the same bank, on whatever day it is taken up again; another bank
        on top of one that is there would be a feed that contradicts itself.
        """
        from customers.models import FeedBatch

        path = settings.DATA_DIR / ORDER
        begun = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        if FeedBatch.objects.filter(source=SOURCE).exists():
            same = begun is not None and {key: begun[key] for key in begun if key != "as_of"} == wanted
            if not same or (as_of is not None and as_of.isoformat() != begun["as_of"]):
                raise CommandError(
                    "This database holds a bank already. Another one needs another database: "
                    "set CRM_PROFILE or DATABASE_URL."
                )
            return datetime.date.fromisoformat(begun["as_of"])
        day = as_of or yesterday
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(json.dumps({**wanted, "as_of": day.isoformat()}), encoding="utf-8")
        return day

    def build(self, folder: Path, day: datetime.date, wanted: dict, *, truth: bool) -> Built:
        begun = told = time.monotonic()

        def progress(done: int, of: int, bookings: int) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told >= 1 or (done == of and now - begun >= 1):
                told = now
                self.say(f"  {done:,} of {of:,} customers, {bookings:,} bookings, {now - begun:.0f} s")

        self.say(
            f"Making up a bank of {wanted['customers']:,} customers, {wanted['months']} months up to {day}"
        )
        try:
            full_on = (
                {"full_on": datetime.date.fromisoformat(wanted["full_on"])} if "full_on" in wanted else {}
            )
            return build(folder, as_of=day, truth=truth, progress=progress, **wanted | full_on)
        except (ValueError, FileExistsError) as error:
            raise CommandError(str(error)) from error

    def load(self, folder: Path, at: datetime.datetime, *, monthly: bool = False) -> list[dict]:
        from customers.feeds.load import load_paths

        self.say("Loading it through the feed door")
        with self.ticking():
            results = load_paths(
                [folder], at=at, accept_gap=monthly, told=lambda result: self.say(f"  {_line(result)}")
            )
        refused = [result for result in results if result.outcome == "refused"]
        if refused:
            raise CommandError(f"The feed door refused {_line(refused[0])}")
        return [result.as_json() for result in results]

    def open_accounts(self, at: datetime.datetime) -> list[dict]:
        from crm.demo.accounts import FILE, create_demo_accounts

        accounts = create_demo_accounts(at=at)
        self.say(f"Opened {len(accounts)} accounts; their passwords stand in {settings.DATA_DIR / FILE}")
        return [{key: value for key, value in account.items() if key != "password"} for account in accounts]

    def night(self, day: datetime.date) -> dict:
        self.say(f"Running the night of {day}")
        begun, answer = time.monotonic(), io.StringIO()
        with self.ticking():
            call_command("nightly", as_of=day.isoformat(), json=True, stdout=answer, stderr=self.stderr)
        self.say(f"  done in {time.monotonic() - begun:.1f} s")
        return json.loads(answer.getvalue())

    @contextlib.contextmanager
    def ticking(self) -> Iterator[None]:
        """Say every five seconds that the work goes on, and since when."""
        begun, over = time.monotonic(), threading.Event()

        def tick() -> None:
            while not over.wait(5):
                self.say(f"  … {time.monotonic() - begun:.0f} s")

        ticker = threading.Thread(target=tick, daemon=True)
        ticker.start()
        try:
            yield
        finally:
            over.set()
            ticker.join()

    def say(self, line: str) -> None:
        self.stderr.write(line)
        self.stderr.flush()

    def tell(self, as_json: bool, answer: dict) -> None:
        if as_json:
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
            return
        rows = ", ".join(f"{count:,} {name.removesuffix('.csv')}" for name, count in answer["rows"].items())
        self.stdout.write(f"The demo bank stands as of {answer['as_of']}: {rows}.")


def past_nights(
    day: datetime.date, months: int, month_ends: int, *, nightly: bool = True
) -> list[datetime.date]:
    """Return the dates before ``day`` whose nights the bank is shown with, in order: the newest ``month_ends`` month ends
    that have a whole month of history behind them, and the days of daily batches."""
    first = Horizon(day, months).start
    days = {day - datetime.timedelta(days=n) for n in range(1, NIGHTS if nightly else 0)}
    end = day.replace(day=1) - datetime.timedelta(days=1)
    for _ in range(month_ends):
        if end.replace(day=1) < first:
            break
        days.add(end)
        end = end.replace(day=1) - datetime.timedelta(days=1)
    return sorted(days)


def _line(result) -> str:
    """One batch: its day, what became of it, and how much came."""
    line = f"{result.business_date} {result.outcome}"
    if result.outcome == "refused":
        return f"{line}: {result.reason}"
    return f"{line}: {result.rows_read:,} rows, {result.rows_rejected:,} rejected, {result.breaks:,} breaks"
