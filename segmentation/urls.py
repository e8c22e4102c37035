"""Screens of the night and the overview."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
