"""How much an evaluation may cost."""

from django.utils.translation import gettext as _

from automate.conf import settings
from automate.rules.errors import Kind, RuleFailed


class Budget:
    """Steps and bytes that are left for an evaluation, or for several that share it.

    Each sub-expression costs a step each time it is evaluated; what loops inside costs more. Each text, list, map and
    byte string that is made costs its size, and so does the result.

    Attributes:
        steps: the steps that are left.
        size: the bytes that are left.
    """

    __slots__ = ("size", "steps")

    def __init__(self, *, steps: int | None = None, size: int | None = None) -> None:
        self.steps = settings.rule_cost if steps is None else steps
        self.size = settings.rule_max_bytes if size is None else size

    def spend(self, steps: int) -> None:
        """Take `steps`.

        Raises:
            RuleFailed: there were fewer.
        """
        self.steps -= steps
        if self.steps < 0:
            raise RuleFailed(Kind.TOO_COSTLY, _("The rule takes too many steps."))

    def make(self, size: int) -> None:
        """Take `size` bytes.

        Raises:
            RuleFailed: there were fewer.
        """
        self.size -= size
        if self.size < 0:
            raise RuleFailed(Kind.TOO_COSTLY, _("The rule makes too much data."))
