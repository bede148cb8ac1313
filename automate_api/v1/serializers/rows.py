"""Rows on the wire in one form, whatever a host's `REST_FRAMEWORK` and `USE_TZ` say of times and numbers."""

from typing import Any, TypeVar

from django.db import models
from rest_framework import serializers

from automate_api.v1.serializers.fields import MomentField

_Row = TypeVar("_Row", bound=models.Model)


class AmountField(serializers.DecimalField):
    """A decimal number as a string, in which nothing is lost."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"coerce_to_string": True, **kwargs})


class RowSerializer(serializers.ModelSerializer[_Row]):
    """REST framework's, with times in RFC 3339, integers as numbers and decimals as strings."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.BigAutoField: serializers.IntegerField,
        models.BigIntegerField: serializers.IntegerField,
        models.DateTimeField: MomentField,
        models.DecimalField: AmountField,
    }
