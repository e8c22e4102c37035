from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """The customer information file: parties, accounts, balances, transactions, and the door of the nightly feed."""

    name = "customers"
