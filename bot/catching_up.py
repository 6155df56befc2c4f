"""What was asked while a platform did not deliver is looked up and received: before this process began, and in gaps.

    ... heard, heard | gap | heard, heard ...
                     ^ the mark: everything said until then was received

The mark is kept in the database, a little behind. While a gap is open it stays where the gap began, whatever is heard
behind the gap: a process that ends before it has looked leaves the gap to the next one. What is looked up a second time
does nothing, so the mark may be too old by any amount, but never too new.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from bot.core.model import Prompt
from bot.errors import PlatformError, Refused, StoreError
from bot.ports import Platform, Store

log = logging.getLogger(__name__)

# Seconds before the mark that are looked at, too: what is said in one room may be received after what is said later in
# another, by half a minute where the database hangs.
_MARGIN = 60.0
_NOTED_EVERY = 5.0  # seconds; the mark is behind by so much after a crash
_PAUSES = (2.0, 10.0, 60.0, 300.0)  # seconds between tries of looking; the last again and again
_LATELY = 30 * 86_400.0  # seconds in which a room was asked in that the platform has to be told of
_PLACES = 200  # each costs a call or two


class CatchingUp:
    """The gaps of one platform. `take` stores a question and tells whether it is new; it raises StoreError.

    Questions older than `max_age` seconds are left alone; 0: all of them. `clock` gives seconds since 1970.
    """

    def __init__(
        self,
        platform: Platform,
        store: Store,
        take: Callable[[Prompt], Awaitable[bool]],
        *,
        max_age: float,
        clock: Callable[[], float],
    ) -> None:
        self._platform = platform
        self._store = store
        self._take = take
        self._max_age = max_age
        self._clock = clock
        self._note = f"heard.{platform.name}"
        self._newest = 0.0  # the newest that this process has heard
        self._gap = True  # what was said before that may be missing
        self._since: float | None = None  # where the gap began, once it is known
        self._asked = False  # to look, since the last look began
        self._looking: asyncio.Task[None] | None = None
        self._noting: asyncio.Task[None] | None = None
        self._stopped = False

    async def expect(self) -> None:
        """Before the platform is connected: who asks from now on is to be answered, also where the bot has never run.

        Raises StoreError.
        """
        if self._max_age and await self._store.read(self._note) is None:
            await self._store.write(self._note, repr(self._clock()))

    def heard(self, at: float) -> None:
        """What was said until then, by the platform's clock, was received, except in a gap that is open."""
        self._newest = max(self._newest, at)
        if not (self._gap or self._stopped) and self._noting is None:
            self._noting = asyncio.create_task(self._note_soon(), name=f"heard on {self._platform.name}")

    def back(self) -> None:
        """The platform delivers (again): what was said since the newest that was heard before is looked up."""
        if not self._max_age or self._stopped:
            return
        if not self._gap:
            self._gap, self._since = True, self._newest
        self._asked = True
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name=f"catching up on {self._platform.name}")

    def stop(self) -> None:
        """Looks no more: a gap that is open stays so, for the next process."""
        self._stopped = True
        if self._looking is not None:
            self._looking.cancel()

    async def end(self) -> None:
        """After `stop`: what was heard is noted. May be called again."""
        tasks = [task for task in (self._looking, self._noting) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._write()

    # The gap

    async def _look(self) -> None:
        try:
            while self._asked:
                self._asked = False
                await self._insist()
                if not self._asked:
                    self._gap = False
                    await self._write()
        except Exception:
            log.exception("missed.broken", extra={"platform": self._platform.name})
        finally:
            self._looking = None

    async def _insist(self) -> None:
        """Looks until everything was looked up, or is too old: what is said from now on is heard."""
        until, tries = self._clock() + self._max_age, 0
        while True:
            try:
                found = await self._find()
            except (PlatformError, StoreError) as error:
                about = {"platform": self._platform.name, "detail": str(error)}
                pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
                tries += 1
                if self._clock() + pause > until:
                    log.error("missed.not_looked_up", extra=about)
                    return
                log.warning("missed.delayed", extra=about)
                await asyncio.sleep(max(pause, error.retry_after) if isinstance(error, Refused) else pause)
            else:
                log.info("missed.looked_up", extra={"platform": self._platform.name, "questions": found})
                return

    async def _find(self) -> int:
        """Receives what was missed; returns how many questions were new. Raises PlatformError and StoreError."""
        if self._since is None and (noted := await self._store.read(self._note)):
            self._since = float(noted)
        if self._since is None:
            self._since = self._clock()
        self._newest = max(self._newest, self._since)
        places = await self._store.asked_lately(self._platform.name, _LATELY, _PLACES)
        since = max(self._since - _MARGIN, self._clock() - self._max_age)
        found = 0
        async with aclosing(self._platform.missed(since, places)) as prompts:
            async for prompt in prompts:
                found += await self._take(prompt)
        return found

    # The mark

    async def _note_soon(self) -> None:
        noted = 0.0
        try:
            while noted < self._newest:
                await asyncio.sleep(_NOTED_EVERY)
                noted = self._newest
                await self._write()
        finally:
            self._noting = None

    async def _write(self) -> None:
        if self._gap:
            return
        try:
            await self._store.write(self._note, repr(self._newest))
        except StoreError as error:
            log.warning("heard.not_noted", extra={"platform": self._platform.name, "detail": str(error)})
