from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The ground floor: people and places, scope, access, audit, jobs, approvals, privacy, outbox."""

    name = "crm.core"
    label = "core"

    def ready(self) -> None:
        from crm.core import checks  # noqa: F401  (registers the system checks)
