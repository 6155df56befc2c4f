"""The gateway as a raw socket: who is let in, what is told with which intents, and what comes back."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from playground.discord.intents import Intent
from playground.discord.limits import Limit
from playground.discord.server import DiscordStandIn

BASIC = Intent.GUILDS | Intent.GUILD_MESSAGES | Intent.DIRECT_MESSAGES


class Socket:
    """One connection to the gateway."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.sequence: int | None = None

    async def send(self, op: int, data: Any) -> None:
        await self.ws.send_json({"op": op, "d": data})

    async def next(self) -> dict[str, Any]:
        payload = await self.ws.receive_json(timeout=5)
        self.sequence = payload["s"] or self.sequence
        return payload

    async def event(self, name: str) -> dict[str, Any]:
        """The next event, which must have this name."""
        payload = await self.next()
        assert payload["t"] == name
        return payload["d"]

    async def closed(self) -> int | None:
        """Reads on until the other side closes; returns its code."""
        while not self.ws.closed:
            await self.ws.receive(timeout=5)
        return self.ws.close_code


Open = Callable[..., Any]
Identify = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def open_socket(stand_in: DiscordStandIn) -> Open:
    @asynccontextmanager
    async def open(query: str = "v=10&encoding=json") -> AsyncGenerator[Socket]:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{stand_in.url}/gateway?{query}") as ws:
            yield Socket(ws)

    return open


@pytest.fixture
def identify(stand_in: DiscordStandIn) -> Identify:
    async def identify(
        socket: Socket, intents: Intent = BASIC | Intent.MESSAGE_CONTENT, **other: Any
    ) -> dict[str, Any]:
        """Begins a session; returns READY's data."""
        assert (await socket.next())["op"] == 10
        await socket.send(2, {"token": stand_in.token, "properties": {}, "intents": intents, **other})
        ready = await socket.event("READY")
        if Intent.GUILDS in intents:
            await socket.event("GUILD_CREATE")
        return ready

    return identify


async def test_hello_ready_and_guild_come_in_this_order(open_socket: Open, stand_in: DiscordStandIn) -> None:
    async with open_socket() as socket:
        hello = await socket.next()
        assert (hello["op"], hello["d"]["heartbeat_interval"]) == (10, 41250)
        await socket.send(1, None)
        assert (await socket.next())["op"] == 11
        await socket.send(2, {"token": stand_in.token, "properties": {}, "intents": BASIC})
        ready = await socket.event("READY")
        assert ready["user"]["id"] == stand_in.bot_user
        assert ready["resume_gateway_url"] == stand_in.url.replace("http", "ws") + "/gateway"
        assert ready["guilds"] == [{"id": stand_in.guild, "unavailable": True}]
        guild = await socket.event("GUILD_CREATE")
        assert [channel["name"] for channel in guild["channels"]] == ["general"]
        assert [member["user"]["id"] for member in guild["members"]] == [stand_in.bot_user]


@pytest.mark.parametrize(
    ("op", "data", "code"),
    [
        (2, {"token": "wrong", "intents": 1}, 4004),
        (2, {"intents": 1}, 4004),
        (2, {"token": "playground-discord-token"}, 4013),
        (2, {"token": "playground-discord-token", "intents": 1 << 40}, 4013),
        (2, {"token": "playground-discord-token", "intents": 1, "shard": [1, 1]}, 4010),
        (2, None, 4002),
        (3, {"status": "online"}, 4003),
        (6, {"token": "wrong", "session_id": "x", "seq": 1}, 4004),
        (42, {}, 4001),
        (2, {"token": "x" * 5000}, 4002),
    ],
)
async def test_what_discord_would_not_take_closes_with_its_code(
    open_socket: Open, op: int, data: Any, code: int
) -> None:
    async with open_socket() as socket:
        await socket.next()
        await socket.send(op, data)
        assert await socket.closed() == code


async def test_text_that_is_no_json_closes_the_socket(open_socket: Open) -> None:
    async with open_socket() as socket:
        await socket.ws.send_str("hello?")
        assert await socket.closed() == 4002


async def test_another_version_is_refused(open_socket: Open) -> None:
    async with open_socket("v=9") as socket:
        assert await socket.closed() == 4012


async def test_intents_that_are_not_switched_on_are_refused(open_socket: Open, stand_in: DiscordStandIn) -> None:
    stand_in.settings.privileged_intents = Intent.NONE
    async with open_socket() as socket:
        await socket.next()
        await socket.send(2, {"token": stand_in.token, "intents": Intent.MESSAGE_CONTENT})
        assert await socket.closed() == 4014


async def test_identifying_twice_is_refused(open_socket: Open, identify: Identify, stand_in: DiscordStandIn) -> None:
    async with open_socket() as socket:
        await identify(socket)
        await socket.send(2, {"token": stand_in.token, "intents": BASIC})
        assert await socket.closed() == 4005


async def test_sessions_are_counted_by_the_day(
    open_socket: Open, identify: Identify, stand_in: DiscordStandIn, http: Any, clock: Any
) -> None:
    stand_in.limits.identify = Limit(1, 86_400.0)
    async with open_socket() as socket:
        await identify(socket)
    assert (await http("GET", "/gateway/bot")).json["session_start_limit"]["remaining"] == 0
    async with open_socket() as socket:
        await socket.next()
        await socket.send(2, {"token": stand_in.token, "intents": BASIC})
        assert await socket.closed() == 4004
    clock.skip(86_400)
    async with open_socket() as socket:
        await identify(socket)


async def test_more_than_a_hundred_and_twenty_sends_a_minute_are_too_many(
    open_socket: Open, identify: Identify
) -> None:
    async with open_socket() as socket:
        await identify(socket)
        for _ in range(120):
            await socket.send(1, None)
        assert await socket.closed() == 4008


async def test_a_client_that_has_no_heartbeat_is_cut_off(open_socket: Open, stand_in: DiscordStandIn) -> None:
    stand_in.settings.heartbeat_interval = 0.02
    async with open_socket() as socket:
        assert await socket.closed() == 4009


async def test_without_the_intent_texts_are_empty_except_where_the_bot_is_meant(
    open_socket: Open, identify: Identify, stand_in: DiscordStandIn, http: Any
) -> None:
    async with open_socket() as socket:
        await identify(socket, BASIC)
        stand_in.say(stand_in.general, stand_in.ada, "secret")
        assert (await socket.event("MESSAGE_CREATE"))["content"] == ""
        stand_in.say(stand_in.general, stand_in.ada, "you there", mentions_bot=True)
        assert (await socket.event("MESSAGE_CREATE"))["content"] == f"<@{stand_in.bot_user}> you there"
        stand_in.say(stand_in.open_dm(stand_in.ada), stand_in.ada, "in private")
        dm = await socket.event("MESSAGE_CREATE")
        assert (dm["content"], "guild_id" in dm) == ("in private", False)
        own = await http("POST", f"/channels/{stand_in.general}/messages", {"content": "own"})
        assert (await socket.event("MESSAGE_CREATE"))["content"] == "own"
        for ping, content in ((True, "answer"), (False, "")):
            stand_in.say(stand_in.general, stand_in.ada, "answer", reply_to=own.json["id"], ping=ping)
            assert (await socket.event("MESSAGE_CREATE"))["content"] == content


async def test_rest_hides_texts_from_an_application_without_the_intent(http: Any, stand_in: DiscordStandIn) -> None:
    stand_in.settings.privileged_intents = Intent.NONE
    stand_in.say(stand_in.general, stand_in.ada, "secret")
    assert (await http("GET", f"/channels/{stand_in.general}/messages")).json[0]["content"] == ""


async def test_events_that_were_not_asked_for_do_not_come(
    open_socket: Open, identify: Identify, stand_in: DiscordStandIn
) -> None:
    async with open_socket() as socket:
        await identify(socket, Intent.DIRECT_MESSAGES)
        stand_in.say(stand_in.general, stand_in.ada, "not for you")
        stand_in.type(stand_in.general, stand_in.ada)
        stand_in.add_channel("new")
        stand_in.say(stand_in.open_dm(stand_in.ada), stand_in.ada, "for you")
        assert (await socket.event("MESSAGE_CREATE"))["content"] == "for you"


async def test_messages_are_told_in_discords_shape(
    open_socket: Open, identify: Identify, stand_in: DiscordStandIn
) -> None:
    async with open_socket() as socket:
        await identify(socket, BASIC | Intent.MESSAGE_CONTENT | Intent.GUILD_MESSAGE_TYPING)
        stand_in.type(stand_in.general, stand_in.ada)
        typing = await socket.event("TYPING_START")
        assert (typing["user_id"], typing["member"]["user"]["global_name"]) == (stand_in.ada, "Ada")

        message = stand_in.say(stand_in.general, stand_in.ada, "hi", mentions_bot=True)
        created = await socket.event("MESSAGE_CREATE")
        assert (created["id"], created["channel_id"], created["guild_id"]) == (
            message,
            stand_in.general,
            stand_in.guild,
        )
        assert [mention["id"] for mention in created["mentions"]] == [stand_in.bot_user]
        assert "roles" in created["member"]

        stand_in.edit(message, "hello")
        updated = await socket.event("MESSAGE_UPDATE")
        assert updated["content"] == "hello"
        assert updated["edited_timestamp"]

        stand_in.delete(message)
        gone = {"id": message, "channel_id": stand_in.general, "guild_id": stand_in.guild}
        assert await socket.event("MESSAGE_DELETE") == gone

        together = [stand_in.say(stand_in.general, stand_in.ada, text) for text in ("one", "two")]
        for _ in together:
            await socket.event("MESSAGE_CREATE")
        stand_in.delete_together(*together)
        gone = {"ids": together, "channel_id": stand_in.general, "guild_id": stand_in.guild}
        assert await socket.event("MESSAGE_DELETE_BULK") == gone

        thread = stand_in.create_thread(stand_in.general, "aside")
        opened = await socket.event("THREAD_CREATE")
        assert (opened["id"], opened["parent_id"], opened["type"]) == (thread, stand_in.general, 11)


async def test_a_resume_replays_exactly_what_was_missed(
    open_socket: Open, identify: Identify, stand_in: DiscordStandIn
) -> None:
    async with open_socket() as socket:
        session = (await identify(socket))["session_id"]
        stand_in.say(stand_in.general, stand_in.ada, "seen")
        await socket.event("MESSAGE_CREATE")
        seen = socket.sequence
        stand_in.drop()
    for text in ("missed", "too"):
        stand_in.say(stand_in.general, stand_in.ada, text)
    async with open_socket() as socket:
        await socket.next()
        await socket.send(6, {"token": stand_in.token, "session_id": session, "seq": seen})
        assert [(await socket.event("MESSAGE_CREATE"))["content"] for _ in range(2)] == ["missed", "too"]
        await socket.event("RESUMED")


@pytest.mark.parametrize("ended_by", ["client's close", "time", "stand-in"])
async def test_a_session_that_has_ended_cannot_be_resumed(
    open_socket: Open, identify: Identify, stand_in: DiscordStandIn, clock: Any, until: Any, ended_by: str
) -> None:
    async with open_socket() as socket:
        session = (await identify(socket))["session_id"]
        match ended_by:
            case "client's close":
                await socket.ws.close(code=1000)
            case "time":
                stand_in.drop()
                clock.skip(181)
            case _:
                stand_in.invalidate(resumable=False)
                assert (await socket.next())["op"] == 9
    async with open_socket() as socket:
        await socket.next()
        await socket.send(6, {"token": stand_in.token, "session_id": session, "seq": 2})
        invalid = await socket.next()
        assert (invalid["op"], invalid["d"]) == (9, False)


async def test_a_sequence_that_was_never_sent_is_refused(
    open_socket: Open, identify: Identify, stand_in: DiscordStandIn
) -> None:
    async with open_socket() as socket:
        session = (await identify(socket))["session_id"]
        stand_in.drop()
    async with open_socket() as socket:
        await socket.next()
        await socket.send(6, {"token": stand_in.token, "session_id": session, "seq": 99})
        assert await socket.closed() == 4007


async def test_compression_is_one_stream_for_the_whole_socket(open_socket: Open, stand_in: DiscordStandIn) -> None:
    async with open_socket("v=10&encoding=json&compress=zlib-stream") as socket:
        stream = zlib.decompressobj()

        async def read() -> Any:
            frame = await socket.ws.receive_bytes(timeout=5)
            assert frame.endswith(b"\x00\x00\xff\xff")
            return json.loads(stream.decompress(frame))

        assert (await read())["op"] == 10
        await socket.ws.send_json({"op": 2, "d": {"token": stand_in.token, "intents": 0}})
        assert (await read())["t"] == "READY"


async def test_an_unknown_compression_is_as_none(open_socket: Open) -> None:
    async with open_socket("v=10&compress=zstd-of-tomorrow") as socket:
        assert (await socket.next())["op"] == 10


async def test_members_are_told_on_request(open_socket: Open, identify: Identify, stand_in: DiscordStandIn) -> None:
    async with open_socket() as socket:
        await identify(socket, BASIC | Intent.GUILD_MEMBERS)
        await socket.send(8, {"guild_id": stand_in.guild, "query": "", "limit": 0, "nonce": "n"})
        chunk = await socket.event("GUILD_MEMBERS_CHUNK")
        assert [member["user"]["username"] for member in chunk["members"]] == ["rivulet", "ada", "linus"]
        assert chunk["nonce"] == "n"


async def test_a_guild_is_told_to_its_shard_only(
    open_socket: Open, identify: Identify, stand_in: DiscordStandIn
) -> None:
    mine = (int(stand_in.guild) >> 22) % 2
    async with open_socket() as socket:
        await socket.next()
        await socket.send(2, {"token": stand_in.token, "intents": BASIC, "shard": [1 - mine, 2]})
        await socket.event("READY")
        stand_in.say(stand_in.general, stand_in.ada, "elsewhere")
        await socket.send(1, None)
        assert (await socket.next())["op"] == 11
