"""What people call the keys and words inside the values of parameters: families, tiers, components, industries."""

from django.utils.translation import gettext_lazy as _

from customers.models.accounts import Family, FiveClass
from customers.models.parties import Grade, PartyKind, RelationKind
from segmentation.models import AlertKind, Tier
from segmentation.models.signals import Level

_CHOICES = (Level, Grade, FiveClass, RelationKind, AlertKind, Tier, PartyKind, Family)
_OURS = {
    # contribution
    "unsecured": _("without collateral"),
    "secured": _("with collateral"),
    "company": _("company"),
    "sme": _("small firm"),
    "retail": _("retail"),
    "mortgage_high": _("mortgage above the last band"),
    # classes of products, deposit points
    "demand": _("demand"),
    "time": _("time"),
    "loan": _("loan"),
    "card": _("card"),
    "e_channel": _("e-channel"),
    "notice": _("notice"),
    "six_months": _("six months"),
    "one_year": _("one year"),
    "two_years": _("two years"),
    "three_years": _("three years"),
    "five_years": _("five years"),
    "margin": _("margin"),
    "structured": _("structured"),
    # relations, alerts
    "group": _("same group"),
    "share": _("by share held"),
    "below": _("below the line already"),
    # loyalty
    "tenure": _("tenure"),
    "holdings": _("holdings"),
    "wallet": _("share of wallet"),
    "activity": _("activity"),
    "stability": _("stability"),
    "advocacy": _("advocacy"),
    "complaint": _("open complaint"),
    "dissatisfied": _("closed dissatisfied"),
    "outflow": _("regular outflow"),
    "bookings": _("own bookings"),
    "bookings_full": _("own bookings: full at"),
    "recency": _("last booking"),
    "recency_days": _("last booking: days"),
    "logins": _("logins"),
    "logins_full": _("logins: full at"),
    "referrals": _("referrals"),
    "referrals_full": _("referrals: full at"),
    "answer": _("latest answer"),
    "promoter": _("promoter"),
    "passive": _("passive"),
    "detractor": _("detractor"),
    # risk
    "overdue": _("days past due"),
    "probability": _("probability of default"),
    "leverage": _("leverage"),
    "concentration": _("concentration"),
    "guarantee": _("guarantees"),
    "warning": _("warnings"),
    "kyc": _("due diligence"),
    "debt_ratio": _("repayment of income"),
    "capital_share": _("share of net capital"),
    "counterparties": _("payers"),
    "points": _("points"),
    "length": _("steps of the ring"),
    "expired": _("document run out"),
    # enterprise size
    "revenue": _("revenue"),
    "staff": _("staff"),
    "assets": _("total assets"),
    "agriculture": _("agriculture"),
    "industry": _("industry"),
    "construction": _("construction"),
    "wholesale": _("wholesale"),
    "transport": _("transport"),
    "storage": _("storage"),
    "post": _("post"),
    "accommodation": _("accommodation"),
    "catering": _("catering"),
    "telecommunication": _("telecommunication"),
    "software": _("software"),
    "real_estate": _("real estate"),
    "property": _("property management"),
    "business_services": _("business services"),
    "other": _("other"),
}
WORDS = {value: label for choices in _CHOICES for value, label in choices.choices} | _OURS
