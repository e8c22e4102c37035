"""What `make install` makes: keys nobody else can read, everything from locks, nothing twice."""

import json
import os
import re
import stat
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from crm.keys import draw_keys, load_keys
from crm.local import environment, install
from crm.local.folder import REPOSITORY
from crm.local.skipped import skipped_browser_tests


def test_the_key_file_is_drawn_once_and_for_its_owner_alone(tmp_path, monkeypatch):
    file = tmp_path / "keys.json"
    assert draw_keys(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert not draw_keys(file)
    assert file.read_bytes() == before
    monkeypatch.setenv("CRM_KEY_FILE", str(file))
    assert len(load_keys(tmp_path).index) == 32


def test_two_installations_have_different_keys(tmp_path):
    draw_keys(tmp_path / "a.json")
    draw_keys(tmp_path / "b.json")
    first, second = (json.loads((tmp_path / f"{name}.json").read_text()) for name in "ab")
    assert not {str(value) for key, value in first.items() if key != "current"} & {
        str(value) for key, value in second.items() if key != "current"
    }


def test_nothing_starts_without_keys_or_with_keys_others_can_read(tmp_path):
    for prepare, message in ((lambda file: None, "No key file"), (_readable, "readable by others")):
        file = tmp_path / f"{message}.json"
        prepare(file)
        done = subprocess.run(
            [sys.executable, "manage.py", "check"],
            cwd=REPOSITORY,
            env={**os.environ, "CRM_KEY_FILE": str(file)},
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0
        assert message in done.stderr


def _readable(file) -> None:
    draw_keys(file)
    file.chmod(0o644)


def test_half_a_key_file_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "keys.json"
    file.touch(mode=0o600)
    file.write_text('{"django_secret": "x"}')
    monkeypatch.setenv("CRM_KEY_FILE", str(file))
    with pytest.raises(ImproperlyConfigured, match="not a complete key file"):
        load_keys(tmp_path)


def test_keys_and_data_never_reach_the_repository():
    ignored = (REPOSITORY / ".gitignore").read_text().split()
    assert {".local/", ".venv/", "staticfiles/", "node_modules/"} <= set(ignored)


def test_the_targets_people_are_told_about_exist():
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    assert {"install", "demo", "test", "lint", "lock", "help"} <= targets
    for told in re.findall(r"^#   make (\w+)", makefile, re.M):
        assert told in targets
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)


def test_every_requirement_is_locked_with_hashes():
    for name in ("requirements.txt", "requirements-dev.txt"):
        blocks = re.split(r"\n(?=[a-z0-9])", (REPOSITORY / name).read_text())
        packages = [block for block in blocks if re.match(r"[a-z0-9].*==", block)]
        assert len(packages) > 20
        assert not [block.split()[0] for block in packages if "--hash=sha256:" not in block]


def test_the_front_end_lock_names_hashes_and_no_addresses():
    text = (REPOSITORY / "package-lock.json").read_text()
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "http" not in text
    wanted = json.loads((REPOSITORY / "package.json").read_text())
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_a_step_is_done_again_only_when_its_sources_changed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(install, "REPOSITORY", tmp_path)
    monkeypatch.setattr(install, "MEMORY", tmp_path / "install.json")
    source, made, done = tmp_path / "source", tmp_path / "made", []
    source.write_text("1")

    def work():
        made.touch()
        done.append(source.read_text())

    for _ in range(2):
        install.step("Making", [source], work, made)
    source.write_text("2")
    install.step("Making", [source], work, made)
    made.unlink()
    install.step("Making", [source], work, made)
    assert done == ["1", "2", "2"]
    assert capsys.readouterr().out.count("Making") == 3


def test_a_skipped_browser_test_is_reported(tmp_path):
    report = tmp_path / "suite.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="tests.ui.test_browser" name="test_page">'
        '<skipped message="needs chromium: apt-get install chromium"/></testcase>'
        '<testcase classname="tests.core" name="test_other"><skipped message="needs root"/></testcase>'
        '<testcase classname="tests.ui" name="test_browser_ran"/></testsuite></testsuites>'
    )
    found = skipped_browser_tests(report)
    assert len(found) == 1
    assert "test_page" in found[0]


def test_a_python_without_pip_is_told_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    assert "apt-get install python3-venv" in environment.create()
    assert not (tmp_path / ".venv").exists()


def test_an_old_python_is_refused_before_anything_is_made(monkeypatch, capsys):
    monkeypatch.setattr(environment.sys, "version_info", (3, 10, 9))
    assert environment.main("requirements.txt") == 1
    assert "3.11 or newer" in capsys.readouterr().err


def test_the_environment_is_made_with_nothing_but_the_standard_library():
    source = (REPOSITORY / "crm" / "local" / "environment.py").read_text()
    imported = set(re.findall(r"^(?:import|from) (\w+)", source, re.M))
    assert imported <= sys.stdlib_module_names


def test_every_variable_the_product_reads_is_told_in_the_handbook():
    told = (REPOSITORY / "docs" / "operations.md").read_text()
    read = set()
    for path in (REPOSITORY / "crm").rglob("*.py"):
        read |= set(
            re.findall(r"environ(?:\.get\(|\[)\s*[\"']((?:CRM|DATABASE|REDIS)_\w+)", path.read_text())
        )
    assert len(read) > 20
    assert not {name for name in read if f"`{name}`" not in told}
    told_names = set(re.findall(r"`((?:CRM|DATABASE|REDIS)_\w+)`", told))
    assert not told_names - read - {"CRM_DEMO"}, "the handbook tells of variables nobody reads"
