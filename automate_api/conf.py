"""Settings of `automate_api`: one typed, documented property each, read live from Django's settings.

Nothing here is cached and nothing is read at import, so `override_settings` and a reloaded configuration always count.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings as django_settings


class Settings:
    """Typed view of the `AUTOMATE_API_*` settings."""

    prefix = "AUTOMATE_API"

    def get(self, name: str, default: Any = None) -> Any:
        """The value of `<prefix>_<name>` in Django's settings, else `default`."""
        return getattr(django_settings, f"{self.prefix}_{name}", default)

    @property
    def encryption_keys(self) -> Sequence[str]:
        """`AUTOMATE_API_ENCRYPTION_KEYS`: Fernet keys for secrets at rest. The first encrypts, all decrypt."""
        keys: Sequence[str] = self.get("ENCRYPTION_KEYS", ())
        return keys

    @property
    def authentication_classes(self) -> Sequence[str]:
        """`AUTOMATE_API_AUTHENTICATION_CLASSES`: dotted paths of DRF authenticators, asked in order."""
        default = (
            "automate_api.v1.authentication.APIKeyAuthentication",
            "rest_framework.authentication.SessionAuthentication",
        )
        classes: Sequence[str] = self.get("AUTHENTICATION_CLASSES", default)
        return classes

    @property
    def tenant_resolver(self) -> str:
        """`AUTOMATE_API_TENANT_RESOLVER`: dotted path of `(request) -> str | int | UUID | None`."""
        return str(self.get("TENANT_RESOLVER", "automate_api.tenancy.single_tenant"))

    @property
    def tenant_members(self) -> str:
        """`AUTOMATE_API_TENANT_MEMBERS`: dotted path of `(tenant_id: str) -> QuerySet[User]`."""
        return str(self.get("TENANT_MEMBERS", "automate_api.tenancy.every_active_user"))

    @property
    def private_hosts(self) -> Sequence[str]:
        """`AUTOMATE_API_PRIVATE_HOSTS`: hosts, addresses or networks outbound calls may reach although not public."""
        hosts: Sequence[str] = self.get("PRIVATE_HOSTS", ())
        return hosts

    @property
    def redact_patterns(self) -> Sequence[str]:
        """`AUTOMATE_API_REDACT_PATTERNS`: regular expressions whose matches are never stored nor logged."""
        patterns: Sequence[str] = self.get("REDACT_PATTERNS", ())
        return patterns

    @property
    def redactor(self) -> str | None:
        """`AUTOMATE_API_REDACTOR`: dotted path of `(text: str) -> str`, asked after the patterns; None: nobody is."""
        path: str | None = self.get("REDACTOR")
        return path

    @property
    def public_schema(self) -> bool:
        """`AUTOMATE_API_PUBLIC_SCHEMA`: True shows the OpenAPI schema and its browsers to anonymous callers."""
        return bool(self.get("PUBLIC_SCHEMA", False))

    @property
    def models(self) -> Mapping[str, Mapping[str, Any]]:
        """`AUTOMATE_API_MODELS`: what the host knows of models, by `"provider-slug/model"` or `"model"`.

        Each value may have `input_price` and `output_price` (US dollars per million tokens, as strings),
        `context_window` (tokens) and `capabilities` (task types).
        """
        catalogue: Mapping[str, Mapping[str, Any]] = self.get("MODELS", {})
        return catalogue

    @property
    def connect_timeout(self) -> float:
        """`AUTOMATE_API_CONNECT_TIMEOUT`: seconds to open a connection to a model server."""
        return float(self.get("CONNECT_TIMEOUT", 10))

    @property
    def first_byte_timeout(self) -> float:
        """`AUTOMATE_API_FIRST_BYTE_TIMEOUT`: seconds to the first byte of a streamed answer."""
        return float(self.get("FIRST_BYTE_TIMEOUT", 60))

    @property
    def idle_timeout(self) -> float:
        """`AUTOMATE_API_IDLE_TIMEOUT`: seconds between two chunks of a streamed answer."""
        return float(self.get("IDLE_TIMEOUT", 30))

    @property
    def run_timeout(self) -> float:
        """`AUTOMATE_API_RUN_TIMEOUT`: seconds a synchronous or streamed run may take, retries included."""
        return float(self.get("RUN_TIMEOUT", 600))

    @property
    def job_dispatcher(self) -> str:
        """`AUTOMATE_API_JOB_DISPATCHER`: dotted path of the `Dispatcher` that hands jobs to workers."""
        return str(self.get("JOB_DISPATCHER", "automate_api.dispatch.tasks.TasksDispatcher"))

    @property
    def lease(self) -> float:
        """`AUTOMATE_API_LEASE`: seconds after its last heartbeat when a process is taken for dead."""
        return float(self.get("LEASE", 30))

    @property
    def heartbeat(self) -> float:
        """`AUTOMATE_API_HEARTBEAT`: seconds between two heartbeats; a third of the lease or less."""
        return float(self.get("HEARTBEAT", 10))

    @property
    def job_attempts(self) -> int:
        """`AUTOMATE_API_JOB_ATTEMPTS`: how often a job is tried before it has failed."""
        return int(self.get("JOB_ATTEMPTS", 3))

    @property
    def job_backoff(self) -> float:
        """`AUTOMATE_API_JOB_BACKOFF`: seconds before the second attempt; each further one waits twice as long."""
        return float(self.get("JOB_BACKOFF", 10))

    @property
    def job_jitter(self) -> float:
        """`AUTOMATE_API_JOB_JITTER`: up to so many seconds are added to each wait, by chance."""
        return float(self.get("JOB_JITTER", 5))

    @property
    def job_timeout(self) -> float:
        """`AUTOMATE_API_JOB_TIMEOUT`: seconds that an attempt may take."""
        return float(self.get("JOB_TIMEOUT", 900))

    @property
    def job_retention(self) -> float | None:
        """`AUTOMATE_API_JOB_RETENTION`: seconds for which a job is kept after its end; None: for ever."""
        seconds: float | None = self.get("JOB_RETENTION")
        return seconds

    @property
    def job_event_retention(self) -> float | None:
        """`AUTOMATE_API_JOB_EVENT_RETENTION`: seconds for which an ended job's events are kept; None: for ever."""
        seconds: float | None = self.get("JOB_EVENT_RETENTION", 604_800)
        return seconds

    @property
    def prompt_log_retention(self) -> float | None:
        """`AUTOMATE_API_PROMPT_LOG_RETENTION`: seconds for which a prompt log is kept; None: for ever."""
        seconds: float | None = self.get("PROMPT_LOG_RETENTION")
        return seconds

    @property
    def cache(self) -> str | None:
        """`AUTOMATE_API_CACHE`: which of `CACHES` keeps rows that are read often; None: none does."""
        name: str | None = self.get("CACHE", "default")
        return name

    @property
    def key_overlap(self) -> int:
        """`AUTOMATE_API_KEY_OVERLAP`: seconds for which a rotated API key's old secret goes on working."""
        return int(self.get("KEY_OVERLAP", 0))

    @property
    def key_last_used_every(self) -> float:
        """`AUTOMATE_API_KEY_LAST_USED_EVERY`: seconds in which the last use of an API key is written once at most."""
        return float(self.get("KEY_LAST_USED_EVERY", 300))

    @property
    def rate_limit(self) -> str | None:
        """`AUTOMATE_API_RATE_LIMIT`: what each caller may ask of each view, such as `1000/hour`; None: no limit."""
        rate: str | None = self.get("RATE_LIMIT")
        return rate

    @property
    def proxy_count(self) -> int:
        """`AUTOMATE_API_PROXY_COUNT`: proxies of the host's own in front, each of which adds to `X-Forwarded-For`."""
        return int(self.get("PROXY_COUNT", 0))

    @property
    def idempotency_retention(self) -> int:
        """`AUTOMATE_API_IDEMPOTENCY_RETENTION`: seconds for which an answer is kept under its `Idempotency-Key`."""
        return int(self.get("IDEMPOTENCY_RETENTION", 86_400))

    @property
    def max_response_bytes(self) -> int:
        """`AUTOMATE_API_MAX_RESPONSE_BYTES`: the largest answer taken from a model server."""
        return int(self.get("MAX_RESPONSE_BYTES", 10 * 1024 * 1024))

    @property
    def max_request_bytes(self) -> int:
        """`AUTOMATE_API_MAX_REQUEST_BYTES`: a JSON body this long or longer is refused with 413.

        Django's own `DATA_UPLOAD_MAX_MEMORY_SIZE` (2.5 MB unless set) holds too.
        """
        return int(self.get("MAX_REQUEST_BYTES", 10_000_000))

    @property
    def artifact_max_bytes(self) -> int:
        """`AUTOMATE_API_ARTIFACT_MAX_BYTES`: the largest file that callers may upload and runs may make."""
        return int(self.get("ARTIFACT_MAX_BYTES", 100 * 1024 * 1024))

    @property
    def artifact_retention(self) -> float | None:
        """`AUTOMATE_API_ARTIFACT_RETENTION`: seconds after which an artifact has expired; None: it never does."""
        seconds: float | None = self.get("ARTIFACT_RETENTION", 30 * 86_400)
        return seconds

    @property
    def llm_client_retention(self) -> float | None:
        """`AUTOMATE_API_LLM_CLIENT_RETENTION`: seconds a deleted LLM client can be restored; None: for ever."""
        seconds: float | None = self.get("LLM_CLIENT_RETENTION", 30 * 86_400)
        return seconds

    @property
    def event_max_bytes(self) -> int:
        """`AUTOMATE_API_EVENT_MAX_BYTES`: the longest payload of an event, as JSON in UTF-8."""
        return int(self.get("EVENT_MAX_BYTES", 64 * 1024))

    @property
    def event_retention(self) -> float | None:
        """`AUTOMATE_API_EVENT_RETENTION`: seconds for which an event is kept, and known again; None: for ever."""
        seconds: float | None = self.get("EVENT_RETENTION")
        return seconds

    @property
    def signing_keys(self) -> Sequence[str]:
        """`AUTOMATE_API_SIGNING_KEYS`: keys that sign tokens of organizations. The first signs, all verify."""
        keys: Sequence[str] = self.get("SIGNING_KEYS", ())
        return keys

    @property
    def maintenance(self) -> bool:
        """`AUTOMATE_API_MAINTENANCE`: True answers 503 on the organization routes, and on views with the mixin."""
        return bool(self.get("MAINTENANCE", False))

    @property
    def maintenance_retry_after(self) -> int:
        """`AUTOMATE_API_MAINTENANCE_RETRY_AFTER`: seconds after which callers are told to come back."""
        return int(self.get("MAINTENANCE_RETRY_AFTER", 300))


settings = Settings()
