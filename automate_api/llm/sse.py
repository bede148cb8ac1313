"""Server-sent events out of bytes (WHATWG HTML, section 9.2.6), as far as the OpenAI protocol uses them."""

from automate_api.exceptions import UpstreamInvalid

MAX_EVENT_BYTES = 2**20


class EventParser:
    """Takes bytes as they arrive and gives the data of each event that is complete, looking at each byte once.

    An event is complete at its blank line: what follows the last one, however much it looks like an event, is never
    given. Lines end in LF or CRLF; comments and the fields `id` and `retry` are skipped. An event named `error` is
    given as data like any other after setting `error_named`. UpstreamInvalid is raised for an event over a megabyte.
    """

    __slots__ = ("_data", "_first", "_rest", "_size", "error_named")

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0
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
            self._size = sum(map(len, self._data))
        lines = chunk.split(b"\n")
        if rest := lines.pop():
            self._hold(rest)
        return self._events(lines)

    def _hold(self, rest: bytes) -> None:
        self._grow(len(rest))
        self._rest.append(rest)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MAX_EVENT_BYTES:
            raise UpstreamInvalid

    def _events(self, lines: list[bytes]) -> list[bytes]:
        if self._first:
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
            self._first = False
        events = []
        for line in lines:
            if line.endswith(b"\r"):
                line = line[:-1]  # noqa: PLW2901
            if line.startswith(b"data:"):
                self._grow(len(line))
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif not line:
                if self._data:
                    events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                    self._data.clear()
                    self._size = sum(map(len, self._rest))
            elif line.startswith(b"event:") and line[6:].strip() == b"error":
                self.error_named = True
        return events
