"""From the source of a rule to its tree.

The grammar is cel-python's, read from its package without importing the rest of it, which takes three times as long.
Lark makes the tables; our lexer feeds them, and nodes are made as rules are recognised, without a tree between.
"""

import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from automate.rules.building import Builder
from automate.rules.errors import Refused, RuleError
from automate.rules.lexer import words
from automate.rules.nodes import Literal
from automate.rules.tree import Node
from automate.rules.values import INT_MAX
from automate_api.exceptions import NotConfigured

_lock = threading.Lock()
_parser: Any = None


def parse(source: str) -> Node:
    """The tree of a rule.

    Raises:
        RuleError: it does not parse, or is too deep.
        NotConfigured: cel-python is not installed.
    """
    parser = _the_parser()
    from lark.exceptions import UnexpectedToken  # noqa: PLC0415 - of the extra `workflows`

    try:
        root: Node = parser.parse(source)
        _check(root)
    except UnexpectedToken as unexpected:
        raise _unexpected(unexpected.token, source) from None
    except Refused as refused:
        raise RuleError(refused.message, source, refused.start, refused.end) from None
    return root


def _check(root: Node) -> None:
    """Refuse the one integer that is right with a minus alone."""
    pending = [root]
    while pending:
        node = pending.pop()
        if type(node) is Literal and type(node.value) is int and node.value > INT_MAX:
            raise Refused(_("This number is past 64 bits."), node.start, node.end)
        pending += node.children


def _unexpected(token: Any, source: str) -> RuleError:
    if token.type == "$END":
        return RuleError(_("The rule ends too early."), source, len(source))
    message = _("“%(word)s” is not expected here.") % {"word": str(token)[:40]}
    return RuleError(message, source, token.start_pos, token.end_pos)


def _the_parser() -> Any:
    """The parser of this process. Making it takes a quarter of a second."""
    global _parser
    if _parser is None:
        with _lock:
            _parser = _parser or _made()
    return _parser


def _made() -> Any:
    spec = find_spec("celpy")
    if spec is None or not spec.submodule_search_locations:
        raise NotConfigured(_("Rules need the extra “workflows”: pip install 'django-automate-api[workflows]'."))
    from lark import Lark, Token  # noqa: PLC0415 - of the extra `workflows`
    from lark.lexer import Lexer  # noqa: PLC0415 - of the extra `workflows`

    class Words(Lexer):
        """Our words as lark's tokens."""

        def __init__(self, conf: Any) -> None:
            # Signs have names in the tables: what they are is between the library's grammar and lark.
            named = {
                terminal.pattern.value: terminal.name for terminal in conf.terminals if terminal.pattern.type == "str"
            }
            self.names = {sign: name for sign, name in named.items() if sign not in {"true", "false", "null"}}

        def lex(self, source: str) -> Iterator[Any]:  # type: ignore[override] # as lark documents it
            """The tokens of `source`."""
            for kind, text, start in words(source):
                yield Token(self.names.get(kind, kind), text, start, end_pos=start + len(text))

    grammar = Path(spec.submodule_search_locations[0]) / "cel.lark"
    return Lark(
        grammar.read_text("utf-8"),
        start="expr",
        parser="lalr",
        lexer=Words,
        transformer=Builder(),
        keep_all_tokens=True,
        maybe_placeholders=False,
        priority="invert",
    )
