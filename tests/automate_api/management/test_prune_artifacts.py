"""`manage.py prune_artifacts` deletes what has expired, with its file."""

import io
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from automate_api.models import Artifact
from automate_api.services.artifacts import upload_artifact
from tests.factories import make_actor

pytestmark = pytest.mark.django_db(transaction=True)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def prune(stderr: StringIO) -> str:
    out = StringIO()
    call_command("prune_artifacts", stdout=out, stderr=stderr)
    return out.getvalue()


def test_expired_artifacts_go_with_their_files() -> None:
    uploaded = [
        upload_artifact(io.BytesIO(b"x"), actor=make_actor(), name="a", content_type="text/plain") for _ in range(3)
    ]
    expired = Artifact.objects.filter(pk__in=[uploaded[0].pk, uploaded[1].pk])
    expired.update(expires_at=timezone.now() - timedelta(seconds=5))
    shown = Terminal()
    assert prune(shown) == "artifacts: 2 deleted\n"
    assert "artifacts [" + "#" * 30 + "] 2/2" in shown.getvalue()
    assert prune(StringIO()) == "artifacts: 0 deleted\n"
    assert [Path(artifact.file.path).exists() for artifact in uploaded] == [False, False, True]
    assert Artifact.objects.get() == uploaded[2]
