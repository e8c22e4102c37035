from django.apps import AppConfig


class CrmConfig(AppConfig):
    """The entry: settings, urls, home and commands. It has no tables."""

    name = "crm"
    label = "crm"

    def ready(self) -> None:
        from crm import celery  # noqa: F401  (tasks find the application that is current)
