"""The how-to pages, each followed by somebody who has finished the tutorial."""

import gzip
import json
import re
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.guides import DOCS, Block, Reader, blocks
from tests.media import SPEECH
from tests.servers import until
from tests.upstream import TEXT, FakeUpstream

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")]

PROXY, LIMITS = "stream-behind-a-proxy", "limit-requests"
JOBS, DEPLOY = "run-jobs", "deploy"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, model_server: FakeUpstream) -> Reader:
    """Somebody who has finished the tutorial."""
    reader = Reader(tmp_path_factory.mktemp("tutorial"), model_server)
    try:
        reader.follow("tutorial.md")
    finally:
        reader.stop()
    return reader


@pytest.fixture
def reader(finished: Reader, tmp_path: Path) -> Iterator[Reader]:
    """Somebody who has, in a folder of their own."""
    other = finished.copy(tmp_path / "site")
    yield other
    other.stop()


@pytest.fixture
def follow(reader: Reader) -> Callable[[str], list[str]]:
    """Follow a page; what its commands print."""
    return lambda page: reader.follow(f"how-to/{page}.md")


def last_json(text: str) -> Any:
    """The JSON of the last line."""
    return json.loads(text.strip().splitlines()[-1])


def test_each_page_with_code_is_followed() -> None:
    here = "".join(Path(__file__).with_name(name).read_text() for name in ("test_how_to.py", "test_tutorial.py"))
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if "_build" not in path.parts]
    coded = [page for page in pages if any(block.file or block.language == "sh" for block in blocks(page))]
    names = {
        page: page.removeprefix("how-to/").removesuffix(".md" if page.startswith("how-to/") else "") for page in coded
    }
    assert len(coded) > 10
    assert [page for page in coded if f'"{names[page]}"' not in here] == []


def test_views_can_be_mounted_one_by_one(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    ran, _schema = follow("mount-the-api")
    assert last_json(ran)["status"] == "succeeded"
    links = "from mysite.links import run_of, stream_of; print(run_of('ask'), stream_of('ask'))"
    printed = reader.run(f'python manage.py shell --verbosity 0 -c "{links}"').split()
    assert printed == ["/api/v1/endpoints/ask/run/", "/api/v1/modal/endpoints/ask/stream/"]
    described = next(reader.folder.rglob("openapi.yaml")).read_text()
    assert "/members/v1/tasks/{id}/stream/:" in described
    assert "GET" not in described.partition("paths:")[0]
    assert reader.run('curl -s -o /dev/null -w "%{http_code}" "$HOST/members/v1/tasks/"') == "401"


def test_prompt_logs_are_exported_and_deleted(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    listed, refused, pruned = follow("export-prompt-logs")
    entries = listed.split()
    assert {name.rpartition("-")[2] for name in entries} == {"system", "history"}
    assert all(name.startswith("helper-") for name in entries)
    history = next(reader.folder.rglob("logs/*-history")).read_text()
    assert history == "user\nWhat is a fjord?"
    assert refused.count("-error ") == len(entries) // 2
    assert "-system" not in refused
    assert pruned.splitlines() == ["prompt logs: 0 deleted"] * 2
    deleted = reader.run("python manage.py prune_prompt_logs --older-than 0")
    assert deleted == f"prompt logs: {len(entries) // 2} deleted\n"


def test_access_narrows_step_by_step(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    _bob, _key, allowed, _closed, gone, _limited = follow("restrict-access")
    execution, refused = allowed.replace("}{", "}\n{").splitlines()
    assert json.loads(execution)["status"] == "succeeded"
    assert (json.loads(refused)["status"], json.loads(refused)["code"]) == (403, "permission_denied")
    assert (json.loads(gone)["status"], json.loads(gone)["code"]) == (404, "not_found")
    run = """curl -s -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \
        -o answer.json -w '%{http_code}' "$HOST/api/v1/endpoints/ask/run/" -d '{"input": {"question": "?"}}'"""
    assert [reader.run(run) for _ in range(3)] == ["200", "200", "429"]
    basic = (
        """curl -s -u "ann:$DJANGO_SUPERUSER_PASSWORD" -o answer.json -w '%{http_code}' "$HOST/api/v1/endpoints/" """
    )
    assert reader.run(basic) == "200"
    switched_off = reader.run('call -X PATCH "$HOST/api/v1/endpoints/ask/" -d \'{"enabled": false, "rate_limit": ""}\'')
    assert json.loads(switched_off)["enabled"] is False
    assert reader.run(run) == "409"


def test_llm_clients_are_shared_asked_copied_renamed_deleted_and_restored(follow: Callable[[str], list[str]]) -> None:
    shared, listed, asked, streamed, copied, renamed, deleted = follow("share-llm-clients")
    assert json.loads(shared)["sharing"] == {"tenant": True, "users": [], "groups": []}
    assert json.loads(listed)["results"] == []
    assert json.loads(asked)["output"]["text"] == TEXT
    assert [line for line in streamed.splitlines() if line.startswith("event: ")][-1] == "event: final"
    copy, found = (json.loads(part) for part in copied.splitlines())
    assert [row["id"] for row in found["results"]] == [copy["id"]]
    assert (json.loads(renamed)["name"], json.loads(renamed)["slug"]) == ("Our helper", "helper")
    listing, restored = (json.loads(part) for part in deleted.strip().splitlines())
    assert [row["name"] for row in listing["results"]] == ["Mistake"]
    assert (restored["name"], restored["deleted_at"]) == ("Mistake", None)


def test_programs_of_the_openai_protocol_name_llm_clients_as_models(
    follow: Callable[[str], list[str]], model_server: FakeUpstream
) -> None:
    _key, asked, streamed, executions, passed = follow("use-an-openai-sdk")
    models, answer = (json.loads(part) for part in asked.replace("}{", "}\n{").splitlines())
    assert "helper" in [model["id"] for model in models["data"]]
    assert answer["choices"][0]["message"]["content"] == TEXT
    *chunks, done, vectors = (line.removeprefix("data: ") for line in streamed.splitlines() if line)
    assert json.loads(chunks[-1])["usage"]["total_tokens"] == 26
    assert (done, len(json.loads(vectors)["data"])) == ("[DONE]", 2)
    rows = json.loads(executions)["results"]
    assert [row["status"] for row in rows] == ["succeeded"] * 2
    assert answer["id"].removeprefix("chatcmpl-") in {row["id"].replace("-", "") for row in rows}
    assert json.loads(passed)["choices"][0]["message"]["content"] == TEXT
    assert model_server.requests[-1].json["top_k"] == 40


def test_clients_of_the_organization_api_are_served(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    _key, _migrated, _signed_in, listed, elsewhere, closed = follow("organization-routes")
    models, *entries = listed.splitlines()
    assert [model["name"] for model in json.loads(models[: models.rindex("}") + 1])["models"]] == ["llama3.2"]
    assert "helper-" in "".join(entries)
    assert "-system" in "".join(entries)
    assert [model["name"] for model in json.loads(elsewhere)] == ["llama3.2"]
    assert re.findall(r"HTTP/1.1 (\d+)", closed) == ["503"]
    assert re.search("(?i)retry-after: 600", closed)
    assert closed.splitlines()[0] == "on, retry after 600 s"
    assert closed.splitlines()[-1].endswith("off")


def test_a_workbench_lists_copies_renames_and_deletes(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    listed, copied, offered = follow("serve-a-workbench")
    assert (json.loads(listed)["count"], json.loads(listed)["pageSize"]) == (1, 10)
    copy, renamed, deleted = (json.loads(part) for part in copied.splitlines())
    assert (copy["name"], renamed["name"], deleted) == (
        "Helper for me",
        "Ours",
        {"message": "The LLM client was deleted."},
    )
    assert [provider["id"] for provider in json.loads(offered)["providers"]] == [1]
    brief = "from mysite.workbench import BriefListView; print(BriefListView.as_view().cls.DEFAULT_PAGE_SIZE)"
    assert reader.run(f'python manage.py shell --verbosity 0 -c "{brief}"') == "12\n"
    handed = "from mysite.handover import hand_over; print(hand_over('default', 1, 1))"
    assert reader.run(f'python manage.py shell --verbosity 0 -c "{handed}"') == "2\n"


def test_tenants_see_their_own_rows_only(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    printed = follow("tenants")
    assert last_json(printed[2])["results"] == []
    task = json.loads(printed[-1].splitlines()[-4])
    assert task == {"id": 1, "project": 1, "title": "Measure the river"}
    foreign, absent, none = printed[-1].splitlines()[-3:]
    assert foreign == absent
    assert json.loads(foreign)["errors"][0]["code"] == "does_not_exist"
    assert json.loads(none)["results"] == []
    one = 'curl -s -H "Authorization: Bearer $(cat gus.txt)" "$HOST/api/v1/providers/%d/"'
    assert reader.run(one % 1) == reader.run(one % 4711)
    assert json.loads(reader.run('call "$HOST/api/v1/providers/1/"'))["slug"] == "models"
    members = reader.run(
        'call "$HOST/api/v1/api-keys/" -d \'{"name": "for a stranger", "user": 2, "scopes": ["*"]}\' || true'
    )
    assert json.loads(members)["errors"][0]["code"] == "does_not_exist"
    runs = """
from django.contrib.auth import get_user_model
from accounts.reports import runs_of
from accounts.tenants import tenant_of
from django.test import RequestFactory
request = RequestFactory().get("/")
for request.user in get_user_model().objects.order_by("pk"):
    print(tenant_of(request), runs_of(request.user, tenant_of(request)).count())
"""
    assert reader.run(f"python manage.py shell --verbosity 0 -c '{runs}'").splitlines() == ["default 3", "globex 0"]


def test_a_private_address_is_called_only_where_it_is_listed(
    reader: Reader, follow: Callable[[str], list[str]], model_server: FakeUpstream
) -> None:
    (refused,) = follow("call-a-private-model")
    problem = json.loads(refused)
    assert problem["status"] == 400
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [("base_url", "outbound_blocked")]
    assert "no issues" in reader.run("python manage.py check")
    assert json.loads(reader.run('call -X POST "$HOST/api/v1/providers/1/test/"'))["ok"] is True
    seen = len(model_server.requests)
    settings = next(reader.folder.rglob("settings.py"))
    settings.write_text(settings.read_text() + "\nAUTOMATE_API_PRIVATE_HOSTS = []\n")
    tried = json.loads(reader.run('call -X POST "$HOST/api/v1/providers/1/test/"'))
    assert (tried["ok"], tried["error"]["code"]) == (False, "outbound_blocked")
    assert len(model_server.requests) == seen


def test_secrets_are_rotated_and_still_open(
    reader: Reader, follow: Callable[[str], list[str]], model_server: FakeUpstream
) -> None:
    before = next(reader.folder.rglob("encryption.key")).read_text()
    printed = follow("rotate-secrets")
    assert "automate_api.Provider.api_key: 1 of 1 put under the first key\n" in "".join(printed)
    after = next(reader.folder.rglob("encryption.key")).read_text()
    assert len(after.split()) == 1
    assert before.split()[0] not in after
    assert json.loads(reader.run('call -X POST "$HOST/api/v1/providers/1/test/"'))["ok"] is True
    assert model_server.requests[-1].headers["authorization"] == "Bearer a-new-key"
    assert last_json(printed[-1])["api_key"].startswith("aak_")


def test_keys_are_issued_rotated_without_a_gap_and_revoked(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    issued, overlapping, rotated, listed, revoked = follow("manage-api-keys")
    assert last_json(issued)["results"]
    assert overlapping.split() == ["200", "200"]
    assert rotated.split()[-2:] == ["401", "401"]
    assert {key["name"] for key in last_json(listed)["results"]} >= {"nightly"}
    assert last_json(revoked)["revoked_at"]
    count = "from mysite.people import deactivate; print(deactivate(['ann', 'nobody']))"
    assert reader.run(f'python manage.py shell --verbosity 0 -c "{count}"') == "1\n"


def test_patterns_are_redacted_where_the_page_says_so(
    reader: Reader, follow: Callable[[str], list[str]], model_server: FakeUpstream
) -> None:
    log = last_json(follow("redact")[-1])["results"][0]
    assert log["history"] == [{"role": "user", "content": "Write to [redacted] about [redacted]."}]
    sent = model_server.requests[-1].json["messages"][-1]["content"]
    assert sent == "Write to ann@example.com about 078-05-1120."
    reader.run('call -X PATCH "$HOST/api/v1/llm-clients/1/" -d \'{"model": "echo"}\'')
    body = '\'{"input": {"question": "I am ann@example.com"}}\''
    answer = json.loads(reader.run(f'call "$HOST/api/v1/endpoints/ask/run/" -d {body}'))
    assert (answer["input"], answer["output"]["text"]) == ({"question": "I am [redacted]"}, "I am [redacted]")
    assert "ann@example.com" in reader.run(f'call -N "$HOST/api/v1/modal/endpoints/ask/stream/" -d {body}')
    stored = json.loads(reader.run('call "$HOST/api/v1/executions/?page_size=1"'))["results"][0]
    assert stored["output"]["text"] == "I am [redacted]"


def test_a_capability_of_the_hosts_runs_at_once_and_as_a_stream(
    reader: Reader, follow: Callable[[str], list[str]]
) -> None:
    printed = follow("add-a-capability")
    counted = last_json(printed[1])
    assert (counted["status"], counted["output"]) == ("succeeded", {"words": 3})
    events = [line.partition(": ")[2] for line in printed[2].splitlines() if line.startswith(("event:", "data:"))]
    kinds, data = events[::2], [json.loads(text) for text in events[1::2]]
    assert kinds == ["started", "progress", "progress", "final"]
    assert data[1:3] == [{"done": 1, "total": 2}, {"done": 2, "total": 2}]
    assert data[3]["output"] == {"an": ["ann"], "zz": []}
    nobody = reader.run('call "$HOST/api/v1/endpoints/people/run/" -d \'{"input": []}\' || true')
    assert (json.loads(nobody)["status"], json.loads(nobody)["code"]) == (409, "conflict")
    assert last_json(printed[3])["output"] == {"made": [2, 3], "attempts": 1}
    assert printed[4].splitlines()[-2:] == ["one", "two"]
    assert printed[5].strip() == "['text']"
    misfit = reader.run('call "$HOST/api/v1/endpoints/count/run/" -d \'{"input": 7}\' || true')
    assert json.loads(misfit)["errors"][0]["field"] == "input"


def test_the_first_capability_has_ten_lines() -> None:
    code = next(block.code for block in blocks("how-to/add-a-capability.md") if block.file)
    assert len([line for line in code.splitlines()[1:] if line]) <= 10


def test_texts_are_spoken_and_drawn_and_speech_is_written_down(
    reader: Reader, follow: Callable[[str], list[str]], model_server: FakeUpstream
) -> None:
    sound, content_type = SPEECH["wav"]
    _clients, _endpoints, said, listed, heard, again, drawn = follow("speech-and-images")
    output = last_json(said)["output"]
    assert (output["content_type"], output["size"], output["model"]) == (content_type, len(sound), "tts-1")
    assert next(reader.folder.rglob("said.wav")).read_bytes() == sound
    assert str(len(sound)) in listed
    assert [last_json(text)["output"]["text"] for text in (heard, again)] == [TEXT, TEXT]
    first, second = [request for request in model_server.requests if request.is_form]
    assert first.form == {"model": b"whisper-1", "response_format": b"json", "file": sound}
    assert second.form == {**first.form, "language": b"en"}
    assert kinds_of(drawn) == ["started", "artifact", "artifact", "final"]
    assert model_server.requests[-1].json == {
        "model": "gpt-image-1",
        "prompt": "A fox in the snow.",
        "n": 2,
        "size": "1024x1024",
    }


def test_ours_and_ones_own_are_subclassed(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    printed = follow("subclass-a-viewset")
    kept = last_json(printed[0].replace("}{", "}\n{"))
    assert (kept["status"], kept["detail"]) == (409, "This endpoint has been run. Switch it off instead.")
    page = last_json(printed[-1])
    assert [(row["title"], row["is_open"]) for row in page["results"]] == [("It rains in", False)]
    assert page["count"] == 1
    unknown = json.loads(reader.run('call "$HOST/support/tickets/?status=1" || true'))
    assert (unknown["status"], unknown["errors"][0]["code"]) == (400, "unknown_parameter")
    reader.run("python manage.py spectacular --validate --fail-on-warn --file openapi.yaml")


def test_pages_of_other_origins_are_let_in_by_the_view_and_by_the_middleware(
    follow: Callable[[str], list[str]],
) -> None:
    own, by_middleware = (text.lower() for text in follow("allow-other-origins"))
    preflight, answer = own.split("http/1.1 ")[1:]
    assert preflight.startswith("204")
    assert "access-control-allow-methods: get" in preflight
    assert answer.startswith("200")
    assert answer.endswith('{"weather":"rain"}')
    assert own.count("access-control-allow-origin: https://app.example.com") == 2
    ours, preflight = by_middleware.split("http/1.1 ")[1:]
    assert ours.startswith("200")
    assert "access-control-expose-headers: location, ratelimit" in ours
    assert "idempotency-key" in preflight
    assert [text.count("access-control-allow-origin: ") for text in (ours, preflight)] == [1, 1]


def test_limits_are_counted_told_and_closed_or_open_without_their_cache(reader: Reader) -> None:
    page, printed = blocks(f"how-to/{LIMITS}.md"), []
    for block in page:
        # Nothing answers on this port.
        printed.append(reader.take(replace(block, code=block.code.replace(":6379", ":1"))) or "")
        if "CACHES" in block.code:
            closed = reader.run('curl -sS -i "$HOST/search/" -H "Authorization: Bearer $KEY"')
    searches, everywhere = (text for text in printed if text)
    assert re.findall(r"HTTP/1.1 (\d+)", searches) == ["200"] * 5 + ["429"]
    assert re.findall(r'(?i)ratelimit: "search";r=(\d)', searches) == ["4", "3", "2", "1", "0", "0"]
    (example,) = [json.loads(block.code) for block in page if block.language == "json"]
    assert json.loads(searches.strip().splitlines()[-1]) == example
    assert '"endpoints";q=1000;w=3600' in everywhere
    assert "429" in closed.splitlines()[0]
    assert re.search("(?i)retry-after: 10", closed)
    assert "200" in reader.run('curl -sS -i "$HOST/search/" -H "Authorization: Bearer $KEY"').splitlines()[0]


def test_visitors_ask_without_signing_in_and_are_limited(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    answers = [json.loads(line) for line in follow("make-a-public-view")[-1].splitlines()]
    assert [answer.get("answer") for answer in answers[:3]] == [TEXT] * 3
    assert (answers[3]["status"], answers[3]["limit"]) == (429, {"name": "public", "rate": "3/minute"})
    runs = json.loads(reader.run('call "$HOST/api/v1/executions/?user=2&count=true"'))
    assert runs["count"] == 3


def test_a_request_sent_twice_is_carried_out_once(
    follow: Callable[[str], list[str]], model_server: FakeUpstream
) -> None:
    before = len(model_server.requests)
    twice, reused, surely, pruned = follow("send-a-request-twice")
    first, second, replayed = twice.strip().splitlines()
    assert first == second
    assert replayed.lower().strip() == "idempotent-replayed: true"
    assert json.loads(reused)["code"] == "idempotency_key_reused"
    assert surely.strip() == TEXT
    assert len(model_server.requests) == before + 2
    kept = ("idempotency keys", "jobs", "job events", "events", "LLM clients")
    assert pruned.splitlines() == [f"{what}: 0 deleted" for what in kept]


def test_files_come_and_go(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    stored, listed, fetched, resumed, unchanged, pruned, deleted, checked = follow("keep-files")
    artifact = json.loads(stored)
    assert (artifact["name"], artifact["kind"], artifact["size"]) == ("numbers.txt", "text", 588_895)
    assert [row["id"] for row in json.loads(listed)["results"]] == [artifact["id"]]
    assert (fetched, resumed, unchanged) == ("the same\n", "the same again\n", "304\n")
    assert pruned == "artifacts: 0 deleted\n"
    assert deleted.strip() == ""
    assert checked == "artifacts: 0 looked at, 0 wrong\nfiles: 0 looked at, 0 wrong\n"
    again = json.loads(
        reader.run('curl -sS -H "Authorization: Bearer $KEY" -F "file=@ask.py" "$HOST/api/v1/artifacts/"')
    )
    kept = datetime.fromisoformat(again["expires_at"]) - datetime.fromisoformat(again["created_at"])
    assert round(kept.total_seconds()) == 7 * 24 * 3600
    (file,) = (path for path in reader.folder.rglob("media/automate/artifacts/**/*") if path.is_file())
    file.unlink()
    assert "the file is missing" in reader.run("python manage.py check_artifacts || true")
    view = "from mysite.files import OwnArtifactViewSet as view; print(view().get_redirect_url(None))"
    assert reader.run(f"python manage.py shell --verbosity 0 -c '{view}'") == "None\n"


def test_lists_are_walked_filtered_and_ordered(follow: Callable[[str], list[str]]) -> None:
    walked, asked = follow("filter-and-page-through-lists")
    ids = [line.split()[0] for line in walked.splitlines()]
    assert len(set(ids)) == len(ids) == 3
    assert ids == sorted(ids)
    slowest, none, absent, unknown = (json.loads(line) for line in asked.splitlines())
    durations = [row["duration_ms"] for row in slowest["results"]]
    assert durations == sorted(durations, reverse=True)
    assert (len(durations), slowest["count"]) == (2, 3)
    assert (none["results"], absent["results"]) == ([], [])
    assert unknown["errors"][0]["code"] == "unknown_parameter"


def test_permissions_and_credentials_are_added(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    written, tickets = follow("add-a-permission")
    refused, made = (json.loads(line) for line in written.splitlines())
    assert (refused["status"], refused["detail"]) == (403, "Only authors write prompts.")
    assert made["name"] == "Poet"
    listed, forged = tickets.replace("}{", "}\n{").splitlines()
    assert [row["slug"] for row in json.loads(listed)["results"]] == ["ask"]
    assert (json.loads(forged)["status"], json.loads(forged)["detail"]) == (401, "The ticket is not valid.")
    assert json.loads(reader.run('call "$HOST/api/v1/llm-clients/?slug=poet"'))["results"]


def test_errors_are_raised_and_answered_as_problems(follow: Callable[[str], list[str]]) -> None:
    booked, plain = follow("raise-errors")
    made, sold_out, no_row, missing = (json.loads(line) for line in booked.splitlines())
    (example,) = [json.loads(block.code) for block in blocks("how-to/raise-errors.md") if block.language == "json"]
    assert made == {"booked": 2}
    assert sold_out == example
    assert no_row["errors"][0]["code"] == "invalid_choice"
    assert missing["errors"][0] == {"field": "row", "code": "required", "detail": "This field is required."}
    assert json.loads(plain)["code"] == "not_found"


@pytest.mark.parametrize("page", ["reference/commands.md", "reference/checks.md", "upgrading.md"])
def test_the_commands_of_other_pages_run(reader: Reader, page: str) -> None:
    with next(reader.folder.rglob("settings.py")).open("a") as host:
        # Some are those of workflows.
        host.write('\nINSTALLED_APPS += ["automate"]\n')
    reader.run("python manage.py migrate --verbosity 0")
    assert reader.follow(page)


def test_a_priced_model_has_a_cost(reader: Reader) -> None:
    reader.follow("reference/settings.md")
    body = '\'{"input": {"question": "?"}}\''
    answer = json.loads(reader.run(f'call "$HOST/api/v1/endpoints/ask/run/" -d {body}'))
    assert answer["cost"] == "0.00001245"
    (model,) = json.loads(reader.run('call "$HOST/api/v1/models/"'))
    assert (model["prices"]["output_price"], model["context_window"]) == ("0.60", 128_000)


def kinds_of(stream: str) -> list[str]:
    """The events of a stream, by name."""
    return re.findall(r"^event: (\w+)$", stream, re.MULTILINE)


def test_a_job_is_made_followed_and_resumed(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    _migrated, job, preferred, whole, rest, python, status, late = follow(JOBS)
    assert json.loads(preferred)["status"] == "queued"
    assert kinds_of(whole)[:2] == ["queued", "started"]
    assert kinds_of(whole)[-1] == "final"
    assert kinds_of(rest) == kinds_of(whole)[2:]
    assert [line.partition(" ")[0] for line in python.splitlines()] == kinds_of(whole)
    answer = json.loads(status)
    assert (answer["status"], answer["attempts"], answer["result"]["text"]) == ("succeeded", 1, TEXT)
    assert json.loads(late)["code"] == "conflict"
    last = len(kinds_of(whole))
    gone = f'curl -s -o gone.txt -w "%{{http_code}}" -H "Authorization: Bearer $KEY" -H "Last-Event-ID: {last}"'
    assert reader.run(f'{gone} "$HOST/api/v1/jobs/{job.strip()}/events/"') == "204"


def test_a_job_is_cancelled_while_it_runs(reader: Reader, model_server: FakeUpstream) -> None:
    reader.follow(f"how-to/{JOBS}.md")
    reader.run('call -X PATCH "$HOST/api/v1/llm-clients/1/" -d \'{"model": "silent"}\'')
    body = '\'{"input": {"question": "?"}}\''
    job = json.loads(reader.run(f'call "$HOST/api/v1/modal/endpoints/ask/job/" -d {body}'))["job_id"]
    assert model_server.until(lambda: model_server.requests[-1].model == "silent")
    assert reader.run(f'call -X POST "$HOST/api/v1/jobs/{job}/cancel/"')
    assert kinds_of(reader.run(f'call -N "$HOST/api/v1/jobs/{job}/events/"'))[-1] == "cancelled"


def test_the_end_of_a_job_is_told_and_found(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    reader.follow(f"how-to/{JOBS}.md")
    *_before, booked = follow("know-when-a-job-ends")
    assert booked.endswith("\n" + "succeeded: 26 tokens\n" * 2)
    assert reader.run("python manage.py book") == ""
    reader.stop_workers()
    reader.work("python manage.py automate_worker")
    body = '\'{"input": {"question": "?"}}\''
    job = json.loads(reader.run(f'call "$HOST/api/v1/modal/endpoints/ask/job/" -d {body}'))["job_id"]
    reader.run(f'call -N "$HOST/api/v1/jobs/{job}/events/"')
    until(lambda: any(letter.read_text().count("To: ann@example.com") for letter in reader.folder.rglob("mail/*.log")))
    assert reader.run("python manage.py book") == "succeeded: 26 tokens\n"


def test_an_event_is_sent_and_handled_once(reader: Reader, follow: Callable[[str], list[str]]) -> None:
    reader.follow(f"how-to/{JOBS}.md")
    reader.stop_workers()
    *_before, one, many, listed = follow("react-to-events")
    first = json.loads(one)
    assert first["status"] == "accepted"
    assert [event["status"] for event in json.loads(many)] == ["duplicate", "accepted", "accepted"]
    assert json.loads(many)[0]["id"] == first["id"]
    assert [event["payload"]["order"] for event in json.loads(listed)["results"]] == ["A-18", "A-17"]
    jobs = "$HOST/api/v1/jobs/?status=succeeded&page_size=200"
    executions = "$HOST/api/v1/executions/?task_type=event.handle"
    until(
        lambda: (
            [run["status"] for run in json.loads(reader.run(f'call "{executions}"'))["results"]] == ["succeeded"] * 2
        )
    )
    assert len(json.loads(reader.run(f'call "{jobs}"'))["results"]) >= 2
    shell = "from ledger.models import Payment; print(sorted(Payment.objects.values_list('order', flat=True)))"
    assert reader.run(f'python manage.py shell -c "{shell}"').endswith("['A-17', 'A-18']\n")


def test_workflows_are_made_started_by_all_that_starts_them_and_given_steps(reader: Reader) -> None:
    reader.follow(f"how-to/{JOBS}.md")
    _migrated, _written, checked, made, _run, asked, _trigger, _event, waiting, decided, why, changed, again = in_turn(
        reader, "automate-a-workflow"
    )
    assert json.loads(checked) == {"valid": True, "errors": []}
    assert (json.loads(made)["version"], json.loads(changed)["version"]) == (1, 2)
    assert asked.splitlines()[0] == "succeeded " + TEXT.partition("\n")[0]
    assert asked.splitlines()[-4:] == [
        "ask succeeded decide",
        "decide succeeded tell",
        "look skipped",
        "tell succeeded",
    ]
    assert waiting.splitlines() == ["waiting None", "ask succeeded decide", "decide succeeded look", "look waiting"]
    assert decided.splitlines()[-2:] == ["look succeeded tell", "tell succeeded"]
    assert json.loads(why)["value"] is False
    assert again.splitlines()[-2:] == ["look succeeded tell", "tell succeeded"]
    told = json.loads(reader.run('call "$HOST/api/v1/events/?type=question.answered"'))["results"]
    assert [event["payload"] for event in told] == [{"answer": TEXT, "long": False}] * 3
    assert json.loads(reader.run('call "$HOST/api/v1/events/?type=answer.published"'))["results"] == []
    wrong = '\'{"definition": {"steps": [{"name": "ask", "type": "endpoint", "with": {"endpoint": "ask"}}]}}\''
    errors = json.loads(reader.run(f'call "$HOST/api/v1/workflows/validate/" -d {wrong}'))["errors"]
    assert [error["field"] for error in errors] == ["definition.steps.ask.with.input"]

    *_before, _flow, sent, _hook, called, schedule, _app, _model, _listed = in_turn(reader, "start-workflows")
    assert [event["status"] for event in json.loads(sent.splitlines()[-1])] == ["accepted"] * 2
    assert json.loads(called)["status"] == "accepted"
    assert json.loads(schedule)["next_due"]

    def told() -> list[Any]:
        listed = reader.run('call "$HOST/api/v1/workflow-runs/?workflow=$FLOW"')
        return [run["output"] for run in json.loads(listed)["results"] if run["status"] == "succeeded"]

    assert until(lambda: len(told()) == 3)
    by_content = [json.dumps(each, sort_keys=True) for each in told()]
    assert any('"A-17"' in each for each in by_content)
    assert any('"A-19"' in each and '"id": "msg_1"' in each for each in by_content)
    assert any('"A-20"' in each and '"created"' in each for each in by_content)

    _started, shouted, _migrated, rung = in_turn(reader, "write-a-step")
    assert shouted.splitlines()[-2:] == ["succeeded WELL SAID", "loud succeeded"]
    assert rung.splitlines()[-3:] == ["succeeded [1, True]", "write succeeded ring", "ring succeeded"]
    notes = "from desk.models import Note; print(list(Note.objects.values_list('tenant_id', 'text')))"
    assert reader.run(f'python manage.py shell --verbosity 0 -c "{notes}"') == "[('default', 'The soup is ready.')]\n"
    blank = reader.run("""call "$HOST/api/v1/workflows/$RING/run/" -d '{"input": {"text": " "}}' > run.json
        show "$(id < run.json)" """)
    assert blank.splitlines() == ["failed None", "write failed"]


def in_turn(reader: Reader, page: str) -> list[str]:
    """Follow a page, and have each worker that it starts take the place of those before."""
    printed = []
    for block in blocks(f"how-to/{page}.md"):
        if block.works:
            reader.stop_workers()
        if (text := reader.take(block)) is not None:
            printed.append(text)
    return printed


def test_the_first_step_has_ten_lines() -> None:
    code = next(block.code for block in blocks("how-to/write-a-step.md") if block.file)
    assert len([line for line in code.splitlines()[1:] if line]) <= 10


def run_a_job(reader: Reader) -> list[str]:
    """Make one, and follow it to its end."""
    body = '\'{"input": {"question": "?"}}\''
    made = reader.run(f'call "$HOST/api/v1/modal/endpoints/ask/job/" -d {body}')
    return kinds_of(reader.run(f'call -N -m 60 "$HOST/api/v1/jobs/{json.loads(made)["job_id"]}/events/"'))


def parts_of(page: str) -> tuple[list[Block], list[Block]]:
    """A page's blocks before and after the first that only a host with Celery needs."""
    found = blocks(page)
    first = next(place for place, block in enumerate(found) if block.file == "mysite/celery.py")
    return found[:first], found[first:]


def test_jobs_run_under_each_server_with_workers_in_the_database(reader: Reader) -> None:
    reader.follow(f"how-to/{JOBS}.md")
    reader.stop_workers()
    own, _of_celery = parts_of(f"how-to/{DEPLOY}.md")
    for block in own:
        if not block.serves:
            reader.take(block)
    for block in own:
        if block.serves:
            reader.take(block)
            kinds = run_a_job(reader)
            assert (kinds[0], kinds[-1]) == ("queued", "final")


@pytest.mark.redis
def test_jobs_run_with_celery_and_its_reaper(reader: Reader, redis_cache: str) -> None:
    reader.follow(f"how-to/{JOBS}.md")
    reader.stop_workers()
    _own, of_celery = parts_of(f"how-to/{DEPLOY}.md")
    queue = f"mysite-{reader.port}"
    for block in of_celery:
        code = block.code.replace("redis://127.0.0.1:6379/0", redis_cache)
        code = code.replace('QUEUE = "mysite"', f'QUEUE = "{queue}"')
        reader.take(replace(block, code=code))
    kinds = run_a_job(reader)
    assert (kinds[0], kinds[-1]) == ("queued", "final")
    assert "no issues" in reader.run("python manage.py check")


@pytest.mark.parametrize("server", [b.code for b in blocks(f"how-to/{PROXY}.md") if b.serves])
def test_a_stream_comes_piece_by_piece_to_clients_that_accept_gzip(
    reader: Reader, model_server: FakeUpstream, server: str
) -> None:
    """The model server sends the next piece only after the client has read the one before."""
    for block in blocks(f"how-to/{PROXY}.md"):
        if block.file:
            reader.take(block)
    reader.serve(server)
    reader.run('call -X PATCH "$HOST/api/v1/llm-clients/1/" -d \'{"model": "gated:3"}\'')
    key = reader.run('printf %s "$KEY"')
    request = urllib.request.Request(
        f"http://127.0.0.1:{reader.port}/api/v1/modal/endpoints/ask/stream/",
        data=b'{"input": {"question": "?"}}',
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Accept-Encoding": "gzip"},
    )
    with urllib.request.urlopen(request, timeout=30) as stream:
        assert stream.headers["Content-Encoding"] == "identity"
        assert stream.headers["X-Accel-Buffering"] == "no"
        lines = (line.decode().strip() for line in stream if line.startswith(b"data: "))
        assert next(lines) == 'data: {"attempt":1}'
        model_server.allow()  # the event that only names the role
        for number in range(3):
            model_server.allow()
            assert next(lines) == f'data: {{"text":"{number} "}}'
        for _ in range(4):
            model_server.allow()
        assert '"finish_reason":"stop"' in next(lines)
    executions = urllib.request.Request(
        f"http://127.0.0.1:{reader.port}/api/v1/executions/",
        headers={"Authorization": f"Bearer {key}", "Accept-Encoding": "gzip"},
    )
    with urllib.request.urlopen(executions, timeout=30) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert TEXT in json.loads(gzip.decompress(answer.read()))["results"][-1]["output"]["text"]
