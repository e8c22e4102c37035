"""Where the embedded services keep their data and their programs, and who they run as.

An ordinary user keeps everything in ``<repo>/.local/<profile>/`` and runs the programs where pip put them.
PostgreSQL refuses to run as root, and ``nobody`` cannot read a virtual environment below a home of mode 0700.
Root keeps data and copies of the programs below ``/var/lib/bank-crm`` and the services run as ``nobody``.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SYSTEM_ROOT = Path("/var/lib/bank-crm")
SERVICE_USER = "nobody"


class ServiceMissing(RuntimeError):
    """A service is needed, none was named in the environment, and the embedded one is not installed."""


def as_root() -> bool:
    return os.geteuid() == 0


def data_folder(profile: str) -> Path:
    """Return the folder of one profile, made where it is missing. ``run`` and ``test`` never share one."""
    if not as_root():
        folder = REPOSITORY / ".local" / profile
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder
    mark = hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:12]
    folder = SYSTEM_ROOT / mark / profile
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    return folder


def is_for_tests(profile: str) -> bool:
    """Say whether a power cut may cost the data of a profile: ``test``, and ``test-…`` of single tests."""
    return profile.split("-")[0] == "test"


def service_folder(profile: str, name: str) -> Path:
    """Return the folder one service writes to, readable by that service alone."""
    folder = data_folder(profile) / name
    folder.mkdir(mode=0o700, exist_ok=True)
    give_to_service(folder)
    return folder


def give_to_service(path: Path) -> None:
    """Hand a file or folder to the user the services run as."""
    if as_root():
        user = pwd.getpwnam(SERVICE_USER)
        os.chown(path, user.pw_uid, user.pw_gid)


def service_user() -> dict:
    """Return what ``subprocess`` needs to leave root's rights behind; nothing for an ordinary user."""
    if not as_root():
        return {}
    user = pwd.getpwnam(SERVICE_USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def service_environment() -> dict[str, str]:
    """The services see no variable of ours: neither DATABASE_URL nor PG* may change what they do."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}


def programs(distribution: str, package: str, also: tuple[str, ...] = ()) -> Path:
    """Return a folder with ``package`` that the service's user can read.

    ``also`` names folders beside the package that its programs load libraries from. Raises ServiceMissing.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServiceMissing(
            f"{distribution} is not installed. Run `make install`, or name a server in the environment "
            "(DATABASE_URL, REDIS_URL)."
        )
    installed = Path(next(iter(spec.submodule_search_locations)))
    if not as_root():
        return installed
    version = importlib.metadata.version(distribution)
    place = SYSTEM_ROOT / "programs" / f"{distribution}-{version}"
    if not place.exists():
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        # Copied aside and renamed: two first starts at once must never see half a copy.
        draft = Path(tempfile.mkdtemp(prefix=".copy-", dir=place.parent))
        for name in (package, *also):
            shutil.copytree(installed.parent / name, draft / name)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o111 else 0o644)
        try:
            draft.rename(place)
        except OSError:  # another start was faster
            shutil.rmtree(draft)
    return place / package
