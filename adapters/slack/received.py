"""Until when everything that people wrote has been received."""

from __future__ import annotations

from collections.abc import Callable

_OPEN = 1_000  # posts remembered that could not be received yet
_A_MOMENT = 1e-6  # seconds: two posts of a room are no closer


class Received:
    """Posts are delivered side by side and can fail, so the newest that was received says nothing of those before it.

    `heard` is told the time before which no post waits any more, whenever it has moved.
    """

    def __init__(self, heard: Callable[[float], None]) -> None:
        self._heard = heard
        self._open: dict[tuple[str, str], float] = {}  # room and ts -> seconds since 1970
        self._newest = 0.0
        self._told = 0.0

    def begin(self, room: str, ts: str) -> None:
        """The post is here, but not received: it holds the time back until it is."""
        self._open.setdefault((room, ts), seconds(ts))
        if len(self._open) > _OPEN:
            del self._open[next(iter(self._open))]

    def end(self, room: str, ts: str) -> None:
        """The post is received, or no concern of ours, or given up."""
        self._open.pop((room, ts), None)
        self._newest = max(self._newest, seconds(ts))
        until = min(self._newest, min(self._open.values(), default=self._newest + 1) - _A_MOMENT)
        if until > self._told:
            self._told = until
            self._heard(until)


def seconds(ts: str) -> float:
    """Slack's ts as seconds since 1970; 0 for what is none."""
    try:
        return float(ts)
    except ValueError:
        return 0.0
