"""Forms with a file, read back by the standard library."""

import re
from email.message import Message
from email.parser import BytesParser

import pytest

from automate_api.llm.call import Body
from automate_api.llm.multipart import Upload, form_body


def parts_of(body: Body) -> list[Message]:
    parsed = BytesParser().parsebytes(f"Content-Type: {body.content_type}\r\n\r\n".encode() + body.data)
    assert not parsed.defects
    parts = parsed.get_payload()
    assert isinstance(parts, list)
    return parts  # type: ignore[return-value]


def named(name: str) -> Message:
    """The file's part of a form with a file of that name."""
    (part,) = parts_of(form_body({}, file=Upload(name, "audio/wav", b"RIFF")))
    return part


def test_a_form_is_read_as_it_was_written() -> None:
    content = bytes(range(256)) * 3 + b"\r\n--x\r\n\r\n"
    model, prompt, file = parts_of(
        form_body({"model": "m", "prompt": "ž\r\n--x"}, file=Upload("a.wav", "audio/wav", content))
    )
    assert model.get_payload(decode=True) == b"m"
    assert prompt.get_payload(decode=True) == "ž\r\n--x".encode()
    assert file.get_payload(decode=True) == content
    assert (file.get_content_type(), file.get_filename()) == ("audio/wav", "a.wav")
    assert file.get_param("name", header="Content-Disposition") == "file"


@pytest.mark.parametrize(
    "name",
    ['a"; name="model', "a\r\nX-Injected: 1\r\n\r\nbody", "a\\", 'a\\"b', "a\nb", "\ud83e", "\0", 'x"\r\n--', ""],
)
def test_a_name_stays_in_its_quotes(name: str) -> None:
    part = named(name)
    assert part.keys() == ["Content-Disposition", "Content-Type"]
    assert part.get_param("name", header="Content-Disposition") == "file"
    assert part.get_payload(decode=True) == b"RIFF"
    assert not re.search(r'[\r\n"\\]', part.get_filename() or "")


def test_a_name_in_any_script_is_sent_in_utf_8() -> None:
    assert 'filename="žluťoučký.wav"'.encode() in form_body({}, file=Upload("žluťoučký.wav", "audio/wav", b"")).data


def test_a_value_cannot_end_its_part() -> None:
    first, second = (form_body({"prompt": "x"}) for _ in range(2))
    assert first.content_type != second.content_type
    boundary = first.content_type.partition("boundary=")[2]
    assert re.fullmatch("[0-9a-f]{32}", boundary)


def test_a_value_that_no_form_can_hold_is_mended() -> None:
    (part,) = parts_of(form_body({"prompt": "a\ud800b\0"}))
    assert part.get_payload(decode=True) == "a\ufffdb".encode()
