"""A client of the organization admin API, written from its protocol alone, against real servers."""

import base64
import http.client
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.servers import ROOT, Served, environment, seed, served

pytestmark = pytest.mark.slow

FILL = """
import django
django.setup()
from django.contrib.auth import get_user_model
from tests.factories import make_prompt_log, make_provider
from tests.prompt_logs import make_prompt_logs
make_prompt_logs(1001, size=30, tenant_id="acme")
member = get_user_model().objects.get(username="acme-member")
make_prompt_log(tenant_id="acme", log_key="helper-1", user=member, system="Be brief.", history=[
    {"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Yes."},
])
make_prompt_log(tenant_id="acme", log_key="helper-2")
make_prompt_log(tenant_id="globex", log_key="helper-3")
make_provider(tenant_id="acme", default_model="large", base_url="http://127.0.0.1:1/v1")
"""


@dataclass
class Answer:
    """Status, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str]:
        """Status and code; an error has this form and no other."""
        told = json.loads(self.body)
        assert self.headers["content-type"] == "application/json"
        assert set(told) == {"detail", "code"}
        return self.status, told["code"]


@dataclass
class OrganizationClient:
    """What an existing client does: it knows three addresses, their headers, and how to wait."""

    server: Served
    organization: str
    key: str
    user_id: str
    waited: list[int] = field(default_factory=list)
    token: str = ""

    @property
    def key_id(self) -> str:
        digits = self.key.split("_")[1]
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def send(self, method: str, path: str, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        sent = {"x-mongo-cluster-name": "cluster-1", **headers}
        connection.request(method, f"/v1/{self.organization}/{path}", headers=sent)
        answer = connection.getresponse()
        found = Answer(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        connection.close()
        assert not 300 <= found.status < 400, found
        return found

    def sign_in(self, **headers: str) -> Answer:
        claims = {"x-api-key": self.key, "x-api-key-id": self.key_id, "x-user-id": self.user_id, **headers}
        answer = self.send("POST", "user/signin_with_api_key", **claims)
        if answer.status == 200:
            told = json.loads(answer.body)
            assert datetime.fromisoformat(told["expires_at"]).tzinfo is not None
            self.token = told["id_token"]
        return answer

    def get(self, path: str, *, basic: bool = False, **headers: str) -> Answer:
        pair = f"{self.organization}_{self.user_id}:{self.token}".encode()
        credentials = f"Basic {base64.b64encode(pair).decode()}" if basic else f"Bearer {self.token}"
        return self.send("GET", path, **{"Authorization": credentials, **headers})

    def models(self, **how: Any) -> Answer:
        return self.get("admin/get_models/", **how)

    def logs(self, prefix: str, **how: Any) -> Answer:
        return self.get(f"admin/get_prompt_logs/?prompt_log_prefix={quote(prefix)}", **how)

    def patiently(self, path: str) -> Answer:
        """Ask until the server is not too busy, and wait for as long as it says."""
        while (answer := self.get(path)).status == 429:
            self.waited.append(int(answer.headers["retry-after"]))
            self.server.call("GET", f"/clock/?seconds={self.waited[-1]}", who="")
        return answer


@dataclass
class Site:
    """A server, and the environment of its commands."""

    server: Served
    env: dict[str, str]

    def client(self, organization: str, who: str) -> OrganizationClient:
        """One with its user's id, as the API tells it to its owner."""
        key = self.server.keys[who]
        listed = self.server.call("GET", "/api/v1/api-keys/", who=f"{who.partition('-')[0]}-staff")[1]["results"]
        return OrganizationClient(
            self.server, organization, key, str(next(r["user"] for r in listed if r["name"] == who))
        )

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "django", *arguments]
        return subprocess.run(command, env=self.env, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.fixture(params=["gunicorn-gthread", "uvicorn"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    env = environment(f"sqlite:///{tmp_path}/db.sqlite3")
    keys = seed(env)
    subprocess.run([sys.executable, "-c", FILL], env=env, cwd=ROOT, check=True)
    with served(request.param, env, keys, tmp_path / "server.log") as running:
        running.call("GET", "/clock/?seconds=0", who="")
        yield Site(running, env)


def test_a_client_that_keeps_to_the_protocol_is_served_and_refused_as_it_says(site: Site) -> None:
    staff, member = site.client("acme", "acme-staff"), site.client("acme", "acme-member")

    # It signs in, lists models and downloads logs.
    assert staff.sign_in().status == 200
    assert member.sign_in().status == 200
    for basic in (False, True):
        models = json.loads(staff.models(basic=basic).body)["models"]
        assert [model["name"] for model in models] == ["large"]
        assert all(model.keys() == {"name", "params_model_schema"} for model in models)
    answer = member.logs("helper-", **{"X-ORG-ID": "acme"})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as opened:
        files = {name: opened.read(name).decode() for name in opened.namelist()}
    assert files.pop("helper-2-error").startswith("permission_denied")
    assert files == {"helper-1-system": "Be brief.", "helper-1-history": "user\nHello?\n---\nassistant\nYes."}

    # 401, 403, 404, 422.
    assert site.client("acme", "acme-staff").models().error[0] == 401
    assert staff.models(**{"X-ORG-ID": "globex"}).error == (403, "permission_denied")
    abroad = site.client("globex", "acme-staff")
    abroad.token = staff.token
    assert abroad.models(**{"X-ORG-ID": "acme"}).error == (403, "permission_denied")
    assert member.models().error == (403, "permission_denied")
    assert staff.logs("helper-3").error == (404, "not_found")
    assert [staff.logs(prefix).error for prefix in ("", "log-")] == [(422, "unprocessable")] * 2
    for slashes in ("user/signin_with_api_key/", "admin/get_models", "admin/get_prompt_logs"):
        assert staff.get(slashes).error == (404, "not_found")

    # 429: the sixth attempt to sign in, and who waits for as long as is said gets through.
    assert [staff.sign_in(**{"x-user-id": "0"}).error for _ in range(3)] == [(401, "authentication_failed")] * 3
    limited = staff.sign_in()
    assert limited.error == (429, "rate_limited")
    site.server.call("GET", f"/clock/?seconds={limited.headers['retry-after']}", who="")
    assert staff.sign_in().status == 200
    assert [staff.patiently("admin/get_models/").status for _ in range(41)] == [200] * 41
    assert len(staff.waited) == 2
    assert all(1 <= seconds <= 60 for seconds in staff.waited)

    # 503: another process switches maintenance on and off, and this one knows at once.
    assert site.manage("maintenance", "on", "--retry-after", "120") == "on, retry after 120 s\n"
    for answer in (staff.sign_in(), staff.models(), staff.logs("helper-"), staff.get("admin/get_models")):
        assert answer.error == (503, "maintenance")
        assert answer.headers["retry-after"] == "120"
    assert site.manage("maintenance", "off") == "off\n"
    assert staff.logs("helper-").status == 200
