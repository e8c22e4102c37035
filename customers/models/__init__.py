"""The customer information file, one noun a file."""

from customers.models.accounts import Account, AccountHolder, OutsideHolding, Product, Rate
from customers.models.assignments import Assignment
from customers.models.batches import FeedBatch, FeedBreak, FeedFile, FeedReject, FeedTouch, RowHistory
from customers.models.bookings import Balance, Transaction
from customers.models.parties import Consent, ContactPerson, Customer, CustomerNumber, Identity, Relation
from customers.models.quality import Quality, QualityIssue

__all__ = [
    "Account", "AccountHolder", "Assignment", "Balance", "Consent", "ContactPerson", "Customer", "CustomerNumber",
    "FeedBatch", "FeedBreak", "FeedFile", "FeedReject", "FeedTouch", "Identity", "OutsideHolding", "Product", "Quality",
    "QualityIssue", "Rate", "Relation", "RowHistory", "Transaction",
]  # fmt: skip
