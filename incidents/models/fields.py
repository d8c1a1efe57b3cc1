"""A text column whose content is unreadable without the installation's secret key."""

import base64
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils.encoding import force_bytes

PREFIX = "v1:"


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Fernet at rest, plain text in Python. It can't be filtered by: two encryptions of a text differ.

    A copy of the database or a backup so gives nobody the keys that hosts sign with. Signing them
    (django.core.signing) would leave them readable; hashing them would make them useless to us.
    """

    def get_prep_value(self, value: Any) -> str:
        return PREFIX + _cipher(settings.SECRET_KEY).encrypt(str(value).encode()).decode()

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        if value is None:
            return None
        for key in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]:
            try:
                return _cipher(key).decrypt(value.removeprefix(PREFIX).encode()).decode()
            except InvalidToken:
                continue
        raise ImproperlyConfigured(
            "A stored secret can't be read with this secret key. Put the key it was written with back, or "
            "add it to SECRET_KEY_FALLBACKS and save the host once."
        )


def _cipher(secret_key: str | bytes) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"kriptik.incidents.secrets").derive(
        force_bytes(secret_key)
    )
    return Fernet(base64.urlsafe_b64encode(derived))
