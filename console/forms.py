"""The console's own forms: the login with its second factor, and the renewal of that factor."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.signals import user_login_failed
from unfold.widgets import BASE_INPUT_CLASSES

from console.access import client_ip, token_verify, too_many_failures

_INPUT = " ".join(BASE_INPUT_CLASSES)
_WRONG_TOKEN = (
    "That code is not right, was used already, or came too soon after a wrong one. "
    "Wait for the next code of your authenticator app, or use a recovery code."
)
_BRAKED = "Too many failed attempts from your address. Wait 15 minutes and try again."


def _token_field() -> forms.CharField:
    return forms.CharField(
        label="Authentication code",
        max_length=32,
        help_text="Six digits from your authenticator app, or a recovery code.",
        error_messages={"required": "Enter the code from your authenticator app."},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "text",
                "spellcheck": "false",
                "class": f"{_INPUT} console-token",
                "placeholder": "123 456",
            }
        ),
    )


class OwnerLoginForm(AdminAuthenticationForm):
    """E-mail, password and one-time code, all three at once."""

    otp_token = _token_field()

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = "E-mail"
        self.fields["username"].widget.attrs.update({"class": _INPUT, "autofocus": ""})
        self.fields["password"].widget.attrs.update({"class": _INPUT})

    def clean(self) -> dict[str, Any]:
        if self.request is not None and too_many_failures(client_ip(self.request)):
            raise forms.ValidationError(_BRAKED, code="braked")
        cleaned = super().clean()
        user: Any = self.get_user()
        token = cleaned.get("otp_token", "")
        if user is None or not token:
            return cleaned
        user.otp_device = token_verify(user, token)
        if user.otp_device is None:
            # Django tells of wrong passwords only; a wrong code counts and is audited the same way.
            user_login_failed.send(
                sender=__name__, credentials={"username": user.get_username()}, request=self.request
            )
            self.add_error("otp_token", forms.ValidationError(_WRONG_TOKEN, code="invalid_token"))
        return cleaned


class SecondFactorForm(forms.Form):
    """Asks a logged-in owner for a fresh code."""

    otp_token = _token_field()

    def __init__(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_otp_token(self) -> str:
        if too_many_failures(client_ip(self.request)):
            raise forms.ValidationError(_BRAKED, code="braked")
        token = str(self.cleaned_data["otp_token"])
        if token_verify(self.request.user, token) is None:
            raise forms.ValidationError(_WRONG_TOKEN, code="invalid_token")
        return token
