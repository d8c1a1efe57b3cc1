"""One page for everything the owner can do: what will happen, the fresh code if needed, the button."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from console import access
from console.acts import Act, Ask, Asked, Outcome, act_get
from console.audit import audit_write
from console.site import owner_site
from console.sudo import sudo_form, sudo_passed
from core.errors import KriptikError, NotFound

REASON_CHARS = 300


@owner_site.page("act/<slug:name>/<str:subject>/", "act")
@require_http_methods(["GET", "POST"])
def act_page(request: HttpRequest, name: str, subject: str) -> HttpResponseBase:
    try:
        act = act_get(name)
        ask = act.ask(subject)
    except NotFound as error:
        raise Http404(error.message) from error
    except KriptikError as error:  # it makes no sense now; say so where the owner came from
        messages.error(request, error.message)
        return redirect("admin:index")
    form = sudo_form(request)
    if request.method == "POST" and sudo_passed(request, form):
        return _perform(request, act, ask, subject)
    context = {
        **owner_site.each_context(request),
        "title": ask.title,
        "ask": ask,
        "form": form,
        "reason": request.POST.get("reason", "")[:REASON_CHARS],
    }
    return render(request, "console/act.html", context, status=403 if request.method == "POST" else 200)


def _perform(request: HttpRequest, act: Act, ask: Ask, subject: str) -> HttpResponse:
    reason = request.POST.get("reason", "").strip()[:REASON_CHARS]
    # What the owner saw comes back from the page, not from a second look: it may have changed meanwhile.
    bound = {key: request.POST.get(f"bound_{key}", "") for key in ask.bound}
    asked = Asked(subject, access.actor_name(request), reason, bound)
    detail: dict[str, Any] = {"reason": reason, **bound}
    try:
        outcome = act.perform(asked)
    except KriptikError as error:
        messages.error(request, error.message)
        detail["refused"] = error.message
    else:
        if isinstance(outcome, str):
            outcome = Outcome(outcome)
        detail |= outcome.detail
        (messages.error if outcome.short else messages.success)(request, outcome.says)
    audit_write(
        actor=asked.actor,
        action=f"act.{act.name}",
        subject=subject,
        detail=detail,
        ip=access.client_ip(request),
    )
    return redirect(ask.back)
