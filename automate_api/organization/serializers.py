"""What these routes answer."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate_api.v1.serializers.fields import ObjectField


class OrganizationTokenSerializer(serializers.Serializer[Any]):
    """A token, which stands for the API key it was given for."""

    id_token = serializers.CharField(help_text=_("A JSON Web Token."))
    expires_at = serializers.DateTimeField(help_text=_("When it ends, with the offset from UTC."))


class OrganizationModelSerializer(serializers.Serializer[Any]):
    """A model."""

    name = serializers.CharField(help_text=_("What its provider calls it."))
    params_model_schema = ObjectField(help_text=_("What it can be told beside the prompt, as JSON Schema."))


class OrganizationModelsSerializer(serializers.Serializer[Any]):
    """All models."""

    models = OrganizationModelSerializer(many=True, help_text=_("The models by name, each once."))
