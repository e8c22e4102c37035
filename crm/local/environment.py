"""Make the virtual environment: ``python3 crm/local/environment.py requirements.txt``, a locked file.

Runs on the machine's own Python with nothing installed, so it imports the standard library alone.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)


def main(requirements: str) -> int:
    """Bring ``.venv`` to what the file locks; does nothing when it is there already."""
    if sys.version_info < OLDEST:
        return complain(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}."
        )
    locked = REPOSITORY / requirements
    stamp = VENV / f".{locked.stem}.installed"
    if stamp.exists() and stamp.read_text() == fingerprint(locked):
        return 0
    if not version() and (fault := create()):
        return complain(fault)
    stamp.unlink(missing_ok=True)
    print(f"Installing {requirements} into .venv …", flush=True)
    command = [*pip(), "install", "--require-hashes", "--only-binary", ":all:", "-r", str(locked)]
    done = subprocess.run(command, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}, check=False)
    if done.returncode:
        return complain("pip could not install the locked requirements; its own words are above.")
    stamp.write_text(fingerprint(locked))
    return 0


def fingerprint(locked: Path) -> str:
    """Return a digest of the locked file and of the Python of the environment."""
    return hashlib.sha256(locked.read_bytes() + version().encode()).hexdigest()


def version() -> str:
    """Return which Python the environment has; empty where none starts (a moved folder, an upgrade)."""
    ask = [PYTHON, "-c", "import sys; print(sys.version, sys.prefix)"]
    try:
        return subprocess.run(ask, check=False, capture_output=True, text=True).stdout
    except OSError:
        return ""


def create() -> str:
    """Create the environment; return what is missing, or an empty string."""
    has_ensurepip = importlib.util.find_spec("ensurepip") is not None
    has_pip = importlib.util.find_spec("pip") is not None
    if not has_ensurepip and not has_pip:
        return (
            "This Python can neither make a virtual environment with pip (no ensurepip) nor lend its pip.\n"
            f"On Debian and Ubuntu: apt-get install python3-venv   (for {sysconfig.get_python_version()}; "
            "elsewhere the package is called python3-pip or comes with Python)."
        )
    print("Making .venv …", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    options = [] if has_ensurepip else ["--without-pip"]
    done = subprocess.run([sys.executable, "-m", "venv", *options, str(VENV)], check=False)
    return "python3 -m venv failed; its own words are above." if done.returncode else ""


def pip() -> list[str]:
    """Return the pip that serves the environment: its own, else the machine's."""
    own = subprocess.run([PYTHON, "-m", "pip", "--version"], check=False, capture_output=True).returncode == 0
    return [str(PYTHON), "-m", "pip"] if own else [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def complain(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
