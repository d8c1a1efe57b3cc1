"""Mail through Django's e-mail backend: files under var/mail, or SMTP when it is configured."""

import smtplib
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from notifications.models import Delivery
from notifications.transports.errors import TransportError


def send(delivery: Delivery) -> None:
    alert = delivery.alert
    url = settings.PUBLIC_URL.rstrip("/") + (alert.url or "/console/")
    context: dict[str, Any] = {"alert": alert, "url": url}
    # A line break in a subject would start a new header.
    subject = " ".join(render_to_string("notifications/alert_subject.txt", context).split())
    message = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string("notifications/alert.txt", context),
        to=recipients(),
        # The same for every attempt: a mailbox that got it twice shows it once.
        headers={"Message-ID": f"<alert-{alert.pk}-{alert.slot}@kriptik-ops>"},
    )
    message.attach_alternative(render_to_string("notifications/alert.html", context), "text/html")
    try:
        message.send()
    except smtplib.SMTPResponseException as error:
        refused = 500 <= error.smtp_code < 600 and not isinstance(error, smtplib.SMTPAuthenticationError)
        raise TransportError(f"{error.smtp_code} {error.smtp_error!r}", permanent=refused) from error
    except smtplib.SMTPRecipientsRefused as error:
        # 4xx is greylisting or a full mailbox: it may take the mail later.
        for_good = all(code >= 500 for code, _ in error.recipients.values())
        raise TransportError(f"refused: {error.recipients}", permanent=for_good) from error
    except OSError as error:  # smtplib's other errors, the network's and the disk's are all OSErrors
        raise TransportError(str(error) or type(error).__name__, permanent=False) from error


def recipients() -> list[str]:
    """KRIPTIK_OWNER_EMAIL, or the address of every owner who can log in to the console."""
    if settings.OWNER_EMAIL:
        return [settings.OWNER_EMAIL]
    found = User.objects.filter(is_staff=True, is_active=True).exclude(email="")
    addresses = list(found.values_list("email", flat=True))
    if not addresses:
        raise TransportError(
            "Nobody to write to: run `manage.py owner_create E-MAIL` or set KRIPTIK_OWNER_EMAIL.",
            permanent=False,
        )
    return addresses
