"""`manage.py owner_create`: the one account of the Manager's Console, with its second factor."""

import io
import json
import os
import secrets
from base64 import b32encode
from dataclasses import asdict, dataclass, field
from typing import Any

import segno
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from console.audit import audit_write

RECOVERY_CODES = 8


@dataclass(frozen=True)
class NewOwner:
    """What is shown once. The recovery codes work once each, when the phone is lost."""

    email: str
    password: str
    totp_secret: str
    otpauth_url: str
    recovery_codes: list[str] = field(default_factory=list)


class Command(BaseCommand):
    help = "Creates the owner: e-mail, password and authenticator secret, shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", help="The owner's e-mail, which is also the login.")
        parser.add_argument("--email", dest="email_option", help="The same, as an option.")
        parser.add_argument(
            "--password",
            help="At least 12 characters; KRIPTIK_OWNER_PASSWORD works too. Without it one is made up.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object, for scripts.")
        parser.add_argument("--force", action="store_true", help="Add a second owner, or renew this one.")

    def handle(self, *args: Any, **options: Any) -> None:
        email = (options["email"] or options["email_option"] or "").strip().lower()
        if not email:
            raise CommandError("Whose account? Run: manage.py owner_create YOU@EXAMPLE")
        password = (
            options["password"] or os.environ.get("KRIPTIK_OWNER_PASSWORD") or secrets.token_urlsafe(12)
        )
        self._check(email, password, options["force"])
        owner = owner_create(email, password)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(owner)))
        else:
            self._show(owner)

    def _check(self, email: str, password: str, force: bool) -> None:
        try:
            validate_email(email)
            validate_password(password, User(username=email, email=email))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        existing = User.objects.filter(is_staff=True, is_active=True).first()
        if existing is not None and not force:
            raise CommandError(
                f"There is an owner already: {existing.get_username()}. "
                "Pass --force to add another one, or to give the same e-mail a new password and secret."
            )

    def _show(self, owner: NewOwner) -> None:
        write = self.stdout.write
        write(f"\nOwner    {owner.email}\nPassword {owner.password}\nSecret   {owner.totp_secret}\n")
        write("Scan this with your authenticator app (or type the secret in):\n")
        picture = io.StringIO()  # Django's own stream ends every piece that is written with a line break
        segno.make(owner.otpauth_url, error="l").terminal(out=picture, compact=True, border=2)
        write(picture.getvalue())
        write("\nRecovery codes, each works once:")
        for pair in zip(owner.recovery_codes[::2], owner.recovery_codes[1::2], strict=True):
            write("  " + "   ".join(pair))
        write("\nThis is shown once. Keep it in your password manager.")


@transaction.atomic
def owner_create(email: str, password: str) -> NewOwner:
    """Creates the user with its devices, or renews password and devices of the one with this e-mail."""
    user, created = User.objects.get_or_create(username=email, defaults={"email": email})
    user.is_active = user.is_staff = user.is_superuser = True
    user.set_password(password)
    user.save(update_fields=["is_active", "is_staff", "is_superuser", "password"])
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    device = TOTPDevice.objects.create(user=user, name="Authenticator app", key=random_hex(20))
    recovery = StaticDevice.objects.create(user=user, name="Recovery codes")
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=recovery, token=code) for code in codes)
    audit_write(actor="manage.py", action="owner.created" if created else "owner.renewed", subject=email)
    secret = b32encode(device.bin_key).decode()
    return NewOwner(email, password, secret, device.config_url, codes)
