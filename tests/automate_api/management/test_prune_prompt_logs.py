"""`manage.py prune_prompt_logs` deletes prompt logs by age, and nothing else."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from automate_api.models import Execution, PromptLog
from automate_api.services.retention import count_prompt_logs, prune_prompt_logs
from tests.factories import make_prompt_log

pytestmark = pytest.mark.django_db


def prune(*arguments: str, stderr: StringIO | None = None) -> str:
    out = StringIO()
    call_command("prune_prompt_logs", *arguments, stdout=out, stderr=stderr or StringIO())
    return out.getvalue()


def make_logs(*days: float, tenant_id: str = "default") -> list[PromptLog]:
    """Logs that are so many days old."""
    return [make_prompt_log(created_at=timezone.now() - timedelta(days=age), tenant_id=tenant_id) for age in days]


def test_logs_of_all_tenants_that_are_older_go_and_executions_stay() -> None:
    kept = make_logs(0, 89.9)
    make_logs(90.1, 400)
    make_logs(91, tenant_id="globex")
    assert prune("--older-than", "90") == "prompt logs: 3 deleted\n"
    assert prune("--older-than", "90") == "prompt logs: 0 deleted\n"
    assert set(PromptLog.objects.all()) == set(kept)
    assert Execution.objects.count() == 5


def test_without_the_option_the_setting_counts(settings: Settings) -> None:
    settings.AUTOMATE_API_PROMPT_LOG_RETENTION = 7 * 86_400
    make_logs(6, 8)
    assert prune() == "prompt logs: 1 deleted\n"
    assert prune("--older-than", "5") == "prompt logs: 1 deleted\n"


def test_without_either_nothing_goes() -> None:
    make_logs(4000)
    assert prune().startswith("prompt logs: 0 deleted\nName --older-than")
    assert PromptLog.objects.count() == 1


def test_no_days_are_all_of_them() -> None:
    make_logs(0, 1)
    assert prune("--older-than", "0") == "prompt logs: 2 deleted\n"


@pytest.mark.parametrize("days", ["-1", "1.5", "x", "", "36501", "9" * 5000, "\u0663"])
def test_what_is_no_number_of_days_is_refused(days: str) -> None:
    make_logs(4000)
    with pytest.raises(CommandError, match="a whole number of days"):
        prune(f"--older-than={days}")
    assert PromptLog.objects.count() == 1


def test_they_go_in_batches_the_oldest_first() -> None:
    make_logs(10, 40, 20, 30, 50)
    batches = prune_prompt_logs(older_than=timedelta(days=15), batch=2)
    assert count_prompt_logs(older_than=timedelta(days=15)) == 4
    assert next(batches) == 2
    assert count_prompt_logs(older_than=timedelta(days=35)) == 0
    assert list(batches) == [2]


def test_a_terminal_shows_how_far_it_is() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    make_logs(8, 9)
    shown = Terminal()
    prune("--older-than", "7", stderr=shown)
    assert "prompt logs [" + "#" * 30 + "] 2/2" in shown.getvalue()
