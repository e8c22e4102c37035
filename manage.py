#!/usr/bin/env python3
"""Run an administrative command of the bank CRM."""

import os
import sys
from pathlib import Path

ENVIRONMENT = Path(__file__).resolve().parent / ".venv"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        # Called with the machine's Python: go on with the one `make install` has made.
        python = ENVIRONMENT / "bin" / "python"
        if not python.exists() or Path(sys.prefix) == ENVIRONMENT:
            sys.exit("Nothing is installed yet. Run `make install` first.")
        os.execv(python, [str(python), *sys.argv])
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
