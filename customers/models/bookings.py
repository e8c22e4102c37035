"""Bookings and end-of-day balances: the large tables, partitioned by month, each row with its customer's key.

They are made by SQL in the migrations (Django does not know partitions). No foreign keys: the loader checks every key
set-wise, ``verify_invariants`` looks for orphans, and a constraint trigger a row would make a large day four times slower.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.core.privacy.fields import EncryptedText
from crm.core.scope import ScopedManager
from customers.models.accounts import Account
from customers.models.batches import FeedBatch
from customers.models.parties import Customer


class BookingKind(models.TextChoices):
    CASH_DEPOSIT = "cash_deposit", _("cash deposit")
    CASH_WITHDRAWAL = "cash_withdrawal", _("cash withdrawal")
    TRANSFER_IN = "transfer_in", _("transfer in")
    TRANSFER_OUT = "transfer_out", _("transfer out")
    CARD_PAYMENT = "card_payment", _("card payment")
    CARD_WITHDRAWAL = "card_withdrawal", _("card withdrawal")
    SALARY = "salary", _("salary")
    PENSION = "pension", _("pension")
    INTEREST_CREDIT = "interest_credit", _("interest credited")
    INTEREST_CHARGE = "interest_charge", _("interest charged")
    PENALTY_INTEREST = "penalty_interest", _("penalty interest")
    FEE = "fee", _("fee")
    STANDING_ORDER = "standing_order", _("standing order")
    INSURANCE_PREMIUM = "insurance_premium", _("insurance premium")
    LOAN_DISBURSEMENT = "loan_disbursement", _("loan disbursement")
    LOAN_REPAYMENT = "loan_repayment", _("loan repayment")
    PURCHASE = "purchase", _("purchase")
    REDEMPTION = "redemption", _("redemption")
    FX = "fx", _("foreign exchange")
    OTHER = "other", _("other")


class Channel(models.TextChoices):
    COUNTER = "counter", _("counter")
    SELF_SERVICE = "self_service", _("self-service")
    ONLINE = "online", _("online banking (channel)")
    MOBILE = "mobile", _("mobile banking (channel)")
    PHONE = "phone", _("phone")
    CARD_NETWORK = "card_network", _("card network")
    BATCH = "batch", _("batch")
    THIRD_PARTY = "third_party", _("third party")


class Transaction(models.Model):
    """One booking, signed as the customer sees it. A reversal is a booking of its own that names the one it undoes."""

    pk = models.CompositePrimaryKey("account_id", "booked_on", "txn_no", "customer_id")
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        Account, models.DO_NOTHING, related_name="transactions", db_constraint=False, db_index=False
    )
    booked_on = models.DateField()
    txn_no = models.CharField(max_length=60)
    booked_at = models.DateTimeField(null=True)
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    balance_after = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    kind = models.CharField(max_length=20, choices=BookingKind.choices)
    channel = models.CharField(max_length=16, choices=Channel.choices)
    counterparty_bank = models.CharField(max_length=200, null=True)
    counterparty_account = EncryptedText("account", row_key="txn_no", null=True)
    counterparty_account_print = models.BinaryField(null=True)
    counterparty_account_mask = models.CharField(max_length=40, null=True)
    counterparty_name = models.CharField(max_length=200, null=True)
    memo = models.CharField(max_length=500, null=True)
    reversal_of = models.CharField(max_length=60, null=True)
    batch = models.ForeignKey(
        FeedBatch, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    known_on = models.DateField()

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        managed = False
        db_table = "customers_transaction"


class Balance(models.Model):
    """End of day, only for days on which it changed. Overdrawn deposits are negative; debts are positive."""

    pk = models.CompositePrimaryKey("account_id", "on_date", "customer_id")
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        Account, models.DO_NOTHING, related_name="balances", db_constraint=False, db_index=False
    )
    on_date = models.DateField()
    balance = models.DecimalField(max_digits=20, decimal_places=2)
    batch = models.ForeignKey(
        FeedBatch, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    known_on = models.DateField()

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        managed = False
        db_table = "customers_balance"
