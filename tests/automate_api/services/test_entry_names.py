"""Names of entries are safe on every system, and no two are the same on any."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automate_api.services.entry_names import EntryNames

HOSTILE = [
    "", ".", "..", "../../x", "..\\..\\x", "C:\\x", "C:x", "/etc/x", "//host/share", "a\x00b", "CON", "con.txt", "LPT1",
    "nul", "x" * 300, "x" * 299 + "y", "\u202egpj.exe", "\u200bx", "ABC", "abc", "Abc", "\ufb01le", "file", "\u00e9",
    "e\u0301", "-rf", "~root", "a b", " a", "a ", "a.", "x\r\ny", "$(id)", "a*?", "x:stream", "\ud800", "\U0001f600",
    "\u0130", "i\u0307", "\u212a", "k", "K",
]  # fmt: skip

safe = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~-]*")
device = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)


def names_of(keys: list[str]) -> list[str]:
    names = EntryNames()
    return [names.name(key) for key in keys]


def folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def require_sound(keys: list[str]) -> None:
    names = names_of(keys)
    assert all(safe.fullmatch(name) and not device.match(name) and len(name) < 200 for name in names)
    assert len({folded(name) for name in names}) == len(keys)
    assert names == names_of(keys)


def test_hostile_keys_have_sound_names() -> None:
    require_sound(HOSTILE)


@given(
    st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=300), st.text("aAbB.~_-", max_size=4)), max_size=60)
)
def test_any_keys_have_sound_names(keys: list[str]) -> None:
    require_sound(keys)


@given(st.lists(st.text("aA", min_size=1, max_size=2), max_size=20))
def test_a_name_that_was_made_of_a_key_is_taken_as_well(keys: list[str]) -> None:
    """Whoever names a key after what another key is called gains nothing."""
    require_sound([*keys, *names_of(keys), *names_of([*keys, *keys])])


def test_a_safe_key_is_its_own_name() -> None:
    assert names_of(["helper-20260131T121000-0c1d2e3f4a5b", "a.b_c-D"]) == [
        "helper-20260131T121000-0c1d2e3f4a5b",
        "a.b_c-D",
    ]


@pytest.mark.parametrize(("key", "begin"), [("../../x", "_.._.._x~"), ("CON", "_CON~"), ("C:\\x", "C__x~"), ("", "_~")])
def test_of_another_key_the_name_keeps_what_is_safe_and_a_digest(key: str, begin: str) -> None:
    (name,) = names_of([key])
    assert re.fullmatch(re.escape(begin) + "[0-9a-f]{16}", name)
