"""Archives of prompt logs: what is in them, what stops them, and what they cost."""

import shutil
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from automate_api.exceptions import NotFound, Unprocessable
from automate_api.models import Actor, PromptLog
from automate_api.models.prompt_log import PromptLogQuerySet
from automate_api.services.prompt_archive import MAX_AGE, MAX_LOGS, open_prompt_archive
from tests.conftest import REQUIRED
from tests.factories import make_prompt_log, make_user
from tests.prompt_logs import make_prompt_logs

pytestmark = pytest.mark.django_db

KEYS = [
    "../../x", "..\\x", "C:\\x", "/etc/x", "CON", "x" * 100, "\u202egpj.exe", "Abc", "abc", "ABC", "a b", "-rf",
    "\u00e9", "e\u0301", "\ufb01", "fi", "..", "a%b", "a_b", "aXb", "~", "x:y",
]  # fmt: skip
# SQLite keeps what PostgreSQL has no room for.
UNLIKELY = ["nul\x00x", "x" * 300, "x" * 299 + "y"] if connection.vendor == "sqlite" else []


def everybody(log: PromptLog) -> bool:
    return True


def archive(prefix: str, may_read: Callable[[PromptLog], bool] = everybody, logs: Any = None) -> bytes:
    logs = PromptLog.objects.of_tenant("default") if logs is None else logs
    return b"".join(open_prompt_archive(logs, prefix=prefix, may_read=may_read))


def entries(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(BytesIO(data)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name).decode() for name in opened.namelist()}


def make_hostile() -> None:
    for key in KEYS:
        make_prompt_log(log_key=f"p{key}", system=f"system of {key}", history=[{"role": "user", "content": key}])
        make_prompt_log(log_key=key, system=f"system of {key}")


def test_a_log_has_two_entries_in_the_order_of_keys() -> None:
    make_prompt_log(log_key="a-2", system="Two.", history=[{"role": "user", "content": "2?"}], response="Answer.")
    make_prompt_log(log_key="a-1", system="One.", history=[])
    assert list(entries(archive("a-")).items()) == [
        ("a-1-system", "One."),
        ("a-1-history", ""),
        ("a-2-system", "Two."),
        ("a-2-history", "user\n2?"),
    ]


def test_the_same_logs_are_the_same_bytes() -> None:
    make_hostile()
    assert archive("p") == archive("p")
    with zipfile.ZipFile(BytesIO(archive("p"))) as opened:
        made = PromptLog.objects.with_prefix("p").earliest("log_key").created_at
        assert opened.infolist()[0].date_time == (*made.timetuple()[:5], made.second // 2 * 2)


@pytest.mark.parametrize("prefix", ["a%", "a_", "A", "a", "\u00e9", "p", "~"])
def test_a_prefix_means_itself(prefix: str) -> None:
    make_hostile()
    expected = {log.pk for log in PromptLog.objects.all() if log.log_key.startswith(prefix)}
    assert expected
    assert set(PromptLog.objects.with_prefix(prefix).values_list("pk", flat=True)) == expected


@pytest.mark.parametrize("prefix", ["a\ud7ff", "\U0010ffff", "b\U0010ffff", "\U0010ffff\U0010ffff"])
def test_a_prefix_at_the_end_of_all_letters_means_itself(prefix: str) -> None:
    for key in ("a\ud7ff", "a\ud7ffz", "a\ue000", "b", "c", "b\U0010ffffx", "\U0010ffff", "\U0010ffff\U0010ffffz"):
        make_prompt_log(log_key=key)
    expected = {log.pk for log in PromptLog.objects.all() if log.log_key.startswith(prefix)}
    assert set(PromptLog.objects.with_prefix(prefix).values_list("pk", flat=True)) == expected
    assert expected


def test_logs_of_other_tenants_and_older_ones_are_not_in_it() -> None:
    make_prompt_log(log_key="a-1")
    make_prompt_log(log_key="a-2", tenant_id="globex")
    make_prompt_log(log_key="a-3", created_at=timezone.now() - MAX_AGE - timedelta(minutes=1))
    make_prompt_log(log_key="a-4", created_at=timezone.now() - MAX_AGE + timedelta(minutes=1))
    assert set(entries(archive("a"))) == {"a-1-system", "a-1-history", "a-4-system", "a-4-history"}


@pytest.mark.parametrize("prefix", ["a-9", "A", "a-_", "a%"])
def test_without_a_log_there_is_no_archive(prefix: str) -> None:
    make_prompt_log(log_key="a-1")
    with pytest.raises(NotFound):
        open_prompt_archive(PromptLog.objects.all(), prefix=prefix, may_read=everybody)


def test_without_a_prefix_there_is_none_either() -> None:
    make_prompt_log()
    with pytest.raises(Unprocessable) as caught:
        open_prompt_archive(PromptLog.objects.all(), prefix="", may_read=everybody)
    assert [error.code for error in caught.value.errors] == ["required"]


def test_a_thousand_logs_are_taken_and_one_more_is_refused_by_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_prompt_logs(MAX_LOGS, size=10)
    assert len(entries(archive("log-"))) == 2 * MAX_LOGS
    make_prompt_log(log_key="log-x")
    with django_assert_num_queries(1), pytest.raises(Unprocessable) as caught:
        open_prompt_archive(PromptLog.objects.all(), prefix="log-", may_read=everybody)
    assert [error.code for error in caught.value.errors] == ["too_many"]


def test_a_log_that_may_not_be_read_has_one_entry_that_says_so() -> None:
    for key in ("a-1", "a-2", "a-3"):
        make_prompt_log(log_key=key, system=f"secret of {key}", model="m")
    found = entries(archive("a", lambda log: log.log_key != "a-2"))
    assert list(found) == ["a-1-system", "a-1-history", "a-2-error", "a-3-system", "a-3-history"]
    assert found["a-2-error"] == "permission_denied: You may not read this log."


def test_a_log_that_fails_has_one_entry_that_tells_nothing_of_why(caplog: pytest.LogCaptureFixture) -> None:
    for key in ("a-1", "a-2", "a-3"):
        make_prompt_log(log_key=key)

    def may_read(log: PromptLog) -> bool:
        if log.log_key == "a-2":
            raise RuntimeError("sk-secret")
        return True

    data = archive("a", may_read)
    assert list(entries(data)) == ["a-1-system", "a-1-history", "a-2-error", "a-3-system", "a-3-history"]
    assert entries(data)["a-2-error"] == "internal_error: This log could not be read."
    assert "RuntimeError" in caplog.text
    assert "sk-secret" not in caplog.text


def test_a_log_that_is_deleted_on_the_way_has_an_error() -> None:
    made = [make_prompt_log(log_key=f"a-{number}") for number in range(3)]
    pages = open_prompt_archive(PromptLog.objects.all(), prefix="a", may_read=everybody)
    begin = next(pages)
    made[1].delete()
    assert list(entries(begin + b"".join(pages)))[2:] == ["a-1-error", "a-2-system", "a-2-history"]


def test_a_database_that_fails_leaves_no_valid_file() -> None:
    make_prompt_logs(20, size=1000)
    pages = open_prompt_archive(PromptLog.objects.all(), prefix="log-", may_read=everybody)
    read = [next(pages)]

    def fail(*arguments: Any) -> Any:
        raise DatabaseError("gone")

    with connection.execute_wrapper(fail), pytest.raises(DatabaseError):
        read.extend(pages)
    assert read[0]
    assert not zipfile.is_zipfile(BytesIO(b"".join(read)))
    assert list(pages) == []


def test_the_first_page_is_the_first_log() -> None:
    make_prompt_logs(3, size=1000)
    pages = list(open_prompt_archive(PromptLog.objects.all(), prefix="log-", may_read=everybody))
    assert len(pages) == 2
    assert b"log-00000-history" in pages[0]
    assert b"log-00001" not in pages[0]


def _unpack_with_python(file: Path, folder: Path) -> None:
    with zipfile.ZipFile(file) as opened:
        opened.extractall(folder)


def _unpack_with_unzip(file: Path, folder: Path) -> None:
    if shutil.which("unzip") is None:
        (pytest.fail if REQUIRED else pytest.skip)("unzip is not installed")
    # -n: what is there is not written over, and then something is missing below.
    done = subprocess.run(["unzip", "-n", file, "-d", folder], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unpack", [_unpack_with_python, _unpack_with_unzip])
def test_hostile_names_are_unpacked_inside_the_folder_and_all_are_there(
    unpack: Callable[[Path, Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in (keys := KEYS + UNLIKELY):
        make_prompt_log(log_key=key, system=f"system of {key}", history=[{"role": "user", "content": key}])
    # Each as it is: a prefix that all of them had would make them harmless.
    monkeypatch.setattr(PromptLogQuerySet, "with_prefix", lambda logs, prefix: logs)
    outer = tmp_path / "outer"
    inner = outer / "a" / "b" / "c"
    inner.mkdir(parents=True)
    file = tmp_path / "logs.zip"
    file.write_bytes(archive("any"))
    unpack(file, inner)
    there = {path for path in outer.rglob("*") if path.is_file()}
    assert {path.parent for path in there} == {inner}
    systems = sorted(path.read_text() for path in there if path.name.endswith("-system"))
    assert systems == sorted(f"system of {key}" for key in keys)
    assert len({path.name.casefold() for path in there}) == len(there) == 2 * len(keys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs.zip", "outer"]


@pytest.mark.slow
def test_a_thousand_logs_need_no_more_memory_than_a_page() -> None:
    """24 MB of text, while whoever reads keeps nothing. (`benchmarks.prompt_logs` measures the process.)"""
    make_prompt_logs(MAX_LOGS, size=24_000)
    logs = PromptLog.objects.all()
    read = sum(len(page) for page in open_prompt_archive(logs, prefix="log-00", may_read=everybody))
    tracemalloc.start()
    try:
        read = sum(len(page) for page in open_prompt_archive(logs, prefix="log-", may_read=everybody))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read > 8_000_000
    assert peak < 4 * 1024 * 1024


# -- the plan --------------------------------------------------------------------------------------------------------


def make_many(count: int, user: Any) -> None:
    """So many logs of twenty clients; of the user a third. They have no executions, and must go in the test."""
    sqlite = connection.vendor == "sqlite"
    numbers = "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < %s)"
    key = "printf('%%032x', n)" if sqlite else "lpad(to_hex(n), 32, '0')::uuid"
    now = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')" if sqlite else "now()"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""{numbers} INSERT INTO automate_api_promptlog
            (id, tenant_id, created_at, user_id, execution_id, log_key, system, history, response, model, provider)
            SELECT {key}, 'default', {now}, CASE WHEN n %% 3 = 0 THEN %s ELSE NULL END, {key},
                'client-' || (n %% 20) || '-' || n, '', '[]', '', '', ''
            FROM series""",
            [count, user.pk],
        )


def plan(logs: Any, prefix: str) -> str:
    """How the database finds out which logs an archive has."""
    statements = []

    def note(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, *rest)

    with connection.execute_wrapper(note):
        open_prompt_archive(logs, prefix=prefix, may_read=everybody)
    [(sql, params)] = statements
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}", params)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@pytest.mark.slow
def test_of_a_million_logs_those_with_the_prefix_are_found_by_a_range_of_the_index() -> None:
    user = make_user()
    make_many(1_000_000, user)
    actors = [Actor(user=make_user(is_staff=True), tenant_id="default"), Actor(user=user, tenant_id="default")]
    found = "log_key>? AND log_key<?" if connection.vendor == "sqlite" else "~>=~"
    try:
        for has_statistics in (False, True):
            if has_statistics:
                with connection.cursor() as cursor:
                    cursor.execute("ANALYZE automate_api_promptlog")
            for actor in actors:
                told = plan(PromptLog.objects.readable_by(actor), "client-7-2000")
                assert "automate_promptlog_key" in told
                assert found in told
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM automate_api_promptlog")
