"""What the lists of workflows can be filtered by."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from automate.models import StepRun, Trigger, Workflow, WorkflowRun
from automate_api.v1.filters import FilterSet, SearchFilter
from automate_api.v1.filtersets import TimedFilterSet


class WorkflowFilterSet(FilterSet):
    """Workflows by what they are called and whether they are in use."""

    search = SearchFilter(
        columns=("name", "slug", "description"),
        help_text=_("Only those with this text in name, slug or description, in upper or lower case."),
    )
    help_texts: ClassVar[Any] = {
        "slug": _("Only the one with this slug."),
        "enabled": _("Only those that are switched on, or only those that are not."),
        "owner": _("Only those whose runs have the rights of the user with this id."),
    }

    class Meta:
        model = Workflow
        fields = ("slug", "enabled", "owner")


class WorkflowRunFilterSet(TimedFilterSet):
    """Runs by what was run, how it went, and when."""

    help_texts: ClassVar[Any] = {
        "workflow": _("Only those of the workflow with this id."),
        "trigger": _("Only those that the trigger with this id has started."),
        "event": _("Only those that the event with this id has started."),
        "status": _("Only those that stand there."),
        "user": _("Only those that the user with this id caused."),
        "correlation_id": _("Only those with this correlation id."),
        "replay_of": _("Only those that run the run with this id again."),
    }

    class Meta:
        model = WorkflowRun
        fields = ("workflow", "trigger", "event", "status", "user", "correlation_id", "replay_of")


class StepRunFilterSet(FilterSet):
    """Steps of a run by their names and how they went."""

    help_texts: ClassVar[Any] = {
        "name": _("Only those of the step with this name."),
        "scope": _("Only those of this iteration, such as `each.3`; empty: all."),
        "status": _("Only those that stand there."),
    }

    class Meta:
        model = StepRun
        fields = ("name", "scope", "status")


class TriggerFilterSet(FilterSet):
    """Triggers by what they start, and what starts them."""

    help_texts: ClassVar[Any] = {
        "workflow": _("Only those of the workflow with this id."),
        "kind": _("Only those of this kind."),
        "pattern": _("Only those with exactly this pattern."),
        "enabled": _("Only those that are switched on, or only those that are not."),
    }

    class Meta:
        model = Trigger
        fields = ("workflow", "kind", "pattern", "enabled")
