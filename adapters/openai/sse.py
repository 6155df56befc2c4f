"""Server-sent events out of bytes that may be cut anywhere."""

from __future__ import annotations

from codecs import getincrementaldecoder
from io import IncrementalNewlineDecoder
from typing import NamedTuple


class ServerSentEvent(NamedTuple):
    """One event with data; comments, `id`, `retry` and events without data tell nothing."""

    name: str  # empty where the server gave none
    data: str


class Decoder:
    """Feed it the bytes as they come, then finish it once.

    As the HTML standard has it: lines end in LF, CRLF or CR, and what is not UTF-8 becomes U+FFFD. Unlike there, an
    event counts also if the stream ends without the blank line after it; whether it is whole, its data must show.
    """

    def __init__(self) -> None:
        utf8 = getincrementaldecoder("utf-8-sig")("replace")  # -sig: leaves out a byte order mark
        # it keeps a CR at the end of a chunk until it knows whether LF follows
        self._text = IncrementalNewlineDecoder(utf8, translate=True)
        self._line = ""  # begun
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that these bytes complete."""
        return self._read(self._text.decode(chunk))

    def finish(self) -> list[ServerSentEvent]:
        """The last event, if no blank line ended it."""
        return self._read(self._text.decode(b"", final=True) + "\n\n")

    def _read(self, text: str) -> list[ServerSentEvent]:
        *lines, self._line = (self._line + text).split("\n")
        events: list[ServerSentEvent] = []
        for line in lines:
            field, _, value = line.partition(":")
            if field == "data":
                self._data.append(value.removeprefix(" "))
            elif field == "event":
                self._name = value.removeprefix(" ")
            elif not line:
                if self._data:
                    events.append(ServerSentEvent(self._name, "\n".join(self._data)))
                self._name = ""
                self._data = []
        return events
