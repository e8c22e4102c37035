"""``make demo``: the whole product in one terminal, with a bank that nobody banks with."""

import contextlib
import fcntl
import json
import logging
import os
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, connections

from crm.demo.accounts import FILE
from crm.local import postgres, valkey
from crm.local.folder import REPOSITORY, data_folder
from crm.local.processes import free_port
from crm.local.supervisor import Child, Supervisor, end_recorded
from crm.management.commands.demo_bank import ORDER

MANY = 10_000
CUSTOMERS = 3000
MONTHS = 13
SEED = 1


class Command(BaseCommand):
    help = "Run the demo: services, migrations, a demo bank, then web, worker and beat until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--customers", type=int, help=f"how many a new bank gets ({CUSTOMERS} unless told)"
        )
        parser.add_argument("--port", type=int, default=8000, help="0 takes any free port")
        parser.add_argument("--months", type=int, default=MONTHS, help="months of history of a new bank")
        parser.add_argument("--seed", type=int, default=SEED)

    def handle(self, *args, **options) -> None:
        try:
            self.run(options["customers"], options["port"], options["months"], options["seed"])
        except KeyboardInterrupt:  # before the supervisor took over: nothing to end but the services, at exit
            raise CommandError(
                "Stopped. The next start goes on where this one was.", returncode=130
            ) from None

    def run(self, customers: int | None, port: int, months: int, seed: int) -> None:
        folder = data_folder(settings.PROFILE)
        with only_one(folder / "demo.lock"):
            # Held before its old users are ended: the last of them would stop it.
            with self.progress("Starting PostgreSQL and Valkey"):
                environment = self.start_services()
            if left := end_recorded(folder / "demo.json"):
                self.stdout.write(f"Ended what a killed start left behind: {', '.join(left)}")
            port = port or free_port()
            check_port(port)
            self.migrate()
            self.fill(customers, months, seed)
            accounts = read_accounts()
            connections.close_all()  # the supervisor waits for hours; it needs no session of the database
            supervisor = Supervisor(children(port, folder, environment), folder / "demo.json", REPOSITORY)
            address = f"http://127.0.0.1:{port}/"
            code = supervisor.run(
                ready=lambda: answers(f"{address}health/"),
                on_ready=lambda: print(welcome(address, accounts), flush=True),
            )
            self.stdout.write("Everything is stopped; the bank is kept for the next start.")
        if code:
            raise CommandError("The demo stopped by itself; see the lines above.")

    @contextlib.contextmanager
    def progress(self, title: str) -> Iterator[None]:
        """Print the title, a dot a second while it lasts, and how long it took."""
        self.stdout.write(f"{title} ", ending="")
        self.stdout.flush()
        begun, over = time.monotonic(), threading.Event()

        def dots() -> None:
            while not over.wait(1):
                self.stdout.write(".", ending="")
                self.stdout.flush()

        ticker = threading.Thread(target=dots, daemon=True)
        ticker.start()
        try:
            yield
        finally:
            over.set()
            ticker.join()
        self.stdout.write(f" {time.monotonic() - begun:.1f} s")

    def start_services(self) -> dict[str, str]:
        """Hold what the environment does not name; return the environment of the children."""
        environment = {
            **os.environ,
            "CRM_DEMO": "1",  # plain http on loopback: the only place where cookies do without Secure
            "CRM_ALLOWED_HOSTS": "127.0.0.1,localhost",
            "CRM_LOG_LEVEL": os.environ.get("CRM_LOG_LEVEL", "WARNING"),
            "PYTHONUNBUFFERED": "1",
        }
        environment.pop("CRM_WORKLOAD", None)
        if not os.environ.get("DATABASE_URL"):
            postgres(settings.PROFILE).hold()
        if not os.environ.get("REDIS_URL"):
            environment["REDIS_URL"] = valkey(settings.PROFILE).hold().url()
        return environment

    def migrate(self) -> None:
        from django.db.migrations.executor import MigrationExecutor

        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            with self.progress("Making the tables"):
                call_command("migrate", interactive=False, verbosity=0)

    def fill(self, customers: int | None, months: int, seed: int) -> None:
        """Build the demo bank unless the night of its last day is published already."""
        from crm.core.models import Run
        from customers.models import FeedBatch

        order = settings.DATA_DIR / ORDER
        begun = json.loads(order.read_text()) if order.exists() and FeedBatch.objects.exists() else None
        if begun and customers not in (None, begun["customers"]):
            self.stdout.write(
                f"The bank that stands has {begun['customers']} customers; SIZE counts for a new one. "
                f"For a new one stop the demo and remove {data_folder(settings.PROFILE)}."
            )
        nights = Run.objects.filter(kind="night", state="done")
        if begun:
            nights = nights.filter(business_date__gte=begun["as_of"])
        if nights.exists():
            return
        wanted = {"customers": customers or CUSTOMERS, "months": months, "seed": seed}
        if begun:  # a build that was stopped half way goes on with the same bank
            wanted = {name: begun[name] for name in wanted}
        logging.getLogger().setLevel(logging.WARNING)  # demo_bank tells its progress itself
        # A past night takes longer than tonight's: nobody wants to wait for thirteen of a large bank's.
        call_command("demo_bank", **wanted, month_ends=13 if wanted["customers"] <= MANY else 3)


def welcome(address: str, accounts: list[dict]) -> str:
    """Return what the terminal says once the web serves: the address and who can sign in as what."""
    lines = ["", f"The bank is open: {address}", ""]
    for account in accounts:
        lines.append("  {username:<14} {password:<22} {what}".format(**account))
    if accounts:
        lines.append("")
    return "\n".join([*lines, "Ctrl-C stops everything and loses nothing.", ""])


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Refuse a second demo on the same data."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise CommandError("A demo of this folder is running already, in another terminal.") from None
    finally:
        os.close(descriptor)


def check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). Try another: make demo PORT={port + 1}"
            ) from None


def children(port: int, folder: Path, environment: dict[str, str]) -> list[Child]:
    python = [sys.executable, "-m"]
    web = [
        *("gunicorn", "crm.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"),
        # Its control socket would lie below HOME, which two installations share.
        *("--no-control-socket", "--graceful-timeout", "8", "--log-level", "warning"),
    ]
    worker = ["celery", "-q", "-A", "crm", "worker", "-c", "3", "--loglevel", "WARNING", "--without-mingle"]
    schedule = str(folder / "beat-schedule")
    beat = [
        "celery",
        "-q",
        "-A",
        "crm",
        "beat",
        "--loglevel",
        "WARNING",
        "--schedule",
        schedule,
        "--pidfile=",
    ]
    batch = {**environment, "CRM_WORKLOAD": "batch"}
    if os.geteuid() == 0:  # celery warns of a root whom nobody but the demo lets run it
        batch["PYTHONWARNINGS"] = "ignore:You're running the worker"
    return [
        Child("web", [*python, *web], {**environment, "CRM_WORKLOAD": "web"}, end_order=1),
        Child("worker", [*python, *worker], batch, end_order=2),
        Child("beat", [*python, *beat], batch, end_order=0),
    ]


def answers(address: str) -> bool:
    """Say whether the web serves and has its database."""
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310  (our own loopback address)
            return True
    except OSError:
        return False


def read_accounts() -> list[dict]:
    """Return who can sign in, as ``demo_bank`` wrote it: [{username, password, what}]."""
    file = settings.DATA_DIR / FILE
    return json.loads(file.read_text()) if file.exists() else []
