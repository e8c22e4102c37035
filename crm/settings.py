"""Settings of the bank CRM. Everything a bank sets comes from the environment; nothing here is a secret.

``DATABASE_URL`` and ``REDIS_URL`` always win. Without them the product runs on its own PostgreSQL and Valkey in
the data folder of ``CRM_PROFILE`` (``run`` or ``test``), started when first needed (``crm.local``, ``crm.database``).
"""

import os
import sys
from pathlib import Path

from crm.database.url import database_from_environment
from crm.keys import load_keys

BASE_DIR = Path(__file__).resolve().parent.parent

# --- where we run -------------------------------------------------------------------------------------------------
# pytest loads the settings before any conftest.py: its own mark keeps a test run away from the data of `run`.
PROFILE = os.environ.get("CRM_PROFILE") or ("test" if "PYTEST_VERSION" in os.environ else "run")
# Only the demo starter sets this: over plain http on loopback the cookies do without the __Host- prefix.
DEMO = os.environ.get("CRM_DEMO") == "1"
DEBUG = False
ALLOWED_HOSTS = [h for h in os.environ.get("CRM_ALLOWED_HOSTS", "127.0.0.1,localhost").split(",") if h]
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("CRM_TRUSTED_ORIGINS", "").split(",") if o]
# "web" keeps a person waiting at most 5 s for a statement; unattended work may take 30 minutes.
WORKLOAD = os.environ.get("CRM_WORKLOAD", "batch" if "manage.py" in Path(sys.argv[0]).name else "web")

# --- keys ---------------------------------------------------------------------------------------------------------
KEYS = load_keys(BASE_DIR)
SECRET_KEY = KEYS.django_secret

# --- applications -------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    "widget_tweaks",
    "csp",
    "rest_framework",
    "django_filters",
    "crm.core",
    "customers",
    "segmentation",
    "complaints",
    "marketing",
    "crm",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "crm.core.requests.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "crm.core.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crm.core.sessions.SessionLimitsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "crm.core.requests.PrivateResponseMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "loaders": [
                ("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"]),
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crm.shell.shell",
            ],
        },
    },
]

# --- database, broker ---------------------------------------------------------------------------------------------
DATABASES = {"default": database_from_environment(profile=PROFILE, workload=WORKLOAD)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = os.environ.get("REDIS_URL", "")
# Sign-in, scope and pages never depend on Redis: what must be shared between processes lives in PostgreSQL.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- people -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["crm.core.sessions.AccountBackend"]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
# Two profiles, because the Chinese protection scheme (complexity, rotation) and ASVS (neither) contradict each other.
PASSWORD_PROFILE = os.environ.get("CRM_PASSWORD_PROFILE", "cn-mlps3")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "crm.core.passwords.BankPasswordValidator", "OPTIONS": {"profile": PASSWORD_PROFILE}}
]

# --- sessions, cookies, headers -----------------------------------------------------------------------------------
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_IDLE_SECONDS = int(os.environ.get("CRM_SESSION_IDLE_SECONDS", 15 * 60))
SESSION_ABSOLUTE_SECONDS = int(os.environ.get("CRM_SESSION_ABSOLUTE_SECONDS", 12 * 3600))
SESSION_CONCURRENT_LIMIT = int(os.environ.get("CRM_SESSION_CONCURRENT_LIMIT", 3))
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEMO
_PREFIX = "" if DEMO else "__Host-"
SESSION_COOKIE_NAME = _PREFIX + "crm_session"
CSRF_COOKIE_NAME = _PREFIX + "crm_csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 0 if DEMO else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEMO
SECURE_SSL_REDIRECT = not DEMO and os.environ.get("CRM_TLS", "1") == "1"
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if os.environ.get("CRM_BEHIND_PROXY") == "1" else None
)
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

# --- languages and time -------------------------------------------------------------------------------------------
USE_I18N = USE_TZ = True
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "crm_language"
TIME_ZONE = "Asia/Shanghai"  # what people read; the database keeps UTC

# --- files --------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
# "vendor": what npm fetched and `make install` arranged (crm/local/assets.py); not in the repository.
STATICFILES_DIRS = [BASE_DIR / "static", ("vendor", BASE_DIR / ".local" / "assets" / "vendor")]
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# What the product keeps in files: the feed inbox, audit anchors, backups. Never served.
DATA_DIR = Path(os.environ.get("CRM_DATA_DIR", BASE_DIR / ".local" / PROFILE / "files"))
FEED_INBOX = Path(os.environ.get("CRM_FEED_INBOX", DATA_DIR / "inbox"))
AUDIT_ANCHOR_DIR = Path(os.environ.get("CRM_AUDIT_ANCHOR_DIR", DATA_DIR / "anchors"))
AUDIT_ANCHOR_DIR_2 = Path(os.environ.get("CRM_AUDIT_ANCHOR_DIR_2", DATA_DIR / "reports"))

# --- the bank's own switches --------------------------------------------------------------------------------------
FEED_REJECT_SHARE = os.environ.get(
    "CRM_FEED_REJECT_SHARE", "0.01"
)  # more rejected rows than this refuse the batch
FEED_BREAK_TOLERANCE = os.environ.get(
    "CRM_FEED_BREAK_TOLERANCE", "1.00"
)  # only sorts breaks, never hides one

# --- outgoing ------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = os.environ.get("CRM_EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_HOST = os.environ.get("CRM_EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("CRM_EMAIL_PORT", 25))
# Who is told when the system needs a person. Addresses of functions, not of people.
OPERATORS = [a for a in os.environ.get("CRM_OPERATORS_MAIL", "operators@localhost").split(",") if a]
DEFAULT_FROM_EMAIL = os.environ.get("CRM_EMAIL_FROM", "crm@localhost")

# --- logs -----------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"private": {"()": "crm.core.privacy.logs.PersonalDataFilter"}},
    "formatters": {"line": {"()": "crm.core.privacy.logs.LineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["private"], "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("CRM_LOG_LEVEL", "INFO")},
    "loggers": {"django.db.backends": {"level": "WARNING"}, "fontTools": {"level": "WARNING"}},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    # DRF ignores the sign-in middleware: without a declared right the answer is no.
    "DEFAULT_PERMISSION_CLASSES": ["crm.core.access.DeclaredRight"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
