"""The bell."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from console.site import owner_site
from notifications.services import alert_read


@owner_site.page("bell/read/", "bell_read")
@require_POST
def bell_read(request: HttpRequest) -> HttpResponseBase:
    alert_read()
    return redirect("admin:index")
