"""All settings, read once from the environment; docs/settings.md has a line for each variable.

Defaults let a fresh clone run on one machine with no account anywhere; var/ holds all state.
"""

from pathlib import Path

import dj_database_url
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from console.branding import UNFOLD as UNFOLD
from kriptik_ops.env import env_bool, env_float, env_int, env_list, env_secret, env_str

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env_str("KRIPTIK_VAR", str(BASE_DIR / "var"))).resolve()

# --- The application -------------------------------------------------------------------------------------
DEBUG = env_bool("KRIPTIK_DEBUG", False)
# `manage.py up` writes a random key into var/secret_key on first use and passes it on; see embedded.py.
SECRET_KEY = env_secret("KRIPTIK_SECRET_KEY") or (
    (VAR_DIR / "secret_key").read_text().strip() if (VAR_DIR / "secret_key").exists() else ""
)
ALLOWED_HOSTS = env_list("KRIPTIK_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
PORT = env_int("KRIPTIK_PORT", 8600)
PUBLIC_URL = env_str("KRIPTIK_URL", f"http://127.0.0.1:{PORT}")
PROXY_HEADERS = env_bool("KRIPTIK_PROXY_HEADERS", False)
CSRF_TRUSTED_ORIGINS = env_list("KRIPTIK_CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "channels",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "waffle",
    "auditlog",
    "django_celery_beat",
    "notifications",
    "incidents",
    "flags",
    "healing",
    "research",
    "console",
    "kriptik_ops.apps.CompositionConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "console.middleware.ConsoleMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "kriptik_ops.urls"
ASGI_APPLICATION = "kriptik_ops.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
SESSION_COOKIE_AGE = 12 * 3600  # absolute: SESSION_SAVE_EVERY_REQUEST stays off
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_CONTENT_TYPE_NOSNIFF = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
# The admin's own files are served by the application itself: a fresh clone has no web server in front.
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = VAR_DIR / "media"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
OWNER_TIME_ZONE = env_str("KRIPTIK_OWNER_TIME_ZONE", "UTC")

# --- Data ------------------------------------------------------------------------------------------------
_DATABASE_URL = env_str("DATABASE_URL")
if _DATABASE_URL:
    try:
        DATABASES = {"default": dj_database_url.parse(_DATABASE_URL, conn_max_age=60)}
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL can't be read: {error}") from error
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(VAR_DIR / "ops.sqlite3"),
            "OPTIONS": {
                # Measured: deferred transactions under WAL fail at once with BUSY_SNAPSHOT; IMMEDIATE waits.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
WAFFLE_FLAG_MODEL = "flags.Flag"
WAFFLE_CREATE_MISSING_FLAGS = False

# --- Broker, channel layer, cache: Valkey or Redis -------------------------------------------------------
VALKEY_PORT = env_int("KRIPTIK_VALKEY_PORT", 8679)
REDIS_URL = env_str("REDIS_URL", f"redis://127.0.0.1:{VALKEY_PORT}/0")
CHANNEL_LAYERS = {
    "default": {
        # Publish/subscribe, not channels_redis.core: that one drops a burst beyond its capacity, and with
        # redis-py 8 its blocking read lost cancellations (a closed socket lingered) and met redis-py's own
        # 5 s read timeout (every idle socket died). A wake-up may get lost in both; the feed reads its rows.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 30}], "prefix": "kriptik"},
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 10}
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_TASK_ROUTES = {
    "healing.replay": {"queue": "sandbox"},
    "healing.*": {"queue": "heal"},
    "flags.*": {"queue": "rollout"},
    "research.*": {"queue": "research"},
    "notifications.*": {"queue": "notify"},
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_TIMEZONE = OWNER_TIME_ZONE  # so that six in the morning is the owner's
# Sweepers find what a lost message left behind; each is safe to run twice, by two beats, at any time.
# `expires`: a sweep that waited for a free worker longer than its interval would only repeat the next one.
CELERY_BEAT_SCHEDULE = {
    "sweep heal runs": {"task": "healing.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "tick rollouts": {"task": "flags.tick", "schedule": 2.0, "options": {"expires": 2}},
    "deliver what is due": {"task": "notifications.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "morning research": {
        "task": "research.morning",
        "schedule": crontab(hour=str(env_int("KRIPTIK_RESEARCH_HOUR", 6)), minute="0"),
    },
    "retention": {"task": "incidents.retention", "schedule": crontab(hour="3", minute="30")},
}

# --- Mail: a file mailbox unless SMTP is configured ------------------------------------------------------
OWNER_EMAIL = env_str("KRIPTIK_OWNER_EMAIL")
EMAIL_HOST = env_str("KRIPTIK_SMTP_HOST")
EMAIL_PORT = env_int("KRIPTIK_SMTP_PORT", 587)
EMAIL_HOST_USER = env_str("KRIPTIK_SMTP_USER")
EMAIL_HOST_PASSWORD = env_secret("KRIPTIK_SMTP_PASSWORD")
EMAIL_USE_TLS = env_bool("KRIPTIK_SMTP_TLS", True)
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "mail"
DEFAULT_FROM_EMAIL = env_str("KRIPTIK_MAIL_FROM", "KripTik Ops <ops@localhost>")

# --- Hosts, gateway, rollout -----------------------------------------------------------------------------
GATEWAY_PORT = env_int("KRIPTIK_GATEWAY_PORT", 8700)
GATEWAY_ENGINE = env_str("KRIPTIK_GATEWAY", "haproxy")
# The phases' durations in seconds, times the clock: the demo runs at 0.02 so that minutes become seconds.
ROLLOUT_CLOCK = env_float("KRIPTIK_ROLLOUT_CLOCK", 1.0)
ROLLOUT_AFFECTED_S = env_float("KRIPTIK_ROLLOUT_AFFECTED_S", 300)
ROLLOUT_SIMILAR_S = env_float("KRIPTIK_ROLLOUT_SIMILAR_S", 1800)
# A membership is a lease: when the controller is silent for so long, everyone is on stable again.
ROLLOUT_LEASE_S = env_float("KRIPTIK_ROLLOUT_LEASE_S", 60)

# --- Safety ----------------------------------------------------------------------------------------------
SANDBOX_ENGINE = env_str("KRIPTIK_SANDBOX", "bwrap")
SAFE_HTTP_ALLOW = env_list("KRIPTIK_SAFE_HTTP_ALLOW")  # "host:port" pairs that may be private addresses
HEALS_PER_HOUR = env_int("KRIPTIK_HEALS_PER_HOUR", 30)
HEALS_PER_DAY = env_int("KRIPTIK_HEALS_PER_DAY", 200)
RELEASES_PER_HOUR = env_int("KRIPTIK_RELEASES_PER_HOUR", 4)
RELEASES_PER_DAY = env_int("KRIPTIK_RELEASES_PER_DAY", 20)

# --- The demo: the ports of Forge's two outside services -------------------------------------------------
DEMO_MODEL_PORT = env_int("KRIPTIK_DEMO_MODEL_PORT", 8711)
DEMO_PAYMENTS_PORT = env_int("KRIPTIK_DEMO_PAYMENTS_PORT", 8712)

# --- Research --------------------------------------------------------------------------------------------
RESEARCH_FEEDS = env_list("KRIPTIK_RESEARCH_FEEDS")  # Atom or RSS addresses

# --- The console -----------------------------------------------------------------------------------------
OTP_TOTP_ISSUER = "KripTik Ops"
LOGIN_URL = "admin:login"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_str("KRIPTIK_LOG_LEVEL", "INFO")},
    "loggers": {"httpx": {"level": "WARNING"}, "daphne.http_protocol": {"level": "WARNING"}},
}
