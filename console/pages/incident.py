"""The incident page."""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from console.incident_view import incident_context
from console.site import owner_site
from core.errors import NotFound


@owner_site.page("incident/<str:incident_id>/", "incident")
@require_GET
def incident_page(request: HttpRequest, incident_id: str) -> HttpResponseBase:
    try:
        context = incident_context(incident_id)
    except NotFound as error:
        raise Http404(error.message) from error
    page = {**owner_site.each_context(request), "title": context["incident"].title, **context}
    return render(request, "console/incident.html", page)
