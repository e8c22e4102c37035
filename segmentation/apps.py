from django.apps import AppConfig


class SegmentationConfig(AppConfig):
    """The night: day-averages, contribution, tiers, summaries, and how they are explained."""

    name = "segmentation"
