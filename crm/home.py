"""Home: what each person sees first, by level."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from crm.core.access import needs


@needs("home.view")
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "crm/home.html")
