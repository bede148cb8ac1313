"""Models on the wire."""

from typing import Any

from rest_framework import serializers


class PricesSerializer(serializers.Serializer[Any]):
    """What a model costs, in US dollars per million tokens."""

    input_price = serializers.CharField(required=False)
    output_price = serializers.CharField(required=False)


class ReachableModelSerializer(serializers.Serializer[Any]):
    """One model that the caller can reach."""

    name = serializers.CharField()
    provider = serializers.CharField(help_text="The provider's slug.")
    params_schema = serializers.JSONField(help_text="JSON Schema of the parameters a run takes.")
    context_window = serializers.IntegerField(allow_null=True, help_text="Tokens.")
    prices = PricesSerializer(allow_null=True)
    capabilities = serializers.ListField(child=serializers.CharField(), help_text="Task types.")
