"""Screens of the night and the overview."""

from django.urls import path

from segmentation.views import customer, customers, nights, overview

urlpatterns = [
    path("customers/", customers.customer_list, name="customers"),
    path("search/", customers.search_anywhere, name="search"),
    path("customers/<int:customer_id>/accounts/", customer.customer_accounts, name="customer_accounts"),
    path(
        "customers/<int:customer_id>/contribution/",
        customer.customer_contribution,
        name="customer_contribution",
    ),
    path("overview/", overview.overview, name="overview"),
    path("nights/", nights.night_list, name="nights"),
    path("nights/start/", nights.night_start, name="night_start"),
    path("nights/<int:run_id>/", nights.night_page, name="night"),
]
