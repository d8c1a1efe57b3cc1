"""Dangerous acts want a second factor that is at most five minutes old."""

from django.http import HttpRequest

from console import access
from console.audit import audit_write
from console.forms import SecondFactorForm


def sudo_form(request: HttpRequest) -> SecondFactorForm | None:
    """The form that asks for a fresh code, or None while the last one still counts."""
    if access.second_factor_is_fresh(request):
        return None
    return SecondFactorForm(request, request.POST if request.method == "POST" else None)


def sudo_passed(request: HttpRequest, form: SecondFactorForm | None) -> bool:
    """Whether the act may go on; a right code counts for the next five minutes, a wrong one is audited."""
    if form is None:
        return True
    if form.is_valid():
        access.second_factor_renewed(request)
        return True
    if form.data.get("otp_token"):
        audit_write(actor=access.actor_name(request), action="sudo.failed", ip=access.client_ip(request))
    return False
