"""Screens of the night and the overview."""

from django.urls import path

from segmentation.views import (
    alerts,
    customer,
    customers,
    nights,
    overrides,
    overview,
    retention,
    rfm,
    scores,
    trends,
)

urlpatterns = [
    path("customers/", customers.customer_list, name="customers"),
    path("search/", customers.search_anywhere, name="search"),
    path("customers/<int:customer_id>/accounts/", customer.customer_accounts, name="customer_accounts"),
    path(
        "customers/<int:customer_id>/contribution/",
        customer.customer_contribution,
        name="customer_contribution",
    ),
    path("customers/<int:customer_id>/loyalty/", scores.customer_loyalty, name="customer_loyalty"),
    path("customers/<int:customer_id>/risk/", scores.customer_risk, name="customer_risk"),
    path("customers/<int:customer_id>/scores/<str:score>/", scores.customer_score, name="customer_score"),
    path(
        "customers/<int:customer_id>/scores/<str:score>/<str:code>/",
        scores.customer_score_line,
        name="customer_score_line",
    ),
    path("customers/<int:customer_id>/tier/", overrides.customer_tier, name="customer_tier"),
    path("customers/<int:customer_id>/tier/propose/", overrides.tier_propose, name="tier_propose"),
    path("alerts/", alerts.alert_list, name="alerts"),
    path("overview/", overview.overview, name="overview"),
    path("overview/trends/", trends.trends, name="trends"),
    path("overview/retention/", retention.retention, name="retention"),
    path("overview/rfm/", rfm.rfm, name="rfm"),
    path("nights/", nights.night_list, name="nights"),
    path("nights/start/", nights.night_start, name="night_start"),
    path("nights/<int:run_id>/", nights.night_page, name="night"),
]
