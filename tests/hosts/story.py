"""What everybody does in a host, in chapters of `{step: finding}`; `python -m tests.hosts` tells it as JSON."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.checks import ERROR, run_checks
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import patched_settings
from rest_framework.settings import api_settings

from automate_api.models import LLMClientShare
from automate_api.services.api_keys import issue_key
from tests.hosts.telling import Caller, Chapter, api, failure_of, model_server, route, same, told
from tests.upstream import TEXT, FakeUpstream

PRICES = {"chat": {"input_price": "0.15", "output_price": "0.60"}}
LISTS = ("provider", "llm-client", "endpoint", "execution", "prompt-log", "api-key")
OURS = "automate_api.v1.schema.SchemaGenerator"
VERSIONS = ("3.0.3", "3.1.1")


def join(user: Any, name: str) -> str:
    """Make somebody a member of a tenant; its id."""
    return name


class Story:
    """The chapters."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.upstream = upstream
        self.anonymous = self.caller()

    def caller(self, **fields: Any) -> Caller:
        return Caller(Client(raise_request_exception=False), **fields)

    def person(self, name: str, tenant: str, *, is_staff: bool = False) -> Caller:
        """Somebody new in a tenant, with an API key."""
        users: Any = get_user_model()
        user = users.objects.create_user(
            **{users.USERNAME_FIELD: f"{name}@example.com"}, password=name, is_staff=is_staff
        )
        tenant_id = import_string(getattr(settings, "STORY_TENANT", "tests.hosts.story.join"))(user, tenant)
        _key, text = issue_key(tenant_id=tenant_id, user=user, name=name, scopes=["*"])
        return self.caller(key=text, user=user, tenant_id=tenant_id)

    def signed_in(self, caller: Caller) -> Caller:
        session = self.caller()
        session.client.force_login(caller.user)
        return session

    # -- chapters --------------------------------------------------------------------------------------------------

    def installation(self) -> Chapter:
        """Checks, migrations from nothing, and no migration that is missing."""
        messages = run_checks(include_deployment_checks=True)
        found = sorted({str(m.id) for m in messages if m.level >= ERROR or str(m.id).startswith("automate")})
        with redirect_stdout(io.StringIO()):
            call_command("migrate", verbosity=0)
        return {"checks": found, "missing_migrations": failure_of("makemigrations", check=True, dry_run=True)}

    def people(self) -> Chapter:
        """Four of them, in two tenants."""
        self.staff = self.person("staff", "default", is_staff=True)
        self.member = self.person("member", "default")
        self.other = self.person("other", "default")
        self.stranger = self.person("stranger", "elsewhere", is_staff=True)
        return {"made": len({self.staff.user.pk, self.member.user.pk, self.other.user.pk, self.stranger.user.pk})}

    def making(self) -> Chapter:
        """A provider, a client, an endpoint; and those who may not."""
        provider = {
            "name": "Main",
            "slug": "main",
            "base_url": self.upstream.url,
            "api_key": "sk-secret",
            "max_retries": 0,
        }
        made = self.staff("POST", api("provider-list"), provider)
        self.provider = made.json()["id"]
        client = self.staff("POST", api("llm-client-list"), self._client_body("Helper", "chat"))
        self.client = client.json()["id"]
        endpoint = self.staff("POST", api("endpoint-list"), self._endpoint_body("ask", self.client))
        self.endpoint = endpoint.json()["id"]
        return {
            "provider": told(made),
            "client": told(client),
            "endpoint": told(endpoint),
            "by_a_member": told(self.member("POST", api("provider-list"), provider)),
            "by_nobody": told(self.anonymous("POST", api("provider-list"), provider)),
            "again": told(self.staff("POST", api("provider-list"), provider)),
            "wrong": told(self.staff("POST", api("provider-list"), {"name": "", "base_url": 1})),
            "changed": told(self.staff("PATCH", api("endpoint-detail", pk="ask"), {"name": "Ask me"})),
        }

    def _client_body(self, name: str, model: str) -> Any:
        return {"name": name, "provider": self.provider, "model": model, "temperature": 0.5}

    def _endpoint_body(self, slug: str, client: int, **fields: Any) -> Any:
        return {"name": slug, "slug": slug, "task_types": ["llm.chat"], "llm_client": client, **fields}

    def running(self) -> Chapter:
        """A run, one that fails and is kept, and who may read them."""
        run = self.member("POST", api("endpoint-run", pk="ask"), {"input": "Hello", "params": {"temperature": 0}})
        client = self.staff("POST", api("llm-client-list"), self._client_body("Broken", "status:500")).json()["id"]
        self.staff("POST", api("endpoint-list"), self._endpoint_body("fails", client))
        failed = self.member("POST", api("endpoint-run", pk="fails"), {"input": "Hello"})
        executions = self.member("GET", api("execution-list")).json()["results"]
        self.execution = run.json()["id"]
        return {
            "run": told(run),
            "text": run.json()["output"]["text"] == TEXT,
            "failed": told(failed),
            "kept": [execution["status"] for execution in executions],
            "read": told(self.member("GET", api("execution-detail", pk=self.execution))),
            "by_another": told(self.other("GET", api("execution-detail", pk=self.execution))),
            "by_staff": self.staff("GET", api("execution-detail", pk=self.execution)).status_code,
            "by_nobody": told(self.anonymous("POST", api("endpoint-run", pk="ask"), {"input": "Hello"})),
        }

    def streaming(self) -> Chapter:
        """A stream to its end, and one that fails."""
        try:
            paths = [route("automate_modal:endpoint-stream", pk=slug) for slug in ("ask", "fails")]
        except NoReverseMatch:
            return {}
        found = {}
        for name, path in zip(("whole", "failed"), paths, strict=True):
            answer = self.member("POST", path, {"input": "Hello"}, Accept="text/event-stream")
            frames = b"".join(answer.streaming_content).decode()
            answer.close()
            events = re.findall(r"^event: (\w+)$", frames, re.MULTILINE)
            found[name] = [answer.status_code, answer.headers["Content-Type"], events[0], events[-1]]
        newest = self.member("GET", api("execution-list")).json()["results"][:2]
        return {**found, "kept": [execution["status"] for execution in newest]}

    def automating(self) -> Chapter:
        """A workflow with a trigger, run to its end."""
        try:
            path = route("automate:workflow-list")
        except NoReverseMatch:
            return {}
        step = {"name": "note", "type": "set", "with": {"values": {"sum": {"cel": "event.payload.n + 1"}}}}
        definition = {"steps": [step], "output": {"cel": "steps.note.output.sum"}}
        wrong = {"steps": [{"name": "ask", "type": "endpoint", "with": {"endpoint": "absent", "input": ""}}]}
        made = self.staff("POST", path, {"name": "Sum", "definition": definition, "secrets": {"shop": "s"}})
        pk = made.json()["id"]
        run = self.staff("POST", route("automate:workflow-run", pk=pk), {"input": {"n": 1}})
        ended = self.staff("GET", run.headers["Location"])
        hook = self.staff("POST", route("automate:trigger-list"), {"name": "Hook", "kind": "hook", "workflow": pk})
        theirs = [self.stranger("GET", route("automate:workflow-detail", pk=key)) for key in (pk, 4711)]
        return {
            "made": told(made),
            "wrong": told(self.staff("POST", path, {"name": "Wrong", "definition": wrong})),
            "by a member": told(self.member("POST", path, {"name": "Sum", "definition": definition})),
            "run": told(run),
            "ended": told(ended),
            "output": ended.json()["output"],
            "hook": told(hook),
            "strangers": same(*theirs),
        }

    def listing(self) -> Chapter:
        """Each list, page by page."""
        found: Chapter = {"index": told(self.staff("GET", api("index")))}
        for name in LISTS:
            found[name] = told(self.staff("GET", api(f"{name}-list") + "?page_size=1&count=true"))
            found[f"{name} by nobody"] = told(self.anonymous("GET", api(f"{name}-list")))
            found[f"{name} elsewhere"] = len(self.stranger("GET", api(f"{name}-list")).json()["results"])
        path, seen = api("execution-list") + "?page_size=1", []
        while path:
            page = self.staff("GET", path).json()
            seen += [row["id"] for row in page["results"]]
            path = page["next"]
        found["walked"] = len(seen) == len(set(seen)) == len(self.staff("GET", api("execution-list")).json()["results"])
        for query in ("?format=api", "?page=1", "?search=x", "?o=x", "?limit=1", "?version=7", "?ordering=nothing"):
            found[query] = told(self.staff("GET", api("execution-list") + query))
        found["as html"] = told(self.staff("GET", api("execution-list"), Accept="text/html"))
        found["options"] = told(self.staff("OPTIONS", api("execution-list")))
        found["head"] = self.staff("HEAD", api("execution-list")).status_code
        found["models"] = told(self.member("GET", api("model-list")))
        return found

    def strangers(self) -> Chapter:
        """What is another tenant's answers like what is not there, wherever its id stands."""
        found: Chapter = {}
        ids = {"provider": self.provider, "llm-client": self.client, "endpoint": self.endpoint}
        for name, pk in {**ids, "execution": self.execution}.items():
            absent = pk + 4711 if isinstance(pk, int) else "01890a5d-ac96-7000-8000-000000000000"
            for method in ("GET", "PATCH", "DELETE"):
                answers = [self.stranger(method, api(f"{name}-detail", pk=key), {}) for key in (pk, absent)]
                found[f"{method} {name}"] = same(*answers)
        bodies = [{**self._client_body("Mine", "m"), "provider": key} for key in (self.provider, 4711)]
        found["body provider"] = same(*(self.stranger("POST", api("llm-client-list"), body) for body in bodies))
        bodies = [self._endpoint_body("mine", key) for key in (self.client, 4711)]
        found["body client"] = same(*(self.stranger("POST", api("endpoint-list"), body) for body in bodies))
        runs = [self.stranger("POST", api("endpoint-run", pk=key), {"input": "x"}) for key in ("ask", "absent")]
        queries = [self.stranger("GET", f"{api('execution-list')}?endpoint={key}") for key in (self.endpoint, 4711)]
        return {**found, "run": same(*runs), "query": same(*queries)}

    def sharing(self) -> Chapter:
        """An endpoint for one person, a client shared with one person, and keys of one's own."""
        user = json.loads(json.dumps(self.member.user.pk, default=str))
        absent = 4711 if isinstance(user, int) else "01890a5d-ac96-7000-8000-000000000000"
        access = {"members": False, "users": [user], "groups": []}
        made = self.staff("POST", api("endpoint-list"), self._endpoint_body("private", self.client, access=access))
        runs = [who("POST", api("endpoint-run", pk="private"), {"input": "x"}) for who in (self.member, self.other)]
        path = api("llm-client-detail", pk=self.client)
        before = self.member("GET", path).status_code
        LLMClientShare.objects.create(llm_client_id=self.client, user=self.member.user)
        key = self.member("POST", api("api-key-list"), {"name": "mine", "scopes": ["endpoints:run"]})
        by_staff = self.staff("POST", api("api-key-list"), {"name": "theirs", "scopes": ["*"], "user": user})
        return {
            "made": told(made),
            "runs": [run.status_code for run in runs],
            "shared": told(self.staff("GET", path)),
            "read": [before, self.member("GET", path).status_code, self.other("GET", path).status_code],
            "key": told(key),
            "key by staff": told(by_staff),
            "absent user": told(
                self.staff("PATCH", api("endpoint-detail", pk="private"), {"access": {**access, "users": [absent]}})
            ),
        }

    def repeating(self) -> Chapter:
        """What is sent twice with one key is done once."""
        body = self._client_body("Once", "chat")
        twice = [self.staff("POST", api("llm-client-list"), body, Idempotency_Key="one") for _ in range(2)]
        runs = [self.member("POST", api("endpoint-run", pk="ask"), {"input": "x"}, Idempotency_Key="two") for _ in "12"]
        other = self.staff("POST", api("llm-client-list"), {**body, "name": "Other"}, Idempotency_Key="one")
        stdout = io.StringIO()
        call_command("prune", stdout=stdout)
        return {
            "created": [answer.status_code for answer in twice],
            "same": [twice[0].content == twice[1].content, runs[0].content == runs[1].content],
            "replayed": [answer.headers.get("Idempotent-Replayed") for answer in (*twice, *runs)],
            "other body": told(other),
        }

    def limits(self) -> Chapter:
        """A limit by setting."""
        with override_settings(AUTOMATE_API_RATE_LIMIT="2/day"):
            answers = [self.other("GET", api("endpoint-list")) for _ in range(3)]
            elsewhere = self.member("GET", api("endpoint-list")).status_code
        policy = [answer.headers.get("RateLimit-Policy") for answer in answers]
        return {
            "statuses": [answer.status_code for answer in answers],
            "policy": policy,
            "told": [told(answers[2]), "Retry-After" in answers[2].headers],
            "another user": elsewhere,
        }

    def schema(self) -> Chapter:
        """The OpenAPI description, by command and over HTTP."""
        found: Chapter = {}
        # Where the host does not use drf-spectacular for its own views, the usual generator fails on any of them.
        generator = None if issubclass(api_settings.DEFAULT_SCHEMA_CLASS, AutoSchema) else OURS
        for version in VERSIONS:
            with patched_settings({"OAS_VERSION": version}):
                found[version] = failure_of("spectacular", validate=True, fail_on_warn=True, generator_class=generator)
        served = self.member("GET", api("schema"))
        paths = served.json()["paths"] if served.status_code == 200 else {}
        return {
            **found,
            "served": [served.status_code, served.headers["Content-Type"]],
            "mount": api("provider-list") in {served.json()["servers"][0]["url"].rstrip("/") + path for path in paths},
            "by nobody": told(self.anonymous("GET", api("schema"))),
            "pages": [self.member("GET", api(name)).status_code for name in ("docs", "redoc")],
            "public": self.public_schema(),
        }

    def public_schema(self) -> list[int]:
        with override_settings(AUTOMATE_API_PUBLIC_SCHEMA=True):
            return [self.anonymous("GET", api(name)).status_code for name in ("schema", "docs", "redoc")]

    def sessions(self) -> Chapter:
        """A session reads, and changes things with the token."""
        if not apps.is_installed("django.contrib.sessions"):
            return {}
        session = self.signed_in(self.member)
        strict = Caller(Client(enforce_csrf_checks=True, raise_request_exception=False))
        strict.client.force_login(self.member.user)
        body = self._client_body("By session", "chat")
        return {
            "list": told(session("GET", api("execution-list"))),
            "stranger": len(self.signed_in(self.stranger)("GET", api("provider-list")).json()["results"]),
            "made": told(session("POST", api("llm-client-list"), body)),
            "without the token": told(strict("POST", api("llm-client-list"), {**body, "name": "Other"})),
        }

    def admin(self) -> Chapter:
        """Each page of the admin that shows the package's rows."""
        if not apps.is_installed("django.contrib.admin"):
            return {}
        users: Any = get_user_model()
        root = users.objects.create_user(**{users.USERNAME_FIELD: "root@example.com"}, is_staff=True, is_superuser=True)
        session = self.caller()
        session.client.force_login(root)
        return {
            model.__name__: list(self._admin_pages(session, model))
            for model in apps.get_app_config("automate_api").get_models()
            if self._has_admin(model)
        }

    def _has_admin(self, model: Any) -> bool:
        return admin.site.is_registered(model)

    def _admin_pages(self, session: Caller, model: Any) -> Iterator[int]:
        label = f"admin:automate_api_{model._meta.model_name}"
        yield session("GET", reverse(f"{label}_changelist")).status_code
        row = model.objects.first()
        if row is not None:
            yield session("GET", reverse(f"{label}_change", args=[row.pk])).status_code

    def leaving(self) -> Chapter:
        """Somebody may no longer sign in."""
        leaver = self.person("leaver", "default")
        before = leaver("GET", api("endpoint-list")).status_code
        leaver.user.is_active = False
        leaver.user.save()
        return {"key": [before, leaver("GET", api("endpoint-list")).status_code]}

    def own(self) -> Chapter:
        """What this host alone has."""
        chapter = getattr(settings, "STORY_OWN", None)
        own: Chapter = import_string(chapter)(self) if chapter else {}
        return own


CHAPTERS = ("installation", "people", "making", "running", "streaming", "automating", "listing", "strangers")
FURTHER = ("sharing", "repeating", "limits", "schema", "sessions", "admin", "leaving", "own")


def tell() -> dict[str, Chapter]:
    """The whole story."""
    with (
        model_server() as upstream,
        override_settings(AUTOMATE_API_PRIVATE_HOSTS=[upstream.host], AUTOMATE_API_MODELS=PRICES),
    ):
        story = Story(upstream)
        return {chapter: getattr(story, chapter)() for chapter in (*CHAPTERS, *FURTHER)}
