from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """The customer information file: parties, accounts, balances, transactions, and the door of the nightly feed."""

    name = "customers"

    def ready(self) -> None:
        from customers import privacy  # noqa: F401  (declares what is sensitive and who may have it shown)
