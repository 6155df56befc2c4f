"""Where people may have written to the bot while it did not listen, and what they wrote there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import discord
from aiolimiter import AsyncLimiter

from adapters.discord.rest import Rest
from bot.core.model import Place
from bot.errors import Refused

log = logging.getLogger(__name__)

Room: TypeAlias = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread

_EVERY = 0.25  # seconds from call to call: of the five a second that answers leave, one is for other things
_PAUSE_WITHIN = 1.0  # seconds between pages of a room: Discord documents no limit, and posts are seen as 5 in 5 s
_TRIES = 5  # of a call that is refused
_PATIENCE = 10.0  # seconds; a longer refusal is about more than this call
_PAGE = 100  # messages; the most that Discord gives at once
_MOST = 500  # messages of a room

_EPOCH = 1_420_070_400_000  # ms: the first of January 2015, where Discord's time begins
_TIME_SHIFT = 22  # the lower bits of an id do not tell the time


def id_before(moment: float) -> int:
    """The greatest id that is older than everything said since that moment (seconds since 1970)."""
    return (max(0, int(moment * 1000) - _EPOCH) << _TIME_SHIFT) - 1


def moment_of(id: int) -> float:
    """When an id was made: seconds since 1970, by Discord's clock."""
    return ((id >> _TIME_SHIFT) + _EPOCH) / 1000


def rooms(client: discord.Client, after: int, places: Sequence[Place]) -> list[int]:
    """The rooms in which there may be something with a greater id that the bot could answer.

    Behind those in which there certainly is, those of `places` that Discord does not list: direct messages and archived
    threads.
    """
    unlisted = (int(place.room) for place in places if not isinstance(client.get_channel(int(place.room)), Room))
    listed = (room for guild in client.guilds for room in _rooms_of(guild))
    fresh = (room.id for room in listed if (room.last_message_id or 0) > after and _can_answer(room))
    return list(dict.fromkeys([*fresh, *unlisted]))


class History:
    """Reads slowly, so that it may go on for minutes beside busy channels; all calls of one bot share the pace."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._pace = AsyncLimiter(1, _EVERY)

    async def room(self, id: int) -> dict[str, Any]:
        """What Discord tells of a channel. Raises PlatformError."""
        return await self._get(f"/channels/{id}")

    async def message(self, room: int, id: int) -> dict[str, Any]:
        """Raises PlatformError: Gone with `message` where only the message is not there any more."""
        return await self._get(f"/channels/{room}/messages/{id}")

    async def read(self, room: int, after: int) -> list[dict[str, Any]]:
        """The messages of a room with greater ids, oldest first; of very many the newest. Raises PlatformError."""
        found: list[dict[str, Any]] = []
        path = f"/channels/{room}/messages?limit={_PAGE}"
        before = ""
        while True:
            page: list[dict[str, Any]] = await self._get(path + before)  # newest first
            found += [message for message in page if int(message["id"]) > after]
            if len(page) < _PAGE or int(page[-1]["id"]) <= after:
                return found[::-1]
            if len(found) >= _MOST:
                log.warning("discord.history_cut", extra={"channel": str(room), "messages": len(found)})
                return found[::-1]
            before = f"&before={page[-1]['id']}"
            await asyncio.sleep(_PAUSE_WITHIN)

    async def _get(self, path: str) -> Any:
        """Waits for short refusals: who begins anew after each would not come to an end on a busy evening."""
        for _ in range(_TRIES - 1):
            async with self._pace:
                try:
                    return (await self._rest.call("GET", path)).data
                except Refused as error:
                    if error.retry_after > _PATIENCE:
                        raise
                    await asyncio.sleep(error.retry_after)
        async with self._pace:
            return (await self._rest.call("GET", path)).data


def _rooms_of(guild: discord.Guild) -> Iterator[Room]:
    yield from guild.text_channels
    yield from guild.voice_channels
    yield from guild.stage_channels
    yield from guild.threads


def _can_answer(room: Room) -> bool:
    """Whether it may read what was said there, and write; calls without permission count towards a ban."""
    is_thread = isinstance(room, discord.Thread)
    if (is_thread and room.parent is None) or not room.guild.me:
        return True  # who knows
    allowed = room.permissions_for(room.guild.me)
    writes = allowed.send_messages_in_threads and not room.locked if is_thread else allowed.send_messages
    return allowed.read_messages and allowed.read_message_history and writes
