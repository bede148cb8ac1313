"""What all mixins share: a place before the view class, or none at all."""

from typing import Any

from django.views import View


class ViewMixin:
    """Base of the mixins. One that stands behind the view class would be overridden by it, silently: a TypeError."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for mixin in cls.__mro__:
            if mixin is not ViewMixin and issubclass(mixin, ViewMixin) and not issubclass(mixin, View):
                _require_in_front(mixin, cls)


def _require_in_front(mixin: type, cls: type) -> None:
    for before in cls.__mro__[: cls.__mro__.index(mixin)]:
        if issubclass(before, View) and not issubclass(before, mixin):
            raise TypeError(
                f"{cls.__name__} has {mixin.__name__} behind {before.__name__}, where it would be without effect. "
                f"Put {mixin.__name__}, or the base class that brings it, first in the list of bases."
            )
