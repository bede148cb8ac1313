"""A host in production with a mistake in every corner. Each says what it is found as.

`tests/automate_api/checks/test_hosts.py` lists them again.
"""

from tests.settings import *  # noqa: F403

DEBUG = False
ROOT_URLCONF = "tests.hosts.careless.urls"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "corsheaders",
    # E008: no django_filters. W005: no drf_spectacular_sidecar.
    "drf_spectacular",
    "rest_framework",
    "automate_api",
    "automate",
    "automate_modal",
    "tests.hosts.shop",
]
MIDDLEWARE = [
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]

# W022: no CONN_MAX_AGE. Nothing connects: checks do not ask the database.
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "careless"}}
# W030: each process has its own. W031: the URLconf serves them to everybody.
MEDIA_ROOT = "media"
# W009: each process counts alone.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# W020: no cache, no limits. W021: no limits anyway.
RATELIMIT_FAIL_OPEN = True
RATELIMIT_ENABLE = False
# W024: the proxy is not counted, and so every caller is the proxy.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# E015: every page has every visitor's session.
CORS_ALLOW_ALL_ORIGINS = True
CORS_ALLOW_CREDENTIALS = True

# E001: a passphrase is no key.
AUTOMATE_API_ENCRYPTION_KEYS = ["correct horse battery staple"]
# E002: an unfinished pattern.
AUTOMATE_API_REDACT_PATTERNS = ["sk-[a-z+"]
# E003: a function that was renamed. E019: one string instead of a list.
AUTOMATE_API_TENANT_MEMBERS = "tests.hosts.shop.people.renamed"
AUTOMATE_API_AUTHENTICATION_CLASSES = "automate_api.v1.authentication.APIKeyAuthentication"
# E004: an address with a path. W023: every private network there is.
AUTOMATE_API_PRIVATE_HOSTS = ["http://models.internal/v1", "0.0.0.0/0"]
# E007: a price in words.
AUTOMATE_API_MODELS = {"large": {"input_price": "cheap"}}
# W011: no AUTOMATE_API_TENANT_RESOLVER.
# E017: a rate without a number.
AUTOMATE_API_RATE_LIMIT = "hourly"
# E018: less than the day that callers are promised.
AUTOMATE_API_IDEMPOTENCY_RETENTION = 60
# E025: a class that is none. E028: whoever misses a beat is dead.
AUTOMATE_API_JOB_DISPATCHER = "tests.hosts.careless.celery.Dispatcher"
AUTOMATE_API_LEASE, AUTOMATE_API_HEARTBEAT = 10, 9
# E033: a cache that was renamed. E034: an overlap in words.
AUTOMATE_API_CACHE = "redis"
AUTOMATE_API_KEY_OVERLAP = "a day"
