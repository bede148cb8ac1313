"""Models on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate_api.v1.serializers.fields import ObjectField


class PricesSerializer(serializers.Serializer[Any]):
    """What a model costs, in US dollars per million tokens."""

    optional_in_answers = ("input_price", "output_price")

    input_price = serializers.CharField(required=False, help_text=_("Of what the model is given."))
    output_price = serializers.CharField(required=False, help_text=_("Of its answers."))


class ReachableModelSerializer(serializers.Serializer[Any]):
    """One model that the caller can reach."""

    name = serializers.CharField(help_text=_("Its name at the provider."))
    provider = serializers.CharField(help_text=_("The provider's slug."))
    params_schema = ObjectField(help_text=_("JSON Schema of the parameters a run takes."))
    context_window = serializers.IntegerField(
        allow_null=True, help_text=_("Tokens it can hold at once; null: not known.")
    )
    prices = PricesSerializer(allow_null=True, help_text=_("Null: not known."))
    capabilities = serializers.ListField(
        child=serializers.CharField(), help_text=_("The task types it can be used for.")
    )
