"""The front door: where everybody lands after signing in."""

from django.urls import path

from crm import home

urlpatterns = [path("", home.home, name="home")]
