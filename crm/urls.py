"""Every way into the product. Each view declares its right; a system check looks for one that does not."""

from django.urls import include, path

from crm import health

handler403 = "crm.core.views.errors.forbidden"
handler404 = "crm.core.views.errors.not_found"
handler500 = "crm.core.views.errors.broken"

_ROOMS = ["crm.home_urls", "crm.core.urls", "customers.urls", "segmentation.urls"]

urlpatterns = [
    path("health/", health.health, name="health"),
    *[path("", include(room)) for room in _ROOMS],
]
