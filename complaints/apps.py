from django.apps import AppConfig


class ComplaintsConfig(AppConfig):
    """Complaints by the law's clock, surveys and improvement. Nothing stands here yet."""

    name = "complaints"
