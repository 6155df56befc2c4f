"""Agent sessions: one for each thread, and the one place under the thread where the last status stands.

A session is processing, active, suspended or closed; the older way of setting a text is processing while there is one.
Readers see the loader of a processing session or the text, whichever was set last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playground.slack.limits import Limits

STATUSES = frozenset({"active", "processing", "suspended", "closed"})
_UNSEEN = frozenset({"active", "closed"})

Key = tuple[str, str]  # (channel, thread_ts)


@dataclass(frozen=True, slots=True)
class Slot:
    """What stands under a thread."""

    status: str
    text: str  # set the older way; it goes with the bot's next message
    until: float  # on the timeline's clock

    @property
    def visible(self) -> str:
        return self.text or ("" if self.status in _UNSEEN else self.status)


_NOTHING = Slot("active", "", 0.0)


class Sessions:
    """`show(key, text, lasts, by_bot)` is called whenever readers see something else."""

    def __init__(self, limits: Limits, now: Callable[[], float], show: Callable[[Key, str, float, bool], None]) -> None:
        self._limits = limits
        self._now = now
        self._show = show
        self._slots: dict[Key, Slot] = {}

    def status(self, key: Key) -> str:
        """What the session is now; a thread without one is active."""
        return self._slot(key).status

    def visible(self, key: Key) -> str:
        """What readers see under the thread now: the text, `processing`, `suspended`, or nothing."""
        return self._slot(key).visible

    def set(self, key: Key, status: str) -> None:
        """As agents.sessions.setStatus does it."""
        self._put(key, Slot(status, "", self._now() + self._limits.session_seconds), by_bot=True)

    def say(self, key: Key, text: str) -> None:
        """As assistant.threads.setStatus does it; no text takes it away."""
        slot = Slot("processing" if text else "active", text, self._now() + self._limits.status_seconds)
        self._put(key, slot, by_bot=True)

    def stream_started(self, key: Key) -> None:
        self._put(key, Slot("processing", "", self._now() + self._limits.stream_seconds), by_bot=False)

    def stream_stopped(self, key: Key, status: str) -> None:
        self._put(key, Slot(status, "", self._now() + self._limits.session_seconds), by_bot=False)

    def message_posted(self, key: Key) -> None:
        """The bot's message takes a text away, but leaves a session as it is."""
        if self._slot(key).text:
            self._put(key, _NOTHING, by_bot=False)

    def _slot(self, key: Key) -> Slot:
        slot = self._slots.get(key, _NOTHING)
        gone = slot.status == "processing" and self._now() >= slot.until
        return _NOTHING if gone else slot

    def _put(self, key: Key, slot: Slot, *, by_bot: bool) -> None:
        before, self._slots[key] = self._slot(key), slot
        if slot.visible or before.visible:
            lasts = slot.until - self._now() if slot.visible and slot.status == "processing" else 0.0
            if by_bot or slot.visible != before.visible:
                self._show(key, slot.visible, lasts, by_bot)
