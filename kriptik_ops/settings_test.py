"""Settings of the test suite: the product's own, on a database, broker and var/ that belong to the run.

tests/conftest.py starts an embedded Valkey (unless REDIS_URL is given) and sets KRIPTIK_VAR before this
module is read.
"""

from kriptik_ops.settings import *  # noqa: F403
from kriptik_ops.settings import DATABASES, VAR_DIR

SECRET_KEY = "a-key-for-tests-only-and-nowhere-else"
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not :memory:, because other processes (worker, web) open it in the stories.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
OWNER_EMAIL = "mia@forge.example"
SAFE_HTTP_ALLOW = []
# No collected files here; whitenoise would warn once for each client that a test makes.
WHITENOISE_AUTOREFRESH = False
STATIC_ROOT = None  # type: ignore[assignment]
