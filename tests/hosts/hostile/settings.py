"""Settings of the hostile host."""

from tests.hosts import ground
from tests.hosts.ground import *  # noqa: F403

ROOT_URLCONF = "tests.hosts.hostile.urls"
FORCE_SCRIPT_NAME = "/below"
USE_TZ = False
TIME_ZONE = "Asia/Kolkata"
USE_I18N = True
LANGUAGE_CODE = "de"
APPEND_SLASH = False
INSTALLED_APPS = [*ground.USERS, *ground.SESSIONS, *ground.NEEDED, "automate_api", "automate", "automate_modal"]
MIDDLEWARE = [
    *ground.SESSION_MIDDLEWARE[:1],
    "django.middleware.locale.LocaleMiddleware",
    *ground.SESSION_MIDDLEWARE[1:],
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": "builtins.dict",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day", "user": "1/day"},
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "ALLOWED_VERSIONS": ["7"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "DEFAULT_FILTER_BACKENDS": ["rest_framework.filters.SearchFilter"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "rest_framework.negotiation.DefaultContentNegotiation",
    "DEFAULT_METADATA_CLASS": "rest_framework.metadata.SimpleMetadata",
    "EXCEPTION_HANDLER": "tests.hosts.hostile.errors.handle",
    "NON_FIELD_ERRORS_KEY": "everything",
    "SEARCH_PARAM": "cursor",
    "ORDERING_PARAM": "o",
    "URL_FORMAT_OVERRIDE": "count",
    "FORMAT_SUFFIX_KWARG": None,
    "COERCE_DECIMAL_TO_STRING": False,
    "COERCE_BIGINT_TO_STRING": True,
    "DATETIME_FORMAT": "%d.%m.%Y",
    "DATETIME_INPUT_FORMATS": ["%d.%m.%Y"],
    "DATE_FORMAT": "%d.%m.%Y",
    "UPLOADED_FILES_USE_URL": False,
    "UNICODE_JSON": False,
    "COMPACT_JSON": False,
    "STRICT_JSON": False,
    "NUM_PROXIES": 3,
    "PAGE_SIZE": 1,
}
STORY_NAMESPACE = "outer:"
STORY_OWN = "tests.hosts.hostile.own.chapter"
