"""The discord.py client: what people say and ask for goes to the inbox."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, cast
from weakref import WeakValueDictionary

import aiohttp
import discord

from adapters.discord import history
from adapters.discord.failures import TokenRefused
from adapters.discord.prompts import key_of, to_command, to_prompt
from adapters.discord.rest import Rest
from adapters.discord.slash_commands import Interaction, SlashCommands
from bot.core.commands import Command, parse
from bot.core.endings import NOT_STORED
from bot.core.model import Channel, Place, Prompt
from bot.errors import Gone, Rejected, StoreError, Unreachable
from bot.ports import Inbox

log = logging.getLogger(__name__)

NOT_DONE = "I could not do that just now. Please try again in a moment."

_SERVERS = 30.0  # seconds for Discord to tell of all servers; one in an outage it does not tell of
_LOOK_AGAIN = 0.1  # seconds

# What the bot needs to hear; message_content is privileged and needs the switch in Discord's developer portal.
INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True)


class Listener(discord.Client):
    """One login. What happens in one channel reaches the inbox in the order in which Discord sent them.

    `tell` shows a sentence as a reply. `begun` is called when a session begins, before anything is delivered in it, and
    `ready` when Discord has begun to deliver.
    """

    def __init__(
        self,
        inbox: Inbox,
        rest: Rest,
        *,
        always_on: frozenset[str],
        tell: Callable[[Place, str], Awaitable[None]],
        begun: Callable[[], None],
        ready: Callable[[str], None],
        trace: aiohttp.TraceConfig,
    ) -> None:
        super().__init__(
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            guild_ready_timeout=0.0,  # READY itself lists the servers; their details are not worth waiting for
            http_trace=trace,
        )
        self._inbox = inbox
        self._rest = rest
        self._history = history.History(rest)
        self._always_on = always_on
        self._tell = tell
        self._tell_begun = begun
        self._tell_ready = ready
        self._slash_commands = SlashCommands(self, self._obey)
        self._accepting = True
        self._at_work: set[asyncio.Task[Any]] = set()
        self._in_order: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def drain(self, seconds: float) -> None:
        """Takes nothing new, and lets what was heard reach the inbox."""
        await asyncio.sleep(0)  # handlers of what was heard just now have not begun yet
        self._accepting = False
        if self._at_work:
            _, late = await asyncio.wait(self._at_work, timeout=seconds)
            for task in late:
                task.cancel()

    async def missed(self, since: float, places: Sequence[Place]) -> AsyncGenerator[Prompt]:
        """The questions since then, by the rules of those that are delivered; see `Platform.missed`."""
        await self._know_servers()
        after = history.id_before(since)
        unread: Unreachable | None = None
        for room in history.rooms(self, after, places):
            try:
                async with self._turn_of(room):
                    for prompt in await self._asked_in(room, after):
                        yield prompt
            except TokenRefused:
                raise
            except Gone as error:
                log.info("discord.history_not_read", extra={"channel": str(room), "error": str(error)})
            except Rejected as error:
                log.warning("discord.history_not_read", extra={"channel": str(room), "error": str(error)})
            except Unreachable as error:
                unread = error  # the other rooms need not wait for this one
        if unread:
            raise unread

    async def reread(self, prompt: Prompt) -> Prompt | None:
        """As `Platform.reread`, by the rules of edits that are delivered."""
        room, id = int(prompt.place.room), int(prompt.place.message)
        try:
            data = await self._history.message(room, id)
        except Gone as error:
            if not error.message:
                raise
            return None
        if data.get("edited_timestamp") is None:
            return prompt
        await self._know_servers()
        channel = await self._room(room, id - 1)
        return (channel and self._question(data, channel)) or prompt

    async def setup_hook(self) -> None:
        if self.application_id is not None:
            await self._slash_commands.register(self._rest, self.application_id)

    async def on_connect(self) -> None:
        self._tell_begun()

    async def on_ready(self) -> None:
        servers = len(self.guilds)
        self._tell_ready(f"connected as {self.user} in {servers} server{'' if servers == 1 else 's'}")

    async def on_message(self, message: discord.Message) -> None:
        if not self._begin():
            return
        async with self._turn_of(message.channel.id):
            await self._deliver(message)
            self._inbox.heard("discord", history.moment_of(message.id))

    # Raw events come for every message, the others only for those that discord.py has kept: none

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        if event.message.edited_at is None or not self._begin():
            return  # a preview of a link has come, say
        async with self._turn_of(event.channel_id):
            me = self.user.id if self.user else 0
            if prompt := to_prompt(event.message, me=me, always_on=self._always_on):
                await self._change(self._inbox.edited(prompt), event.channel_id)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        await self._forget([event.message_id], event.channel_id)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        await self._forget(sorted(event.message_ids, reverse=True), event.channel_id)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        error = sys.exception()
        log.error("discord.handler_failed", extra={"handler": event_method, "error": type(error).__name__})

    async def _forget(self, messages: Sequence[int], room: int) -> None:
        if not self._begin():
            return
        async with self._turn_of(room):
            for message in messages:
                await self._change(self._inbox.deleted(key_of(room, message)), room)

    async def _change(self, change: Awaitable[None], room: int) -> None:
        try:
            await change
        except StoreError as error:
            log.error("discord.not_stored", extra={"channel": str(room), "error": str(error)})

    def _turn_of(self, room: int) -> asyncio.Lock:
        # discord.py starts a task for each event in the order of arrival, and the lock lets them through in that order
        return self._in_order.setdefault(room, asyncio.Lock())

    async def _know_servers(self) -> None:
        """Raises Unreachable where the login has ended, or has not begun."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SERVERS):
                while not self.is_ready() or any(server.unavailable for server in self.guilds):  # noqa: ASYNC110  # what discord.py knows tells nobody of its changes
                    await asyncio.sleep(_LOOK_AGAIN)
        if not self.is_ready() or not self._accepting:
            raise Unreachable("there is no connection to Discord's gateway")

    async def _asked_in(self, room: int, after: int) -> list[Prompt]:
        """The questions with greater ids, oldest first, without text commands. Raises PlatformError."""
        channel = await self._room(room, after)
        if channel is None:
            return []
        found = [self._question(data, channel) for data in await self._history.read(room, after)]
        return [prompt for prompt in found if prompt and parse(prompt.text) is None]

    def _question(self, data: dict[str, Any], channel: history.Room | discord.DMChannel) -> Prompt | None:
        """The question that a message of the history is, if it is one."""
        me = self.user.id if self.user else 0
        try:
            message = discord.Message(state=self._connection, channel=channel, data=cast("Any", data))
            return to_prompt(message, me=me, always_on=self._always_on)
        except Exception as error:  # whatever a message that discord.py cannot parse leads to
            log.warning("discord.message_not_read", extra={"channel": str(channel.id), "error": type(error).__name__})
            return None

    async def _room(self, id: int, after: int) -> history.Room | discord.DMChannel | None:
        """None where nothing with a greater id was said, or where the bot does not answer. Raises PlatformError."""
        if isinstance(room := self.get_channel(id), history.Room):
            return room
        data: Any = await self._history.room(id)
        if int(data.get("last_message_id") or 0) <= after or self.user is None:
            return None
        if data["type"] == discord.ChannelType.private.value:
            return discord.DMChannel(me=self.user, state=self._connection, data=data)
        guild = self.get_guild(int(data.get("guild_id", 0)))
        if guild and "thread_metadata" in data:
            return discord.Thread(guild=guild, state=self._connection, data=data)
        return None

    async def _deliver(self, message: discord.Message) -> None:
        me = self.user.id if self.user else 0
        prompt = to_prompt(message, me=me, always_on=self._always_on)
        try:
            if prompt is None:
                prompt = to_command(message, me=me)
                if prompt is None or not await self._inbox.knows(prompt.channel, prompt.place):
                    return
            await self._inbox.receive(prompt)
        except StoreError as error:
            log.error("discord.not_stored", extra={"channel": str(message.channel.id), "error": str(error)})
            await self._tell(Place(room=str(message.channel.id), message=str(message.id)), NOT_STORED)

    async def _obey(self, command: Command, interaction: Interaction) -> None:
        if not self._begin():
            return
        # Within 3 s Discord wants a sign, and forgetting a conversation may take the model's server longer
        await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            sentence = await self._inbox.obey(command, Channel("discord", str(interaction.channel_id)))
        except Exception as error:  # Discord would go on showing that we are thinking
            log.error("discord.not_obeyed", extra={"command": command.value, "error": type(error).__name__})
            sentence = NOT_DONE
        await interaction.edit_original_response(content=sentence, allowed_mentions=discord.AllowedMentions.none())

    def _begin(self) -> bool:
        """Whether this handler may begin; then `drain` waits for its task."""
        task = asyncio.current_task()
        if self._accepting and task is not None:
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)
        return self._accepting
