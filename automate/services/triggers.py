"""Triggers: make, change, delete."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate.conf import settings
from automate.models import Trigger, Workflow
from automate.services.cron import InvalidSchedule, Schedule, parse_schedule
from automate.services.hooks import digest_of, make_token
from automate.services.schedules import next_due
from automate.services.signatures import STANDARD, fault_of_secret, make_secret
from automate_api.engine.json_schema import require_valid
from automate_api.events import TYPE
from automate_api.exceptions import FieldError, InvalidInput
from automate_api.models import Actor
from automate_api.services.rows import assign, delete, locked, storing, tenant_of
from automate_api.services.secrets import encrypting

Kind = Trigger.Kind

# The columns that each kind has to itself, or with some others.
_COLUMNS: Mapping[str, frozenset[str]] = {
    Kind.EVENT: frozenset({"pattern"}),
    Kind.MODEL: frozenset({"pattern"}),
    Kind.SCHEDULE: frozenset({"schedule", "time_zone", "catch_up"}),
    Kind.HOOK: frozenset({"signature", "signing_secret"}),
}
_FOR_SOME = frozenset[str]().union(*_COLUMNS.values())

# What a trigger is made with, and keeps.
_FIXED = ("kind", "workflow")

_REQUIRED = _("This field is required.")


def create_trigger(*, actor: Actor, **fields: Any) -> tuple[Trigger, str | None]:
    """A new trigger in the actor's tenant, and of a hook the token of its address, which cannot be had again.

    A hook without a signing secret gets one, which `signing_secret.reveal()` gives; nobody should be shown it later.

    Args:
        actor: who makes it.
        fields: the trigger's columns: `workflow`, `name`, `kind`, perhaps `enabled`, and those of its kind: `pattern`;
            `schedule`, `time_zone` and `catch_up`; `signature` and `signing_secret`.

    Raises:
        InvalidInput: a field does not fit.
        NotConfigured: the host has no key to encrypt the secret, or cannot read schedules.
    """
    trigger, token = Trigger(tenant_id=tenant_of(actor)), None
    with storing(), encrypting():
        _hold_workflow(trigger.tenant_id, fields.get("workflow"))
        if fields.get("kind") == Kind.HOOK:
            token = make_token()
            trigger.token_hash = digest_of(token)
            fields["signature"] = fields.get("signature") or STANDARD
            fields["signing_secret"] = fields.get("signing_secret") or make_secret(fields["signature"])
        assign(trigger, fields)
        _complete(trigger, replan=True)
        trigger.save(force_insert=True)
    return trigger, token


def update_trigger(trigger: Trigger, **fields: Any) -> Trigger:
    """Change `fields`. A schedule that is changed, or switched on, goes on from now; what it has missed is forgotten.

    An empty signing secret is none that anybody could mean: the one that is there stays.

    Raises:
        InvalidInput, NotConfigured: as for `create_trigger`; or the kind or the workflow would change.
    """
    with storing(), encrypting():
        current = locked(trigger)
        fixed = [name for name in _FIXED if name in fields and fields[name] != getattr(current, name)]
        require_valid([FieldError(name, "unchangeable", str(_("This cannot be changed."))) for name in fixed])
        before, kept = _plan_of(current), {*_FIXED, *(() if fields.get("signing_secret") else ("signing_secret",))}
        assign(current, {name: value for name, value in fields.items() if name not in kept})
        _complete(current, replan=_plan_of(current) != before)
        # What was wrong may be so no longer.
        current.last_error = ""
        current.save()
    return current


def rotate_token(trigger: Trigger) -> str:
    """Give a hook another address: the new token, which cannot be had again. The old one ends at once."""
    token = make_token()
    with storing():
        current = _locked_hook(trigger)
        current.token_hash = digest_of(token)
        current.save(update_fields=["token_hash", "updated_at"])
    return token


def rotate_signing_secret(trigger: Trigger) -> str:
    """Give a hook another secret, which cannot be had again. The old one ends at once.

    Raises:
        NotConfigured: the host has no key to encrypt it.
    """
    with storing(), encrypting():
        current = _locked_hook(trigger)
        secret = make_secret(current.signature)
        current.signing_secret = secret
        current.save(update_fields=["signing_secret", "updated_at"])
    return secret


def delete_trigger(trigger: Trigger) -> None:
    """Delete it. Its runs stay."""
    delete(trigger, in_use=_("Something uses this trigger."))


def _locked_hook(trigger: Trigger) -> Trigger:
    current = locked(trigger)
    if current.kind != Kind.HOOK:
        raise InvalidInput([FieldError("kind", "invalid", str(_("Only hooks have one.")))])
    return current


def _hold_workflow(tenant_id: str, workflow: Any) -> None:
    """Lock the workflow until the transaction ends: it is not deleted meanwhile.

    Raises:
        InvalidInput: there is none, or none of this tenant.
    """
    if workflow is None:
        raise InvalidInput([FieldError("workflow", "required", str(_REQUIRED))])
    rows = Workflow.objects.select_for_update(no_key=True).of_tenant(tenant_id)
    if not rows.filter(pk=workflow.pk).exists():
        raise InvalidInput([FieldError("workflow", "does_not_exist", str(_("There is no such object.")))])


def _plan_of(trigger: Trigger) -> tuple[Any, ...]:
    return trigger.schedule, trigger.time_zone, trigger.enabled


def _complete(trigger: Trigger, *, replan: bool) -> None:
    """Check what the kind asks for, and find out when a schedule is due next.

    Raises:
        InvalidInput: something does not fit.
    """
    errors = _strangers(trigger)
    if trigger.kind in {Kind.EVENT, Kind.MODEL}:
        errors += _pattern_errors(trigger)
    elif trigger.kind == Kind.HOOK:
        errors += _signing_errors(trigger)
    schedule = _schedule(trigger, errors) if trigger.kind == Kind.SCHEDULE else None
    require_valid(errors)
    if schedule is not None and replan:
        trigger.next_due = next_due(schedule) if trigger.enabled else None


def _strangers(trigger: Trigger) -> list[FieldError]:
    """What is said of a trigger that only others have."""
    detail, plain = str(_("Triggers of this kind have no such thing.")), Trigger()
    others = sorted(_FOR_SOME - _COLUMNS.get(trigger.kind, _FOR_SOME))
    said = [name for name in others if getattr(trigger, name) not in ("", getattr(plain, name))]
    return [FieldError(name, "unexpected", detail) for name in said]


def _pattern_errors(trigger: Trigger) -> list[FieldError]:
    pattern = trigger.pattern
    if not pattern:
        return [FieldError("pattern", "required", str(_REQUIRED))]
    if trigger.kind == Kind.MODEL:
        detail = _("The host has no such model watched.")
        return [] if pattern in settings.watched_models else [FieldError("pattern", "unknown_model", str(detail))]
    if pattern == "*" or TYPE.fullmatch(pattern.removesuffix("*")):
        return []
    return [FieldError("pattern", "invalid", str(_("This is a type of events, or the beginning of types and a *.")))]


def _signing_errors(trigger: Trigger) -> list[FieldError]:
    if not trigger.signature:
        return [FieldError("signature", "required", str(_REQUIRED))]
    fault = fault_of_secret(trigger.signature, trigger.signing_secret.reveal())
    return [] if fault is None else [FieldError("signing_secret", "invalid", str(fault))]


def _schedule(trigger: Trigger, errors: list[FieldError]) -> Schedule | None:
    if not trigger.schedule:
        errors.append(FieldError("schedule", "required", str(_REQUIRED)))
        return None
    try:
        return parse_schedule(trigger.schedule, trigger.time_zone)
    except InvalidSchedule as exc:
        errors.append(FieldError(exc.field, "invalid", exc.detail))
        return None
