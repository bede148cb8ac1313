"""What no sensible caller sends: bodies, values, queries, ids and headers, each with what must come of it."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

JSON = "application/json"

#: No more than that what was sent is refused, or taken for what it is; never that the server fails.
ANY = frozenset({*range(200, 300), *range(400, 500)})
REFUSED = frozenset(range(400, 500))


@dataclass(frozen=True)
class Bad:
    """One request that differs in one thing from a good one, and the statuses that may come of it."""

    what: str
    statuses: frozenset[int] = ANY
    query: str = ""
    body: bytes | None = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


_LARGE = b'{"name": "' + b"x" * 10_000_000 + b'"}'


def _deep(opening: bytes, closing: bytes, depth: int = 1000) -> bytes:
    return opening * depth + b"1" + closing * depth


#: Bodies that are no JSON, or none that can be kept.
MALFORMED: Mapping[str, bytes] = {
    "bad JSON": b"{",
    "a trailing comma": b'{"name": "x",}',
    "a comment": b'{"name": "x"} // yes',
    "single quotes": b"{'name': 'x'}",
    "two values": b"{} {}",
    "a word": b"name",
    "half a string": b'{"name": "x',
    "a form": b"name=x&slug=y",
    "XML": b"<name>x</name>",
    "a control character": b'{"name": "a\nb"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "Latin-1": '{"name": "é"}'.encode("latin-1"),
    "a byte order mark": b'\xef\xbb\xbf{"name": "x"}',
    "bytes": bytes(range(256)),
    "a NUL byte": b'{"name": "a\x00b"}',
    "an escaped NUL": b'{"name": "a\\u0000b"}',
    "an escaped NUL in a name": b'{"na\\u0000me": "b"}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a lone low surrogate": b'{"name": "\\udfff!"}',
    "swapped surrogates": b'{"name": "\\udc00\\ud800"}',
    "a lone surrogate in a name": b'{"\\ud83d": "b"}',
    "an encoded surrogate": b'{"name": "\xed\xa0\x80"}',
    "lists in depth": _deep(b"[", b"]"),
    "objects in depth": _deep(b'{"name":', b"}"),
    "lists in objects in depth": _deep(b'{"name":[', b"]}", 500),
    "depth without an end": b"[" * 100_000,
    "depth in a field": b'{"name": ' + _deep(b"[", b"]") + b"}",
    "NaN": b'{"name": NaN}',
    "infinity": b'{"name": -Infinity}',
    "a number beyond all floats": b'{"name": 1e999}',
    "a number of 5000 digits": b'{"name": ' + b"9" * 5000 + b"}",
}

#: Bodies that are JSON but no object.
NO_OBJECTS = (b"null", b"[]", b"[{}]", b"1", b"true", b'"name"', b'["name"]')

#: Media types that no body of ours has.
MEDIA_TYPES = (
    "", "text/plain", "text/json", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data",
    "multipart/form-data; boundary=x", "application/jsonx", "application", "/", ";", "*/*",
    "application/json, text/plain", "application/*", "application/json; charset=utf-16",
    "application/json; charset=nonsense", "\xff", "x" * 10_000,
)  # fmt: skip

#: Values of fields, as JSON writes them.
VALUES: Mapping[str, str] = {
    **{
        text: text
        for text in (
            "null", "true", "false", "0", "-1", "1.5", "-0.0", "1e308", "[]", "{}", "[null]", "[[]]", "[{}]", '[""]',
            '{"a": 1}', '{"": ""}', '{"__proto__": {"x": 1}}', '{"constructor": {"prototype": {}}}', '{"$ref": "#"}',
        )
    },
    **{
        f"the text {text[:40]!r}": json.dumps(text)
        for text in (
            "", " ", "\t", "NaN", "Infinity", "null", "true", "0x10", "1_0", "+10", " 1", "1 ", "\u0661", "1e3",
            "__proto__", "' OR 1=1; DROP TABLE automate_api_provider; --", "{{7*7}}", "{% debug %}", "${7*7}", "%s%n",
            "{0.__class__}", "../../etc/passwd", "..\\..\\x", "file:///etc/passwd", "http://169.254.169.254/",
            "javascript:alert(1)",
            "\u202egnp.exe", "שלום", "👩‍👩‍👧‍👦", "a\u0301" * 10, "\ufeff", "\uffff", "\x7f\x1b[31m",
            "a\r\nX-Injected: 1",
            "<script>alert(1)</script>", "2026-13-45T99:99:99Z", "9999-12-31T23:59:59Z", "x" * 100_000,
        )
    },
    **{str(number): str(number) for number in (2**31, 2**63 - 1, 2**63, 2**64, -(2**63) - 1)},
    "a number of 400 digits": "9" * 400,
    "a list of 3000": json.dumps(list(range(3000))),
    "an object of 3000": json.dumps({f"k{number}": number for number in range(3000)}),
    "lists in lists": "[" * 60 + "]" * 60,
    "objects in objects": '{"a":' * 60 + "1" + "}" * 60,
}  # fmt: skip

#: Values of query parameters, percent-encoded.
QUERY_VALUES = (
    "", "%20", "0", "-1", "1_0", "%2B10", "%201", "1.5", "NaN", "9" * 30, "9" * 5000, str(2**63), "%D9%A1", "true",
    "null", "%ff", "%c3%28", "%ed%a0%80", "%", "%zz", "%F0%9F%92%A9", "%E2%80%AE", "'%20OR%201=1--", "{{7*7}}",
    "..%2F..%2Fx", "__proto__", "x" * 5000, "2026-13-45", "0001-01-01T00:00:00%2B14:00", "[]", "a,b,,", "-", "--name",
    "name__icontains",     "%0d%0aX-Injected:1", "eyJ4IjoxfQ:x", "WyJhIiwwLDAsW11d:AAAA",
)  # fmt: skip

#: Ids in a path, percent-encoded, that are nobody's.
IDS = (
    "1_0", "+10", "%2B10", "%201", "1%20", "0", "-1", "00", "01", str(2**31), str(2**63), "9" * 400, "1.5", "1e3",
    "NaN", "%00", "1%00", "%ff", "%c3%28", "%D9%A1", "%F0%9F%92%A9", "%0a", "1%0a", "%0d%0aX:1", "%25", "null",
    "None", "true", "__proto__", "'%20OR%201=1--", "{{7*7}}", "x" * 3000, "%E2%80%AE",
    "00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000", "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz",
    "01890a5d-ac96-774b-bcce-b302099a8057x", "..", "...", "a.b", "~", ";x=1", "1;x", "@", "*",
)  # fmt: skip

#: An integer id as a number parser might read it too: an id has one spelling.
SPELLINGS = ("0{}", "00{}", "+{}", "%2B{}", "%20{}", "{}%20", "{}%0a", "0_{}", "{}.0", "{}e0", "0x{}", "%EF%BC%90{}")

#: Headers that change nothing, for what they ask is not to be had.
IGNORED: tuple[tuple[str, str], ...] = (
    ("X-HTTP-Method-Override", "DELETE"), ("X-Method-Override", "PUT"), ("X-HTTP-Method", "DELETE"),
    ("X-Correlation-ID", "x" * 100_000), ("X-Correlation-ID", ""), ("X-Correlation-ID", "a b"),
    ("X-Correlation-ID", "a\r\nX-Injected: 1"), ("X-Correlation-ID", "\xff\xfe"), ("X-Correlation-ID", "../../x"),
    ("X-Forwarded-For", "127.0.0.1, ' OR 1=1"), ("X-Forwarded-Host", "evil.example"), ("X-Original-URL", "/admin/"),
    ("Accept-Language", "x" * 10_000), ("Accept-Language", "../../etc,de;q=NaN"), ("Accept-Encoding", "\xff"),
    ("If-Modified-Since", "yesterday"), ("If-None-Match", '"' * 5000), ("Range", "bytes=-1-0,5"),
    ("Cookie", "=;=\xff;sessionid=../x"), ("Origin", "null"), ("Origin", "http://[::1"), ("Referer", "http://[::1"),
    ("Prefer", "\xff, =;"), ("Last-Event-ID", "-1"), ("Forwarded", 'for="[::1'), ("User-Agent", "\x00"),
)  # fmt: skip

#: Accepted media types that no answer of ours has, and what is no media type.
NOT_ACCEPTABLE = ("application/xml", "image/png", "text/csv;q=1", "application/x-yaml2")
ACCEPTS = (
    "", "x", "/", "*", ";", "*/*;q=NaN", "application/json;q=\xff", "a/b/c", ",,,", "x" * 50_000, "*/*," * 2000,
    "\x00/\x00",
)  # fmt: skip

#: Idempotency keys that are none, for an operation that takes one.
IDEMPOTENCY_KEYS = ("x" * 256, "x" * 100_000, "", " ", "\xff", "a\x00b", "a\tb", "a\r\nX-Injected: 1", "\x7f")

CREDENTIALS: tuple[tuple[str, str], ...] = (
    ("Authorization", ""), ("Authorization", "Bearer"), ("Authorization", "Bearer "), ("Authorization", "Bearer \xff"),
    ("Authorization", "x" * 50_000), ("Authorization", "Basic !!!"), ("Authorization", "Basic Og=="),
    ("Authorization", "Bearer a b c"), ("Authorization", "Bearer aak_" + "0" * 32 + "_" + "x" * 43), ("X-API-Key", ""),
    ("X-API-Key", "x" * 50_000), ("X-API-Key", "\xff\x00"), ("X-API-Key", "aak_" + "0" * 32 + "_" + "\xe9" * 43),
    ("Cookie", "sessionid=" + "x" * 5000), ("Cookie", "sessionid=\x00"),
)  # fmt: skip


def bodies(content_type: str = JSON) -> Iterator[Bad]:
    """Whole bodies, for an operation that takes one."""
    for what, body in MALFORMED.items():
        yield Bad(what, REFUSED, body=body, content_type=content_type)
    for body in NO_OBJECTS:
        yield Bad(f"the body {body!r}", frozenset({400}), body=body, content_type=content_type)
    for media_type in MEDIA_TYPES:
        yield Bad(f"the media type {media_type[:50]!r}", frozenset({415}), body=b"{}", content_type=media_type)
    yield Bad("10 MB", frozenset({413}), body=_LARGE, content_type=content_type)


def headers() -> Iterator[Bad]:
    """Headers, for any operation."""
    for name, value in IGNORED:
        yield Bad(f"{name}: {value[:50]!r}", headers={name: value})
    for accept in NOT_ACCEPTABLE:
        yield Bad(f"to accept {accept}", frozenset({406}), headers={"Accept": accept})
    for accept in ACCEPTS:
        yield Bad(f"to accept {accept[:50]!r}", headers={"Accept": accept})


def idempotency_keys() -> Iterator[Bad]:
    """Values of `Idempotency-Key`."""
    for key in IDEMPOTENCY_KEYS:
        yield Bad(f"the key {key[:50]!r}", frozenset({400}), headers={"Idempotency-Key": key})


def queries(known: Collection[str]) -> Iterator[Bad]:
    """Query strings, for an operation that reads the parameters `known`."""
    for name in ("unknown", "tenant_id", "format", "__proto__", "%00", "%ff", "page", "id__in", "x" * 5000, "[]"):
        if name not in known:
            yield Bad(f"?{name[:50]}=1", frozenset({400}), query=f"?{name}=1")
    yield Bad("5000 unknown parameters", REFUSED, query="?" + "&".join(f"p{number}=1" for number in range(5000)))
    for name in known:
        yield Bad(f"?{name}= with a NUL", frozenset({400}), query=f"?{name}=a%00b")
        for value in QUERY_VALUES:
            yield Bad(f"?{name}={value[:50]}", query=f"?{name}={value}")
            yield Bad(f"?{name}=&{name}={value[:50]}", query=f"?{name}={value}&{name}=1")
    if "page_size" in known:
        for size in ("0", "-1", "201", "1_0", "", "9" * 400, "1.0", "%D9%A1", "+1", "NaN"):
            yield Bad(f"pages of {size[:20]}", frozenset({400}), query=f"?page_size={size}")
        for cursor in ("", "x", "WyJhIl0", "WyJhIl0:x", "%ff"):
            yield Bad(f"a page from {cursor}", frozenset({400}), query=f"?cursor={cursor}")
        for order in ("", "nothing", "name,nothing", "password", "user__password", "-", "?", "name__x"):
            yield Bad(f"ordered by {order}", frozenset({400}), query=f"?ordering={order}")
