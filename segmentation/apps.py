from django.apps import AppConfig


class SegmentationConfig(AppConfig):
    """The night: day-averages, contribution, tiers, summaries, and how they are explained."""

    name = "segmentation"

    def ready(self) -> None:
        from crm.core.templatetags import display
        from segmentation import (
            overrides,  # noqa: F401  registers what carries a decided tier out
            parameter_words,
            tasks,  # noqa: F401  registers the handler of the night
        )

        display.figures_are_in(_base_currency)
        parameter_words.say()


def _base_currency() -> str | None:
    """The currency the newest published night computed in; None before the first."""
    from segmentation.models import PublishedNight

    nights = PublishedNight.objects.order_by("-business_date")
    return nights.values_list("base_currency", flat=True).first()
