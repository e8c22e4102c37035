"""Screens of the customer information file and the feed."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
