from django.apps import AppConfig


class CrmConfig(AppConfig):
    """The entry: settings, urls, home and commands. It has no tables."""

    name = "crm"
    label = "crm"
