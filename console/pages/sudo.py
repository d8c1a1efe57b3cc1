"""A fresh second factor, asked for before a form that changes what may happen."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from console.site import owner_site
from console.sudo import sudo_form, sudo_passed


@owner_site.page("sudo/", "sudo")
@require_http_methods(["GET", "POST"])
def sudo_page(request: HttpRequest) -> HttpResponseBase:
    form = sudo_form(request)
    if form is None or (request.method == "POST" and sudo_passed(request, form)):
        return _onward(request)
    context = {**owner_site.each_context(request), "title": "Confirm that it is you", "form": form}
    return render(request, "console/sudo.html", context, status=403 if request.method == "POST" else 200)


def _onward(request: HttpRequest) -> HttpResponse:
    """Only to pages of ours: `next` comes from the address."""
    to = request.GET.get("next", "")
    if not to.startswith("/console/") or not url_has_allowed_host_and_scheme(to, allowed_hosts=None):
        to = reverse("admin:index")
    return redirect(to)
