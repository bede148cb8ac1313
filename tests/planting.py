"""Pseudo-random secrets, where they are planted, and the search for them in everything that is kept."""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, unquote

from django.db import connection

#: So many characters of a secret, one after the other, tell it.
TELLING = 12

#: What the host of the tests redacts besides.
PATTERNS = [r"CARD-[0-9A-Z]{24}", r"<private>[^<]{12,200}</private>"]
REDACTOR = "tests.planting.without_checked"

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_CHECKED = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_BEFORE = (" ", "=", ":", "(", '"', "\n", "ž ")
# What a host's patterns make of these is the host's business.
_ESCAPES = ("%3D", "\\n", "\\u003d")
_BETWEEN = (" ", "\n", '" ', "', ", "; ", ") ", "</a> ", " 🦊 ")


def without_checked(text: str) -> str:
    """The host's redactor: takes out numbers that end in their own checksum, which no pattern could."""
    return _CHECKED.sub(lambda found: "<checked>" if checked(found[0][:24]) == found[0] else found[0], text)


def checked(digits: str) -> str:
    """`digits` with their checksum."""
    return f"{digits}{zlib.crc32(digits.encode()):08x}"


@dataclass
class Secret:
    """One secret: as it stands in a text, and what of it nobody may learn."""

    kind: str
    text: str
    core: str


class Garden:
    """Makes secrets and remembers them. `own` is the key of the provider that is called at present, if any."""

    KINDS = ("key", "sk", "bearer", "card", "private", "checked", "own")
    #: Those of which a part is taken out too where a text breaks off.
    BEGUN = ("sk", "bearer", "own")

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.made: list[Secret] = []
        self.marks: list[str] = []
        self.own = ""

    def letters(self, least: int, most: int, alphabet: str = LETTERS) -> str:
        return "".join(self.chance.choices(alphabet, k=self.chance.randint(least, most)))

    def new_own(self) -> str:
        """Another key for a provider."""
        odd = self.chance.random() < 0.5
        self.own = self.letters(24, 60, LETTERS + ("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" if odd else "._:-"))
        return self.own

    def secret(self, *kinds: str) -> Secret:
        """One more secret, of one of these kinds or any."""
        kind = self.chance.choice([kind for kind in kinds or self.KINDS if self.own or kind != "own"])
        found: Secret = getattr(self, f"_{kind}")()
        self.made.append(found)
        return found

    def _key(self) -> Secret:
        core = self.letters(43, 43, LETTERS + "-_")
        return Secret("key", f"aak_{self.chance.randbytes(16).hex()}_{core}", core)

    def _sk(self) -> Secret:
        core = self.letters(20, 60, LETTERS + "-_")
        return Secret("sk", f"sk-{core}", core)

    def _bearer(self) -> Secret:
        core, name = self.letters(20, 80, LETTERS + "._~+/-"), self.chance.choice(("Bearer", "bearer", "BEARER"))
        ways = (core, core.replace("/", "\\/"), quote(core, safe=""), core.replace("+", "\\u002B"))
        return Secret(
            "bearer", f"{name}{self.chance.choice((' ', '  ', '%20', chr(9)))}{self.chance.choice(ways)}", core
        )

    def _card(self) -> Secret:
        core = self.letters(24, 24, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        return Secret("card", f"CARD-{core}", core)

    def _private(self) -> Secret:
        core = self.letters(20, 200, "abcdefghijklmnopqrstuvwxyz  \n")
        return Secret("private", f"<private>{core}</private>", core)

    def _checked(self) -> Secret:
        text = checked(self.chance.randbytes(12).hex())
        return Secret("checked", text, text)

    def _own(self) -> Secret:
        basic = base64.b64encode(f"{self.letters(0, 5)}:{self.own}{self.letters(0, 2)}".encode()).decode()
        in_json = json.dumps(self.own)[1:-1]
        ways = (self.own, in_json, quote(self.own, safe=""), f"Basic {basic}", in_json.replace("/", "\\/"))
        return Secret("own", self.chance.choice(ways), self.own)

    # -- what they are planted in ------------------------------------------------------------------------------------

    def text(self, mark: str, count: int, *kinds: str) -> str:
        """So many secrets among ordinary words, after `mark`, if any, which is to be found again."""
        words = [f"{self.mark(mark)} " if mark else ""]
        for _ in range(count):
            secret = self.secret(*kinds)
            before = _BEFORE + _ESCAPES if secret.kind in self.BEGUN else _BEFORE
            words += [self.letters(0, 6), self.chance.choice(before), secret.text, self.chance.choice(_BETWEEN)]
        return "".join(words)

    def mark(self, mark: str) -> str:
        """Something that is no secret."""
        self.marks.append(f"mark {mark} {len(self.marks)} kram")
        return self.marks[-1]

    def cut(self) -> str:
        """A secret that breaks off where it would be told."""
        secret = self.secret(*self.BEGUN)
        if secret.kind == "own":
            return self.own[: self.chance.randint(TELLING, len(self.own) - 1)]
        begin = secret.text.removesuffix(secret.core)
        return f" {begin}{secret.core[: self.chance.randint(0, len(secret.core))]}" if begin != secret.text else ""

    def pieces(self, text: str, longest: int = 24) -> list[str]:
        """`text` in pieces of 1 to `longest` characters."""
        found, place = [], 0
        while place < len(text):
            size = self.chance.randint(1, longest)
            found.append(text[place : place + size])
            place += size
        return found


# -- the search ------------------------------------------------------------------------------------------------------

#: What is configuration and stored as it is: `docs/how-to/redact.md` says so.
CONFIGURATION = {("automate_api_llmclient", "system_prompt"), ("automate_api_llmclientversion", "snapshot")}


@dataclass
class Found:
    """Where what was."""

    place: str
    text: str
    around: str = field(repr=True, default="")


def kept_in_database() -> Iterator[tuple[str, str]]:
    """Each column of each row of each table of ours, as the database has it, with its name."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if not table.startswith("automate"):
                continue
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    if value is not None and (table, name) not in CONFIGURATION:
                        yield f"{table}.{name}", value if isinstance(value, str) else json.dumps(value, default=str)


def kept_in_file() -> Iterator[tuple[str, str]]:
    """The bytes of SQLite's files, once all that is configuration was made something else."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute("UPDATE automate_api_llmclient SET system_prompt = ''")
        cursor.execute("UPDATE automate_api_llmclientversion SET snapshot = '{}'")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert cursor.fetchone()[0] == 0
    name = str(connection.settings_dict["NAME"])
    for file in (Path(name), Path(f"{name}-wal")):
        if file.exists():
            yield file.name, file.read_bytes().decode("utf-8", "replace")


def views(text: str) -> Iterator[str]:
    """`text`, and as JSON, URLs and base64 in it read."""
    yield text
    escaped = text
    for _level in range(3):
        if "\\" in escaped:
            escaped = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], escaped)
            yield escaped
    if "%" in text:
        yield unquote(text)
    for run in re.findall(r"[A-Za-z0-9+/_-]{16,}", text):
        for start in range(4):
            whole = run[start:].replace("-", "+").replace("_", "/")
            yield base64.b64decode(whole[: len(whole) - (len(whole) % 4 == 1)] + "==").decode("latin-1")


_ESCAPE = re.compile(r"\\(?:u00([0-9A-Fa-f]{2})|(.))", re.DOTALL)


def search(secrets: Iterable[Secret], kept: Iterable[tuple[str, str]]) -> list[Found]:
    """Where any of `secrets` stands, or `TELLING` characters of one."""
    parts = {secret.core[at : at + TELLING] for secret in secrets for at in range(len(secret.core) - TELLING + 1)}
    found = []
    for place, text in kept:
        for view in views(text):
            for at in range(len(view) - TELLING + 1):
                if (part := view[at : at + TELLING]) in parts:
                    found.append(Found(place, part, view[max(0, at - 80) : at + 80]))
                    break
    return found


def require(marks: list[str], kept: list[tuple[str, str]]) -> None:
    """Each mark stands somewhere: what was planted beside it was stored."""
    whole: Any = "\n".join(text for _place, text in kept)
    missing = [mark for mark in marks if mark not in whole]
    assert not missing, missing
