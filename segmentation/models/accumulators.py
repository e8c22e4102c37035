"""Accumulators: per account and month the moves of the fed balance, so that any day-average is a subtraction."""

from django.db import models

from crm.core.scope import ScopedManager
from customers.models import Account, Customer, FeedBatch


class AccountMonth(models.Model):
    """One row per account and month with a change. Amounts are integers of the smallest unit of the account's currency.

    ``delta`` = Σ of the month's changes of the end-of-day balance, ``delta_day`` = Σ change × day of the month: a change
    on day d adds change × (L − d + 1) to the Σ over L days. Changes of the fed balance, never sums of bookings: feeds round.
    """

    pk = models.CompositePrimaryKey("account_id", "month", "customer_id")
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        Account, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    month = models.DateField()
    delta = models.BigIntegerField()
    delta_day = models.BigIntegerField()
    fees = models.BigIntegerField()  # + earned by the bank
    counter_count = models.IntegerField()  # bookings at the counter and by phone
    digital_count = models.IntegerField()  # by every other channel
    own_count = models.IntegerField()  # bookings the customer made himself: no interest, no fee
    last_own_day = models.SmallIntegerField()  # day of the month of the last of them; 0: none
    salary_count = models.IntegerField()
    repaid = models.BigIntegerField()  # loan repayments into a loan account

    rows = models.Manager()
    objects = ScopedManager("customer")


class Absorbed(models.Model):
    """A batch whose account-months the accumulators hold."""

    batch = models.OneToOneField(
        FeedBatch, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
    )
