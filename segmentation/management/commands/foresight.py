"""``manage.py foresight --as-of D1 --until D2 [--json]``: how well the scores of one night foresaw another."""

import datetime
import json
from decimal import Decimal, InvalidOperation

from django.core.management.base import BaseCommand, CommandError

from segmentation import foresight
from segmentation.models import PublishedNight

QUESTIONS = {
    "loss": "Lost assets: less than half of the three months before, or closed",
    "overdue": "Became overdue or fell a class: borrowers who were not overdue",
    "overdue_of_all": "Overdue or fell a class: all borrowers",
}
WHOLE = ("loyalty", "naive", "risk")  # the others are components


class Command(BaseCommand):
    help = "Say how well loyalty and risk of one month end foresaw what another one found: AUC, and rates by tenths."

    def add_arguments(self, parser):
        parser.add_argument("--as-of", required=True, help="the night that judged, YYYY-MM-DD, a month end")
        parser.add_argument("--until", required=True, help="the night that knows, a later month end")
        parser.add_argument("--least", default="0", help="assets below say nothing (base currency)")
        parser.add_argument("--json", action="store_true", help="print JSON alone on standard output")

    def handle(self, *args, **options):
        first, second = self.night(options["as_of"]), self.night(options["until"])
        if first.business_date >= second.business_date:
            raise CommandError("--until must be later than --as-of")
        try:
            least = Decimal(options["least"])
        except InvalidOperation as error:
            raise CommandError(f"{options['least']} is not an amount") from error
        told = foresight.report(first, second, least=least)
        if options["json"]:
            self.stdout.write(json.dumps(told))
        else:
            self.tell(told)

    def night(self, text: str) -> PublishedNight:
        try:
            day = datetime.date.fromisoformat(text)
        except ValueError as error:
            raise CommandError(f"{text} is not a date: write YYYY-MM-DD") from error
        if (day + datetime.timedelta(days=1)).day != 1:
            raise CommandError(
                f"{day} is no month end: the average of a part of a month compares with nothing"
            )
        night = PublishedNight.objects.filter(business_date=day, kept=True).first()
        if night is None:
            raise CommandError(f"No rows of the night of {day}: run manage.py nightly --as-of {day} first.")
        return night

    def tell(self, told: dict) -> None:
        self.stdout.write(f"What the night of {told['as_of']} foresaw of {told['until']}")
        for question, groups in told["questions"].items():
            self.stdout.write(f"\n{QUESTIONS[question]}")
            for group, scores in groups.items():
                whole = [name for name in WHOLE if name in scores]
                for name in whole:
                    counts = f"{scores[name]['positives']:,} of {scores[name]['n']:,}"
                    self.stdout.write(f"  {group:<11} {name:<8} {area(scores[name]):<26} {counts}")
                parts = [f"{name} {area(figures)}" for name, figures in scores.items() if name not in WHOLE]
                self.stdout.write(f"  {'':<11} alone: {', '.join(parts)}")
            for name in (name for name in WHOLE if name in groups[foresight.EVERYBODY]):
                self.stdout.write(
                    f"  rate by tenths of {name}, lowest first: {rates(groups[foresight.EVERYBODY][name])}"
                )


def area(figures: dict) -> str:
    """Return the AUC with its standard error; – where it happened to nobody or to everybody."""
    return "–" if figures["auc"] is None else f"{figures['auc']} ± {figures['standard_error']}"


def rates(figures: dict) -> str:
    """Return the rates of the tenths in percent; – where a tenth is empty."""
    return " ".join(
        "–" if tenth["rate"] is None else f"{Decimal(tenth['rate']) * 100:.1f}%"
        for tenth in figures["deciles"]
    )
