"""The platform's own sign that an answer is coming: given until the first page is there, and taken back at the end."""

from __future__ import annotations

import asyncio
import logging

from bot.core.model import Place
from bot.core.pacing import Call
from bot.errors import PlatformError, Refused, Unreachable
from bot.gate import Gate, Permit
from bot.ports import Platform

log = logging.getLogger(__name__)

_LEAVING = 5.0  # seconds for taking it back
_PAUSES = (1.0, 5.0, 30.0, 60.0)  # seconds before each further try of that


class Busy:
    """The sign of one turn. `shown`: it may be there already, by an earlier attempt."""

    def __init__(self, platform: Platform, gate: Gate, place: Place, *, turn: int, shown: bool) -> None:
        self._platform = platform
        self._gate = gate
        self._place = place
        self._turn = turn
        self._shown = shown
        self._enough = asyncio.Event()  # the first page is there, or on its way
        self._quiet: Permit | None = None  # kept for taking it back

    @property
    def is_enough(self) -> bool:
        """Whether something else shows by now that an answer is coming."""
        return self._enough.is_set()

    def enough(self) -> None:
        """The answer itself is to be seen."""
        self._enough.set()

    def show(self) -> None:
        """It is shown by other means, and has to be taken back."""
        self._shown = True

    async def give(self) -> None:
        """Gives the sign again and again, as long as it is worth anything."""
        if self._platform.limits(Call.QUIET, self._place):  # first, so that taking it back never has to wait
            self._quiet = await self._gate.side_call(Call.QUIET, self._place)
        while not self.is_enough:
            permit = await self._gate.side_call(Call.TYPING, self._place)
            if self.is_enough:
                permit.unused()
                return
            self._shown = True
            try:
                again = await permit.spend(self._platform.typing(self._place))
            except PlatformError as error:
                log.info("typing.failed", extra={"turn": self._turn, "detail": str(error)})
                return
            if not again:
                return
            try:
                async with asyncio.timeout(again):
                    await self._enough.wait()
            except TimeoutError:
                pass

    async def take_back(self) -> bool:
        """Once, at the end. Returns whether nothing is left to see; if not, `insist` when nobody waits for it."""
        permit, self._quiet = self._quiet, None
        if not self._shown:
            if permit is not None:
                permit.unused()
            return True
        if not self._platform.limits(Call.QUIET, self._place):
            return True
        try:
            async with asyncio.timeout(_LEAVING):
                permit = permit or await self._gate.side_call(Call.QUIET, self._place)
                await permit.spend(self._platform.quiet(self._place))
        except (Refused, Unreachable, TimeoutError) as error:
            log.info("typing.left", extra={"turn": self._turn, "detail": str(error)})
            return False
        except PlatformError as error:  # it never will
            log.info("typing.left", extra={"turn": self._turn, "detail": str(error)})
        return True

    async def insist(self) -> None:
        """Takes it back, however long the platform does not do so, within reason."""
        for pause in _PAUSES:
            await asyncio.sleep(pause)
            if await self.take_back():
                return
        log.warning("typing.left", extra={"turn": self._turn, "detail": f"tried {len(_PAUSES)} times"})
