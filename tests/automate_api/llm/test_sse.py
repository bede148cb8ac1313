"""Events out of bytes, wherever the bytes are cut."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automate_api.exceptions import UpstreamInvalid
from automate_api.llm.sse import MAX_EVENT_BYTES, EventParser

STREAM = (
    b"\xef\xbb\xbf: hello\n\ndata: one\n\n"
    b"event: x\nid: 7\nretry: 10\ndata:two\n\n"
    b"data: three\r\ndata: more\r\n\r\n\n\n"
    b"data:\n\ndata:  space\n\nfield\n\ndata\n\ndata: \xc5\xbe\n\ndata: not complete\n"
)
EVENTS = [b"one", b"two", b"three\nmore", b"", b" space", b"\xc5\xbe"]


def feed(pieces: list[bytes]) -> list[bytes]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def test_events_end_at_their_blank_line() -> None:
    assert feed([STREAM]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_it_does_not_matter_where_the_bytes_are_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert feed([STREAM[start:end] for start, end in pairwise(edges)]) == EVENTS


def test_single_bytes_give_the_same_events() -> None:
    assert feed([bytes([byte]) for byte in STREAM]) == EVENTS


def test_what_follows_the_last_blank_line_is_never_given() -> None:
    assert feed([b"data: [DONE]"]) == feed([b"data: [DONE]\n"]) == feed([b"data: [DONE]\r\n\r"]) == []


def test_an_event_named_error_is_noticed() -> None:
    parser = EventParser()
    assert parser.feed(b"event: message\ndata: 1\n\n") == [b"1"]
    assert not parser.error_named
    assert parser.feed(b"event: error\ndata: 2\n\n") == [b"2"]
    assert parser.error_named


def test_nothing_is_given_after_an_event_named_error() -> None:
    assert feed([b"data: 1\n\nevent: error\ndata: 2\n\ndata: [DONE]\n\n"]) == [b"1", b"2"]


@pytest.mark.parametrize("piece", [b"x" * 1000, b"data: " + b"x" * 1000 + b"\n", b"data: 1\n", b"data:\n"])
def test_an_event_may_not_be_endless(piece: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        feed([piece] * (MAX_EVENT_BYTES // len(piece) + 2))


def test_the_cap_is_for_one_event_and_not_for_the_stream() -> None:
    event = b"data: " + b"x" * (MAX_EVENT_BYTES // 2) + b"\n\n"
    whole = event * 5
    seed = random.Random(1)
    cuts = sorted(seed.randrange(len(whole)) for _ in range(40))
    edges = [0, *cuts, len(whole)]
    assert len(feed([whole[start:end] for start, end in pairwise(edges)])) == 5
    assert len(feed([whole])) == 5
