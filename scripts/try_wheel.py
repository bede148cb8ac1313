"""Try the installed packages in a host that has nothing but the core dependencies.

They import, migrate, pass Django's checks and yield their schema, and come with their migrations and type marker.
"""

import importlib
import io
import pkgutil
import sys
from importlib.util import find_spec
from pathlib import Path

import django
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.urls import URLResolver, include, path

PACKAGES = ("automate", "automate_api", "automate_modal")
CHECKOUT = Path(__file__).resolve().parent.parent
EXTRAS = (
    "celery",
    "celpy",
    "cronsim",
    "django_tasks_db",
    "drf_spectacular_sidecar",
    "psycopg",
    "redis",
    "standardwebhooks",
    "uvicorn",
    "gunicorn",
    "granian",
    "xllamacpp",
)
# Imported only where a setting names them.
OPTIONAL = {"automate_api.dispatch.celery": "celery"}

urlpatterns: list[URLResolver] = []  # this script is its host's URL configuration too


def configure() -> None:
    """The smallest host."""
    settings.configure(
        ALLOWED_HOSTS=["*"],
        AUTOMATE_API_ENCRYPTION_KEYS=[Fernet.generate_key().decode()],
        AUTOMATE_API_SIGNING_KEYS=[Fernet.generate_key().decode()],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "corsheaders",
            "django_filters",
            "drf_spectacular",
            "rest_framework",
            *PACKAGES,
        ],
        REST_FRAMEWORK={"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"},
        ROOT_URLCONF="__main__",
        SECRET_KEY="only here",  # noqa: S106 - used for nothing
        # They say that there are no schema pages and no rules without their extras.
        SILENCED_SYSTEM_CHECKS=["automate_api.W005", "automate.W001"],
        USE_TZ=True,
    )
    django.setup()
    urlpatterns.append(path("api/v1/", include("automate_api.urls")))
    urlpatterns.append(path("api/v1/", include("automate.urls")))
    urlpatterns.append(path("api/v1/modal/", include("automate_modal.urls")))
    urlpatterns.append(path("openai/v1/", include("automate_api.openai.urls")))
    urlpatterns.append(path("", include("automate_api.workbench.urls")))
    urlpatterns.append(path("v1/<slug:organization>/", include("automate_api.organization.urls")))


def modules(package: str) -> list[str]:
    """The names of all modules of a package, after importing each. (Django imports `admin` only for its own admin.)"""
    root = importlib.import_module(package)
    names = [info.name for info in pkgutil.walk_packages(root.__path__, f"{package}.")]
    always = [name for name in names if not name.endswith(".admin") and name not in OPTIONAL]
    return [importlib.import_module(name).__name__ for name in always]


def lacks(module: str) -> str | None:
    """The package whose absence keeps a module from being imported."""
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as exc:
        return exc.name
    return None


def without_rules() -> str:
    """What somebody is told who evaluates a rule where nothing reads rules."""
    rules, exceptions = (importlib.import_module(name) for name in ("automate.rules", "automate_api.exceptions"))
    try:
        rules.compile_rule("1 == 1")
    except exceptions.NotConfigured as exc:
        return str(exc)
    return ""


def failures() -> list[str]:
    """What is wrong with the installation."""
    found = [f"{name} is installed: this is no core-only environment" for name in EXTRAS if find_spec(name)]
    found += [f"{name} needs no {extra}" for name, extra in OPTIONAL.items() if lacks(name) != extra]
    if "automate.W001" not in {message.id for message in run_checks()}:
        found.append("no check says that rules cannot be read")
    if "django-automate-api[workflows]" not in without_rules():
        found.append("a rule does not name the extra that it needs")
    for package in PACKAGES:
        folder = Path(str(importlib.import_module(package).__file__)).parent
        if folder.is_relative_to(CHECKOUT) and ".tox" not in folder.parts:
            found.append(f"{package} is the checkout's, not the wheel's")
        if not (folder / "py.typed").is_file():
            found.append(f"{package} has no py.typed")
    return found


def main() -> int:
    """Try everything; the exit code."""
    configure()
    print(f"{sum(len(modules(package)) for package in PACKAGES)} modules imported")
    call_command("check", fail_level="WARNING")
    call_command("migrate", verbosity=0)
    schema = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=schema)
    print(f"{schema.getvalue().count('operationId:')} operations in the schema")
    problems = failures()
    print("\n".join(problems), file=sys.stderr)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
