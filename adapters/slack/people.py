"""The display names of people, remembered for a while."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from adapters.slack.calls import WebClient, made
from bot.errors import PlatformError

log = logging.getLogger(__name__)

_LIFETIME = 3600.0  # seconds: a new display name is seen within the hour
_AFTER_FAILURE = 60.0  # seconds until a name that could not be read is asked for again
_AT_ONCE = 10  # people asked for because of one post; users.info allows 100 a minute


class People:
    """Asks `users.info` once per person and hour."""

    def __init__(
        self,
        client: WebClient,
        *,
        remembered: int = 5_000,  # people
        patience: float = 1.0,  # seconds: an event must be acknowledged within three, and be stored before that
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._remembered = remembered
        self._patience = patience
        self._now = now
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()  # id -> name, when to ask again

    async def names(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Names by id, within `patience` seconds. Who cannot be named is missing."""
        now = self._now()
        ids = list(ids)
        strangers = [person for person in ids if self._known.get(person, ("", 0.0))[1] <= now]
        try:
            async with asyncio.timeout(self._patience):
                await asyncio.gather(*map(self._ask, strangers[:_AT_ONCE]))
        except TimeoutError:
            log.warning("slack.names.slow")
        return {person: self._known[person][0] for person in ids if person in self._known and self._known[person][0]}

    async def _ask(self, person: str) -> None:
        try:
            answer = await made(self._client.users_info(user=person))
            self._remember(person, _name(answer.data.get("user") or {}), _LIFETIME)
        except PlatformError as error:
            log.warning("slack.names.failed", extra={"person": person, "error": str(error)})
            self._remember(person, self._known.get(person, ("", 0.0))[0], _AFTER_FAILURE)

    def _remember(self, person: str, name: str, seconds: float) -> None:
        self._known[person] = name, self._now() + seconds
        self._known.move_to_end(person)
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)


def _name(user: dict[str, Any]) -> str:
    profile: dict[str, Any] = user.get("profile") or {}
    return profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name") or ""
