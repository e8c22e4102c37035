"""Products, accounts with their holders, and what the bank knows of holdings elsewhere; rates of the feed."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.core.models.people import Branch
from crm.core.scope import ScopedManager
from customers.models.parties import Customer, FedFact


class Family(models.TextChoices):
    DEMAND_DEPOSIT = "demand_deposit", _("demand deposit")
    TERM_DEPOSIT = "term_deposit", _("term deposit")
    NOTICE_DEPOSIT = "notice_deposit", _("notice deposit")
    MARGIN_DEPOSIT = "margin_deposit", _("margin deposit")
    STRUCTURED_DEPOSIT = "structured_deposit", _("structured deposit")
    MORTGAGE = "mortgage", _("mortgage")
    CONSUMER_LOAN = "consumer_loan", _("consumer loan")
    INSTALMENT_LOAN = "instalment_loan", _("instalment loan")
    BUSINESS_LOAN = "business_loan", _("business loan")
    DISCOUNTED_BILL = "discounted_bill", _("discounted bill")
    CREDIT_CARD = "credit_card", _("credit card")
    WEALTH = "wealth", _("wealth product")
    FUND = "fund", _("fund")
    INSURANCE = "insurance", _("insurance")
    PRECIOUS_METAL = "precious_metal", _("precious metal")
    TREASURY_BOND = "treasury_bond", _("treasury bond")
    TRUST = "trust", _("trust")
    DEBIT_CARD = "debit_card", _("debit card")
    PAYROLL = "payroll", _("payroll service")
    MERCHANT = "merchant", _("merchant acquiring")
    CUSTODY = "custody", _("custody")
    SETTLEMENT = "settlement", _("settlement")
    ONLINE_BANKING = "online_banking", _("online banking")
    MOBILE_BANKING = "mobile_banking", _("mobile banking")


DEPOSITS = ["demand_deposit", "term_deposit", "notice_deposit", "margin_deposit", "structured_deposit"]
DEBTS = ["mortgage", "consumer_loan", "instalment_loan", "business_loan", "discounted_bill", "credit_card"]
INVESTMENTS = ["wealth", "fund", "insurance", "precious_metal", "treasury_bond", "trust"]
SERVICES = ["debit_card", "payroll", "merchant", "custody", "settlement", "online_banking", "mobile_banking"]


class Product(FedFact):
    product_code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    family = models.CharField(max_length=24, choices=Family.choices)
    risk_rating = models.CharField(max_length=2, null=True)
    sales_fee_rate = models.DecimalField(max_digits=12, decimal_places=6, null=True)  # % a year

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(family__in=Family.values), name="product_family_is_known"),
            models.CheckConstraint(
                condition=Q(risk_rating__isnull=True) | Q(risk_rating__in=["R1", "R2", "R3", "R4", "R5"]),
                name="product_risk_rating_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AccountStatus(models.TextChoices):
    OPEN = "open", _("open")
    DORMANT = "dormant", _("dormant")
    FROZEN = "frozen", _("frozen")
    CLOSED = "closed", _("closed")


class FiveClass(models.TextChoices):
    NORMAL = "normal", _("normal")
    SPECIAL_MENTION = "special_mention", _("special mention")
    SUBSTANDARD = "substandard", _("substandard")
    DOUBTFUL = "doubtful", _("doubtful")
    LOSS = "loss", _("loss")


class Account(FedFact):
    """``customer`` is the owner today; former owners stand in the row history. Rates are % a year."""

    account_no = models.CharField(max_length=60, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="accounts")
    product = models.ForeignKey(Product, models.PROTECT, related_name="accounts")
    currency = models.CharField(max_length=3)
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=AccountStatus.choices)
    opened_on = models.DateField()
    closed_on = models.DateField(null=True)
    interest_rate = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    transfer_rate = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    principal = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    credit_limit = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    matures_on = models.DateField(null=True)
    five_class = models.CharField(max_length=16, choices=FiveClass.choices, null=True)
    days_past_due = models.IntegerField(null=True)
    collateral_value = models.DecimalField(max_digits=20, decimal_places=2, null=True)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=AccountStatus.values), name="account_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(five_class__isnull=True) | Q(five_class__in=FiveClass.values),
                name="account_five_class_is_known",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
                name="account_closes_after_opening",
            ),
            models.CheckConstraint(
                condition=Q(days_past_due__isnull=True) | Q(days_past_due__gte=0),
                name="account_days_past_due_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="account_currency_is_a_code"
            ),
        ]

    def __str__(self) -> str:
        return self.account_no[-4:]


class HolderRole(models.TextChoices):
    OWNER = "owner", _("owner")
    JOINT = "joint", _("joint holder")
    AUTHORISED = "authorised", _("authorised")


class AccountHolder(FedFact):
    account = models.ForeignKey(Account, models.CASCADE, related_name="holders")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="holdings")
    role = models.CharField(max_length=10, choices=HolderRole.choices)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "customer"], name="holder_once_per_account"),
            models.CheckConstraint(condition=Q(role__in=HolderRole.values), name="holder_role_is_known"),
        ]


class Rate(FedFact):
    """Middle exchange rates (``fx``: base units for one unit) and transfer prices (% a year) by term in days."""

    kind = models.CharField(max_length=8)
    currency = models.CharField(max_length=3)
    term_days = models.IntegerField()
    valid_from = models.DateField()
    rate = models.DecimalField(max_digits=18, decimal_places=8)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "currency", "term_days", "valid_from"], name="rate_once_per_day"
            ),
            models.CheckConstraint(condition=Q(kind__in=["fx", "transfer"]), name="rate_kind_is_known"),
        ]


class OutsideHolding(FedFact):
    """What the customer holds at another bank, as far as known, and how it is known."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="outside_holdings")
    bank_name = models.CharField(max_length=200)
    family = models.CharField(max_length=24, choices=Family.choices)
    as_of = models.DateField()
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    currency = models.CharField(max_length=3)
    source = models.CharField(max_length=16)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "bank_name", "family", "as_of"], name="outside_holding_once"
            ),
            models.CheckConstraint(
                condition=Q(source__in=["declared", "credit_report", "inferred"]),
                name="outside_holding_source_is_known",
            ),
            models.CheckConstraint(
                condition=Q(family__in=Family.values), name="outside_holding_family_is_known"
            ),
        ]
