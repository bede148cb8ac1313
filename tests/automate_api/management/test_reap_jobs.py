"""`manage.py reap_jobs` says what it did, and with `--every` outlives a database that fails."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import InterfaceError

from automate_api.management.commands import reap_jobs
from automate_api.services.reaper import Reaped
from tests.factories import make_endpoint
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture
from tests.jobs.making import age, make_job

pytestmark = pytest.mark.usefixtures("asked")


def said(**options: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("reap_jobs", stdout=out, stderr=err, **options)
    except KeyboardInterrupt:
        err.write("interrupted")
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db(transaction=True)
def test_once_it_says_what_it_did() -> None:
    age(make_job(make_endpoint()), 60)
    assert said() == (line(forgotten=1), "")
    assert said() == (line(), "")


def line(*, jobs: int = 0, forgotten: int = 0, executions: int = 0, waited: int = 0, continued: int = 0) -> str:
    return (
        f"jobs returned: {jobs}, jobs handed out again: {forgotten}, executions ended: {executions}, "
        f"delayed jobs handed out: {waited}, continuations called: {continued}\n"
    )


@pytest.mark.django_db(transaction=True)
def test_again_and_again_it_says_only_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = [Reaped(0, 0, 0), InterfaceError("gone"), Reaped(1, 2, 3, 4, 5), KeyboardInterrupt()]

    def reap() -> Reaped:
        done = rounds.pop(0)
        if isinstance(done, BaseException):
            raise done
        return done

    monkeypatch.setattr(reap_jobs, "reap", reap)
    out, err = said(every=0.001)
    assert out == line(jobs=1, forgotten=2, executions=3, waited=4, continued=5)
    assert err == "The database could not be reached: InterfaceError\ninterrupted"


def test_once_a_database_that_fails_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def reap() -> Reaped:
        raise InterfaceError("gone")

    monkeypatch.setattr(reap_jobs, "reap", reap)
    with pytest.raises(InterfaceError):
        said()
