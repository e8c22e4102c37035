"""Screens of the ground floor: sign-in, staff and org tree, audit, approvals, language."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
