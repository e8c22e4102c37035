"""Resolve the dependencies anew: ``python -m crm.local.lock``.

requirements*.in → requirements*.txt (every platform, with hashes); package.json → package-lock.json without
download addresses, so that a bank's own mirror serves both.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from crm.local.assets import npm
from crm.local.folder import REPOSITORY


def main() -> int:
    with tempfile.TemporaryDirectory() as workshop:
        lock_python(Path(workshop))
        lock_front_end(Path(workshop))
    return 0


def lock_python(workshop: Path) -> None:
    """uv is no dependency of the product; it lives for this run."""
    venv.create(workshop / "venv", with_pip=True)
    run([str(workshop / "venv" / "bin" / "pip"), "install", "--quiet", "uv"], REPOSITORY)
    uv = [str(workshop / "venv" / "bin" / "uv"), "pip", "compile", "--quiet"]
    for name in ("requirements", "requirements-dev"):
        options = ("--universal", "--generate-hashes", "--python-version", "3.11", "--upgrade")
        run([*uv, *options, f"{name}.in", "-o", f"{name}.txt"], REPOSITORY)


def lock_front_end(workshop: Path) -> None:
    (workshop / "package.json").write_text((REPOSITORY / "package.json").read_text())
    run([*npm(), "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"], workshop)
    lock = json.loads((workshop / "package-lock.json").read_text())
    for package in lock["packages"].values():
        package.pop("resolved", None)
        package.pop("funding", None)
    (REPOSITORY / "package-lock.json").write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n")


def run(command: list[str], folder: Path) -> None:
    print("$", " ".join(command), flush=True)
    subprocess.run(command, cwd=folder, check=True)


if __name__ == "__main__":
    sys.exit(main())
