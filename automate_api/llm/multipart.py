"""Forms with a file, as `multipart/form-data` has them (RFC 7578)."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from automate_api.llm.call import Body
from automate_api.llm.shapes import clean_text

# As browsers quote (WHATWG HTML, 4.10.21.8). The backslash too: some parsers take it for an escape.
_QUOTED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A", "\\": "%5C"})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send. Its name may be anything; its content type is one of ours."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


def form_body(fields: Mapping[str, str], **files: Upload) -> Body:
    """A form of `fields` and `files`, whose names are ours and whose values are anybody's."""
    # Of 128 random bits: whoever wrote the values cannot end a part with it.
    boundary = secrets.token_hex(16)
    parts = [_part(f'name="{name}"', clean_text(value).encode()) for name, value in fields.items()]
    parts += [_file_part(name, file) for name, file in files.items()]
    opened = (piece for part in parts for piece in (f"--{boundary}\r\n".encode(), *part, b"\r\n"))
    return Body(f"multipart/form-data; boundary={boundary}", b"".join([*opened, f"--{boundary}--\r\n".encode()]))


def _part(disposition: str, content: bytes, *headers: str) -> tuple[bytes, bytes]:
    lines = [f"Content-Disposition: form-data; {disposition}", *headers, "", ""]
    return "\r\n".join(lines).encode(), content


def _file_part(name: str, file: Upload) -> tuple[bytes, bytes]:
    quoted = clean_text(file.name).translate(_QUOTED)
    return _part(f'name="{name}"; filename="{quoted}"', file.content, f"Content-Type: {file.content_type}")
