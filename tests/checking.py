"""What the system checks find."""

from django.core.checks import CheckMessage, run_checks


def found(*, deploy: bool = False) -> list[CheckMessage]:
    """What `manage.py check`, with `--deploy` or without, says of the package and its views."""
    return run_checks(tags=["automate_api"], include_deployment_checks=deploy)


def ids(*, deploy: bool = False) -> set[str | None]:
    """The ids of that."""
    return {message.id for message in found(deploy=deploy)}
