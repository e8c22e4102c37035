"""``manage.py messages``: bring the translations up to the code and compile them; ``--check`` only looks."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm import catalogue
from crm.local.languages import compile_all


class Command(BaseCommand):
    help = "Find every message in the code, bring each language's file up to it and compile it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 on any fault")
        parser.add_argument(
            "--pairs", nargs="*", type=Path, default=[], help="files of `English ||| translation` lines"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        code = catalogue.found_in_code()
        more: dict[str, str] = {}
        for path in options["pairs"]:
            more.update(catalogue.pairs(path))
        found: list[str] = []
        for language, path in catalogue.language_files().items():
            known = catalogue.read(path)
            if not options["check"]:
                known = catalogue.merged(known, code, more)
                catalogue.write(path, known)
            found += catalogue.faults(language, known, code)
        for fault in found:
            self.stderr.write(fault)
        if found:
            raise CommandError(f"{len(found)} faults in the translations.")
        if not options["check"]:
            compile_all()
        self.stdout.write(f"{len(code)} messages, every language complete.")
