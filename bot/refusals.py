"""Tells people that their questions were not taken, so rarely that a flood of them becomes no flood of refusals."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from bot.core.model import Channel, Prompt

_AGAIN = 30.0  # seconds after which a channel is told again; who asks in between sees the sentence that is there
_AT_ONCE = 10  # sentences on their way: two seconds of side calls, so nobody's typing is late for long


class Refusals:
    """`say` shows a sentence as a reply to a question; it takes its time, and never raises."""

    def __init__(self, say: Callable[[Prompt, str], Awaitable[None]]) -> None:
        self._say = say
        self._told: OrderedDict[Channel, float] = OrderedDict()  # when; oldest first
        self._under_way = 0

    def due(self, channel: Channel) -> bool:
        """Whether the channel is worth a sentence now. If so it counts as told, and `tell` has to follow."""
        now = asyncio.get_running_loop().time()
        while self._told and next(iter(self._told.values())) <= now - _AGAIN:
            self._told.popitem(last=False)
        if channel in self._told or self._under_way >= _AT_ONCE:
            return False
        self._told[channel] = now
        self._under_way += 1
        return True

    async def tell(self, prompt: Prompt, words: str) -> None:
        try:
            await self._say(prompt, words)
        finally:
            self._under_way -= 1
