"""What stands under a thread while the bot works on it: an agent session's loader with its Stop button, or a text."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from adapters.slack.calls import Answer, ScopeMissing, Unsupported, WebClient
from bot.core.model import Place

log = logging.getLogger(__name__)

_WORDS = "is thinking…"
_NO_BUTTON = "missing_agent_session_stopped_event_subscription"
_AGAIN = 100.0  # seconds: a text goes away by itself after 120


class Status:
    """Sets and takes back, in the newer way or the older one, whichever the workspace knows."""

    def __init__(self, client: WebClient, made: Callable[[Awaitable[Any]], Awaitable[Answer]]) -> None:
        self._client = client
        self._made = made
        self._sessions = True
        self._assistant = True
        self._warned = False

    async def busy(self, place: Place) -> float:
        """Returns after how many seconds to say so again; 0: never."""
        await self._set(place, "processing", _WORDS)
        return _AGAIN if self._assistant and not self._sessions else 0.0

    async def idle(self, place: Place) -> None:
        await self._set(place, "active", "")  # an empty status is no status for a session

    async def _set(self, place: Place, status: str, words: str) -> None:
        thread = place.thread or place.message
        if not thread:
            return
        at = {"channel_id": place.room, "thread_ts": thread}
        if self._sessions:
            try:
                answer = await self._made(self._client.agents_sessions_setStatus(**at, status=status))
                self._warn(answer.data.get("warning"))
                return
            except (Unsupported, ScopeMissing) as error:
                log.info("slack.status.sessions_off", extra={"detail": str(error)})
                self._sessions = False
        if self._assistant:
            try:
                # not by the SDK's method of this name, which leaves out what is empty
                await self._made(self._client.api_call("assistant.threads.setStatus", json={**at, "status": words}))
            except (Unsupported, ScopeMissing) as error:
                log.info("slack.status.off", extra={"detail": str(error)})
                self._assistant = False

    def _warn(self, warning: object) -> None:
        if warning == _NO_BUTTON and not self._warned:
            self._warned = True
            log.warning("slack.stop_button.missing", extra={"mend": "subscribe to the bot event agent_session_stopped"})
