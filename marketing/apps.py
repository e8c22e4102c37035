from django.apps import AppConfig


class MarketingConfig(AppConfig):
    """What is sold: pipeline, deals, campaigns, care, points. Nothing stands here yet."""

    name = "marketing"
