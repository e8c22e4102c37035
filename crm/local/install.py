"""What `make install` does after the virtual environment: ``python -m crm.local.install``.

Keys, front-end files, translations, collected static files. Each step remembers what it was made from and is
skipped while that is unchanged.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from crm.keys import draw_keys, key_file
from crm.local import assets, languages
from crm.local.folder import REPOSITORY
from crm.local.holding import locked

LOCAL = REPOSITORY / ".local"
MEMORY = LOCAL / "install.json"


def main() -> int:
    LOCAL.mkdir(exist_ok=True)
    with locked(LOCAL / "install.lock"):  # `make demo` and `make test` may be started together
        if "CRM_KEY_FILE" not in os.environ and draw_keys(key_file(REPOSITORY)):
            print(f"Drew the keys of this installation: {key_file(REPOSITORY)} (not part of backups)")
        try:
            front_end = step("Fetching the front-end files", asset_files(), fetch_assets, assets.VENDOR)
            step("Compiling the translations", languages.sources(), languages.compile_all, *compiled())
            step(
                "Collecting the static files",
                static_files(),
                collect,
                REPOSITORY / "staticfiles",
                also=front_end,
            )
        except (RuntimeError, ValueError, OSError) as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
    return 0


def step(title: str, files: Iterable[Path], work: Callable[[], None], *made: Path, also: str = "") -> str:
    """Do ``work`` unless ``made`` is there and was made from the same ``files``. Return their digest."""
    digest = hashlib.sha256(also.encode())
    for file in files:
        digest.update(f"{file.relative_to(REPOSITORY)}\n".encode() + file.read_bytes())
    wanted = digest.hexdigest()
    memory = json.loads(MEMORY.read_text()) if MEMORY.exists() else {}
    if memory.get(title) == wanted and all(path.exists() for path in made):
        return wanted
    with_progress(title, work)
    memory[title] = wanted
    draft = MEMORY.with_suffix(".new")
    draft.write_text(json.dumps(memory, indent=1))
    os.replace(draft, MEMORY)
    return wanted


def with_progress(title: str, work: Callable[[], None]) -> None:
    """Print the title, a dot a second while the work lasts, and how long it took."""
    print(f"{title} ", end="", flush=True)
    begun, over = time.monotonic(), threading.Event()

    def dots() -> None:
        while not over.wait(1):
            print(".", end="", flush=True)

    ticker = threading.Thread(target=dots, daemon=True)
    ticker.start()
    try:
        work()
    finally:
        over.set()
        ticker.join()
    print(f" {time.monotonic() - begun:.1f} s", flush=True)


def asset_files() -> list[Path]:
    return [REPOSITORY / "package.json", REPOSITORY / "package-lock.json", Path(assets.__file__).resolve()]


def fetch_assets() -> None:
    assets.fetch()
    assets.arrange()


def compiled() -> list[Path]:
    return [source.with_suffix(".mo") for source in languages.sources()]


def static_files() -> list[Path]:
    ours = (path for path in (REPOSITORY / "static").rglob("*") if path.is_file())
    return [*sorted(ours), REPOSITORY / "requirements.txt"]


def collect() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--clear", "--verbosity=0"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The static files could not be collected:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
