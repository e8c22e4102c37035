from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The ground floor: people and places, scope, access, audit, jobs, approvals, privacy, outbox."""

    name = "crm.core"
    label = "core"

    def ready(self) -> None:
        from crm.core import checks, sessions  # noqa: F401  (register the system checks and the session limits)
        from crm.core.privacy import classes, invariants  # noqa: F401  (register a check and what must hold)
