"""One settings file, read from the environment, safe by default. See .env.example."""

from pathlib import Path

import environ
from csp.constants import NONE, SELF

from operations.logging import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
# Fernet keys that seal broker credentials, newest first; never the same as SECRET_KEY.
SECRET_KEYS = env.list("SECRET_KEYS")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Real orders leave this house only when it is on here and for the account.
LIVE_TRADING = env.bool("LIVE_TRADING", default=False)
# Where brokers are, when not at their own addresses: angel=http://127.0.0.1:9101 for a simulator.
BROKER_ENDPOINTS = env.dict("BROKER_ENDPOINTS", default={})
# Seconds a broker may take to answer. What says nothing for so long is unknown, never sent again.
BROKER_TIMEOUT = env.float("BROKER_TIMEOUT", default=10.0)
# So many trading days old may a broker's instrument list be before entries wait for a newer one.
INSTRUMENT_LIST_DAYS = env.int("INSTRUMENT_LIST_DAYS", default=0)
# Answers with the address it sees, as plain text; asked where a broker wants a static address.
ADDRESS_CHECK_URL = env.str("ADDRESS_CHECK_URL", default="https://api.ipify.org")
# How this house is reached from outside: links in letters and postback addresses begin with it.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
# Accounts with orders under way are compared with their broker twice a minute, the others so often.
RECONCILE_QUIET_SECONDS = env.int("RECONCILE_QUIET_SECONDS", default=300)
# Served over TLS: secure cookies and HSTS. Off only on a laptop.
HTTPS = env.bool("HTTPS", default=True)

EMBEDDED_DATABASE = f"sqlite:///{BASE_DIR / 'var' / 'pinnacle.sqlite3'}"
DATABASE_URL = env.str("DATABASE_URL", default="") or EMBEDDED_DATABASE
REDIS_URL = env.str("REDIS_URL", default="")
# Outside of the database, so that one restored from a backup is found to be behind it.
INSTALLATION_FILE = env.str(
    "INSTALLATION_FILE", default=str(BASE_DIR / "var" / "installation.json")
)

INSTALLED_APPS = [
    "trading_site.admin_config.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_htmx",
    "rest_framework",
    "operations",
    "accounts",
    "notifications",
    "brokers",
    "market",
    "portfolio",
    "risk",
    "orders",
    "strategies",
    "baskets",
    "copytrading",
    "trading_site",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "operations.middleware.RefuseNulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "operations.middleware.RequestLogMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.WorkspaceMiddleware",
    "trading_site.middleware.ShellMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "trading_site.urls"
WSGI_APPLICATION = "trading_site.wsgi.application"
ASGI_APPLICATION = "trading_site.asgi.application"

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
                "trading_site.context.shell",
            ],
        },
    }
]

DATABASES = {"default": env.db_url_config(DATABASE_URL)}
DATABASES["default"]["ATOMIC_REQUESTS"] = False
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: a transaction that will write waits for its turn at the start, not at the end.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif env.bool("DATABASE_POOL", default=True):
    # Off where a process forks while connected, as the tests that kill workers do.
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 2, "max_size": 24, "timeout": 10}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PersonBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "accounts.hashers.CuttingBCryptHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
# Everybody on a laptop; on a server only the first person, unless this says otherwise.
SIGN_UP_OPEN = env.bool("SIGN_UP_OPEN", default=None if HTTPS or REDIS_URL else True)
# How many proxies stand in front; the client's address is read that far back, no further.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", default="none")
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
# The address in force and the one that shall follow it.
ACCOUNT_MAX_EMAIL_ADDRESSES = 2
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_FORMS = {"reset_password": "accounts.forms.ResetPasswordForm"}
ACCOUNT_SESSION_REMEMBER = True

# A laptop's terminal shows what needs a look, a server's log every step.
LOGGING = logging_config(
    as_json=HTTPS and not DEBUG,
    level=env.str("LOG_LEVEL", default="INFO" if HTTPS else "WARNING"),
)

LANGUAGE_CODE = "en-in"
TIME_ZONE = "Asia/Kolkata"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "var" / "static"
# WhiteNoise warns of a directory that is not there, as in a fresh clone.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = BASE_DIR / "var" / "files"

EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Pinnacle <pinnacle@localhost>")

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
}

# Celery carries nudges: the rows are the work, and a sweep finds what a lost nudge left behind.
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# In forked workers Celery closes every database connection after each task: it would cost an
# order more to connect anew than to be claimed.
CELERY_WORKER_POOL = "threads"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 300, "polling_interval": 0.05}
CELERY_TASK_DEFAULT_QUEUE = "orders"
# Exits and cancels have workers of their own, which nothing else can occupy: orders of that kind
# are sent to "exits" one by one, and the sweep that finds what was lost is worked off there too.
CELERY_TASK_ROUTES = {
    "orders.tasks.sweep_orders": {"queue": "exits"},
    "orders.tasks.reconcile_*": {"queue": "sync"},
    "orders.tasks.settle_*": {"queue": "sync"},
    "orders.tasks.end_order_day": {"queue": "sync"},
    "brokers.tasks.*": {"queue": "sync"},
    "orders.tasks.*_postback*": {"queue": "sync"},
    "orders.tasks.*": {"queue": "orders"},
    "portfolio.tasks.*": {"queue": "orders"},
    "strategies.tasks.*": {"queue": "strategies"},
    "market.tasks.*": {"queue": "market"},
    "notifications.tasks.*": {"queue": "notifications"},
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz/$"]  # a load balancer asks from inside
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
