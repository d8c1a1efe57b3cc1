"""The protected application, as we know it."""

import secrets

from django.core.validators import RegexValidator
from django.db import models

from core import clock, ids
from incidents.models.fields import EncryptedTextField


class Autonomy(models.TextChoices):
    """How much may happen without the owner's word; the fix gate still decides each change."""

    OBSERVE = "observe"  # diagnose and report
    PROPOSE = "propose"  # also fix and verify, then wait for the owner
    AUTO = "auto"  # also roll out what the gate calls tier 0


def new_public_key() -> str:
    return "pk_" + secrets.token_hex(16)


def new_dsn_key() -> str:
    return secrets.token_hex(16)


class Host(models.Model):
    """One application. `public_key` routes and meters, it protects nothing: every visitor can read it.
    `dsn_key` is in the host's server environment only, so an event that names it comes from the server.

    `secret` signs identities (host -> us) and requests (us -> host). `manifest_toml` is the accepted copy
    of kriptik.toml: the policy is read from here, never from a tree under repair.
    """

    name = models.CharField(max_length=120)
    slug = models.CharField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$", "Lower-case letters, digits and hyphens.")],
        help_text="The short name in identities (their `aud`) and addresses.",
    )
    public_key = models.CharField(max_length=64, unique=True, default=new_public_key)
    dsn_key = models.CharField(max_length=64, unique=True, default=new_dsn_key)
    secret = EncryptedTextField(default=ids.new_secret)
    origins = models.JSONField(default=list, blank=True, help_text="The sites that may load the SDK.")
    base_url = models.CharField(max_length=300, help_text="Where Ops reaches the host's signed endpoints.")
    git_dir = models.CharField(max_length=500, blank=True, help_text="The host's repository on this machine.")
    data_dir = models.CharField(
        max_length=500,
        blank=True,
        help_text="The folder with the host's data, given in the manifest's data_env.",
    )
    environment = models.JSONField(
        default=dict,
        blank=True,
        help_text="Variables of the host's own processes, such as the addresses of its services. No secrets.",
    )
    branch = models.CharField(max_length=200, default="main")
    manifest_toml = models.TextField(blank=True)
    autonomy = models.CharField(max_length=10, choices=Autonomy, default=Autonomy.PROPOSE)
    killed = models.BooleanField(
        default=False, help_text="The kill switch: nothing new starts, and no report is taken."
    )
    shadow = models.BooleanField(default=False, help_text="Detect and count, but show users nothing.")
    # Reports per five minutes: of the whole host, of one address, of one visit. docs/protocol.md says more.
    quota = models.PositiveIntegerField(default=1000)
    quota_address = models.PositiveIntegerField(default=100)
    quota_session = models.PositiveIntegerField(default=10)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name

    def dsn(self, ops_url: str) -> str:
        """The Sentry DSN that a server SDK of this host is given."""
        scheme, _, rest = ops_url.rstrip("/").partition("://")
        return f"{scheme}://{self.dsn_key}@{rest}/{self.pk}"
