"""Server-sent events out of bytes (WHATWG HTML, section 9.2.6), as far as the OpenAI protocol uses them."""

from automate_api.exceptions import UpstreamInvalid

MAX_EVENT_BYTES = 2**20


class EventParser:
    """Takes bytes as they arrive and gives the data of each event that is complete, looking at each byte once.

    An event is complete at its blank line: what follows the last one, however much it looks like an event, is never
    given. Lines end in LF or CRLF; comments and the fields `id` and `retry` are skipped. An event named `error` is
    given as data like any other after setting `error_named`, and nothing after it. UpstreamInvalid is raised for an
    event over a megabyte.
    """

    __slots__ = ("_data", "_data_size", "_first", "_rest", "_rest_size", "error_named")

    def __init__(self) -> None:
        self._rest: list[bytes] = []  # of a line that is not complete
        self._rest_size = 0
        self._data: list[bytes] = []  # of an event that is not complete
        self._data_size = 0
        self._first = True
        self.error_named = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of the events that `chunk` completes."""
        if b"\n" not in chunk:
            self._hold(chunk)
            return []
        if self._rest:
            chunk = b"".join([*self._rest, chunk])
            self._rest.clear()
            self._rest_size = 0
        lines = chunk.split(b"\n")
        if rest := lines.pop():
            self._hold(rest)
        return self._events(lines)

    def _hold(self, rest: bytes) -> None:
        self._rest.append(rest)
        self._rest_size += len(rest)
        if self._rest_size > MAX_EVENT_BYTES:
            raise UpstreamInvalid

    def _add(self, line: bytes) -> None:
        self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        self._data_size += len(line) + 1
        if self._data_size > MAX_EVENT_BYTES:
            raise UpstreamInvalid

    def _take(self) -> bytes:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data.clear()
        self._data_size = 0
        return data

    def _events(self, lines: list[bytes]) -> list[bytes]:
        if self._first:
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
            self._first = False
        events = []
        for line in lines:
            content = line[:-1] if line.endswith(b"\r") else line
            if content.startswith(b"data:"):
                self._add(content)
            elif content:
                self.error_named |= content.startswith(b"event:") and content[6:].strip() == b"error"
            elif self._data:
                events.append(self._take())
                if self.error_named:
                    break
        return events
