"""Prompt logs on the wire."""

from django.utils.translation import gettext_lazy as _

from automate_api.models import PromptLog
from automate_api.v1.serializers.fields import ObjectListField, UsageField, helped
from automate_api.v1.serializers.rows import RowSerializer


class PromptLogSerializer(RowSerializer[PromptLog]):
    """What was said to a model, and what it said."""

    history = ObjectListField(read_only=True, help_text=_("The messages that were sent, in the protocol's shape."))
    usage = UsageField(read_only=True, allow_null=True, help_text=_("Tokens, as the model server counted them."))

    class Meta:
        model = PromptLog
        fields = (
            "id",
            "log_key",
            "system",
            "history",
            "response",
            "model",
            "provider",
            "usage",
            "execution",
            "user",
            "created_at",
        )
        read_only_fields = fields
        extra_kwargs = helped(
            log_key=_("Unique in the tenant, and readable: the LLM client's slug, the time, and the execution."),
            system=_("The system prompt."),
            response=_("The text of the answer."),
            model=_("The model that was called."),
            provider=_("The provider's slug."),
            execution=_("The run it belongs to."),
            user=_("Who ran it; null: deleted since."),
        )
