"""docker-compose.yml held against the settings: what it names exists, waits for health, carries no secret."""

import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml
from django.urls import resolve

from crm.local.folder import REPOSITORY
from crm.local.healthy import is_healthy

TEXT = (REPOSITORY / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
OURS = {
    name: service for name, service in SERVICES.items() if service.get("image", "").startswith("bank-crm")
}


def sources() -> str:
    return "\n".join(path.read_text() for path in (REPOSITORY / "crm").rglob("*.py"))


def test_the_five_services_and_the_migration_are_there():
    assert set(SERVICES) == {"db", "redis", "migrate", "web", "worker", "beat"}
    assert set(OURS) == {"migrate", "web", "worker", "beat"}


def test_every_variable_it_sets_is_read_by_the_product():
    text = sources()
    for name, service in OURS.items():
        for variable in service["environment"]:
            pattern = rf"""environ(\.get\(|\[)\s*["']{variable}["']"""
            assert re.search(pattern, text), f"{name} sets {variable}, which nobody reads"


def test_every_secret_comes_from_the_environment_and_has_no_default():
    for asked in re.findall(r"(?<!\$)\$\{([^}]*)\}", TEXT):
        assert ":?" in asked, f"${{{asked}}} would start without being set"
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|AUTH|URL", variable):
                assert "${" in value, variable


def test_the_owner_of_the_tables_is_known_to_the_migration_alone():
    assert [name for name, service in OURS.items() if "DATABASE_OWNER_URL" in service["environment"]] == [
        "migrate"
    ]
    for name in ("web", "worker", "beat"):
        assert "OWNER" not in str(SERVICES[name])


def test_nobody_sleeps_and_everybody_waits_for_health():
    assert not re.search(r"\bsleep\b|wait-for", TEXT)
    for name, service in SERVICES.items():
        if name != "migrate":
            assert service["healthcheck"]["test"], name
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed]
            else:
                assert how["condition"] == "service_completed_successfully"
                assert needed == "migrate"
    for name in ("web", "worker", "beat"):
        assert set(SERVICES[name]["depends_on"]) == {"migrate", "redis"}
    assert set(SERVICES["migrate"]["depends_on"]) == {"db"}


def test_every_command_exists():
    locked = (REPOSITORY / "requirements.txt").read_text()
    for service in OURS.values():
        program, *arguments = service["command"]
        if program == "python":
            assert (REPOSITORY / arguments[0]).exists()
        else:
            assert re.search(rf"^{program}==", locked, re.M)
    assert "crm.wsgi" in SERVICES["web"]["command"]
    assert (REPOSITORY / "crm" / "wsgi.py").exists()
    for name in ("worker", "beat"):
        assert SERVICES[name]["command"][:4] == ["celery", "-A", "crm", name]


def test_the_health_check_of_web_asks_a_page_that_exists():
    address = SERVICES["web"]["healthcheck"]["test"][-1]
    assert resolve(address.split(":8000")[1]).url_name == "health"


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_asks_as_the_proxy_would(monkeypatch, status, healthy):
    monkeypatch.setenv("CRM_ALLOWED_HOSTS", "crm.bank.cn,other")
    seen = {}

    class Web(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.update(self.headers)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.handle_request, daemon=True).start()
    assert is_healthy(f"http://127.0.0.1:{server.server_port}/health/") is healthy
    server.server_close()
    assert seen["Host"] == "crm.bank.cn"
    assert seen["X-Forwarded-Proto"] == "https"


def test_only_loopback_is_published_and_only_by_web():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


def test_the_image_runs_as_a_user_without_rights_and_holds_no_keys():
    recipe = (REPOSITORY / "Dockerfile").read_text()
    assert re.search(r"^USER \d+$", recipe, re.M)
    assert 'rm -rf "$CRM_KEY_FILE"' in recipe
    ignored = (REPOSITORY / ".dockerignore").read_text().split()
    assert {".local", ".git", ".venv"} <= set(ignored)
    assert not (REPOSITORY / ".env").exists(), "secrets belong into the environment, not into the repository"
