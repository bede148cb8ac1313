"""Settings of the host with organizations."""

from tests.hosts import ground
from tests.hosts.ground import *  # noqa: F403

ROOT_URLCONF = "tests.hosts.by_organization.urls"
INSTALLED_APPS = [
    *ground.USERS,
    *ground.SESSIONS,
    *ground.NEEDED,
    "automate_api",
    "automate",
    "automate_modal",
    "tests.hosts.by_organization",
]
MIDDLEWARE = ground.SESSION_MIDDLEWARE
AUTOMATE_API_TENANT_RESOLVER = "tests.hosts.by_organization.tenancy.organization_of"
AUTOMATE_API_TENANT_MEMBERS = "tests.hosts.by_organization.tenancy.members"
STORY_TENANT = "tests.hosts.by_organization.tenancy.join"
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
STORY_OWN = "tests.hosts.by_organization.own.chapter"
