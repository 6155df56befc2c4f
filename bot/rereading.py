"""What became of a question while nobody listened: who edited or deleted it then is obeyed as if it were now."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from bot.core.model import Prompt, Status, Turn
from bot.errands import Errands
from bot.errors import PlatformError, StoreError
from bot.notes import insist
from bot.patience import patiently
from bot.ports import Inbox, Store
from bot.stations import Stations

log = logging.getLogger(__name__)

_PAUSES = (1.0, 4.0, 15.0)  # seconds between tries
_PATIENCE = 60.0  # seconds for one question: where a platform lets few calls through, those of many wait


class Rereading:
    """Asks the platforms, and tells the inbox."""

    def __init__(self, store: Store, stations: Stations, inbox: Inbox) -> None:
        self._store = store
        self._stations = stations
        self._inbox = inbox
        self._errands = Errands()

    def begin(self, turn: Turn) -> asyncio.Task[None]:
        """The task ends when the inbox knows how the question stands, or when that cannot be told: then as it did."""
        return self._errands.begin(self._reread(turn))

    def begin_all(self, platform: str) -> None:
        """Of every open question of a platform."""
        self._errands.begin(self._reread_all(platform))

    async def end(self) -> None:
        """What is not known by now is left to the next process."""
        await self._errands.end()

    async def _reread_all(self, platform: str) -> None:
        try:
            turns = await self._store.open_turns()
        except StoreError as error:
            log.warning("questions.not_reread", extra={"platform": platform, "detail": str(error)})
            return
        for turn in turns:
            if turn.prompt.channel.platform == platform and turn.status in {Status.QUEUED, Status.RUNNING}:
                self.begin(turn)

    async def _reread(self, turn: Turn) -> None:
        if turn.prompt.channel.platform in self._stations:
            # with a look of its own for each try: what was read before may have been edited since
            await insist(partial(self._look_and_tell, turn), turn)

    async def _look_and_tell(self, turn: Turn) -> None:
        """Raises StoreError where the inbox could not obey."""
        try:
            async with asyncio.timeout(_PATIENCE):
                now = await self._look(turn)
        except (PlatformError, StoreError, TimeoutError) as error:
            log.warning("question.not_reread", extra={"turn": turn.id, "detail": str(error)})
            return
        if now is None:
            await self._inbox.deleted(turn.prompt.key)
        elif now is not turn.prompt:
            await self._inbox.edited(now)

    async def _look(self, turn: Turn) -> Prompt | None:
        platform = self._stations[turn.prompt.channel.platform].platform

        def delayed(error: PlatformError) -> None:
            log.info("question.reread_delayed", extra={"turn": turn.id, "detail": str(error)})

        return await patiently(partial(platform.reread, turn.prompt), _PAUSES, delayed)
