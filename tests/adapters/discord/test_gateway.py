"""The login survives what discord.py alone does not, against a gateway that misbehaves as told."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.discord.platform import DiscordPlatform
from bot.core.commands import Command
from bot.core.model import Channel, Place, Prompt
from bot.errors import ConfigError

SAMPLES = Path(__file__).parents[2] / "samples" / "discord"


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_text())


class Inbox:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []
        self.gaps = 0

    async def receive(self, prompt: Prompt) -> None:
        self.prompts.append(prompt)

    async def edited(self, prompt: Prompt) -> None:
        return

    async def deleted(self, key: str) -> None:
        return

    async def obey(self, command: Command, channel: Channel) -> str:
        return command.value

    async def knows(self, channel: Channel, place: Place) -> bool:
        return False

    def heard(self, platform: str, at: float) -> None:
        pass

    def back(self, platform: str) -> None:
        self.gaps += 1

    async def quiet(self, channel: Channel) -> None:
        return


Socket = web.WebSocketResponse
Act = Callable[[Socket], Awaitable[None]]


class OddDiscord:
    """Enough of Discord to log in; `acts` says what each further socket goes through, the last one for ever."""

    def __init__(self) -> None:
        self.acts: list[Act] = [listen]
        self.token_is_good = True
        self.starts_left = 1000
        self.addresses: list[str] = []  # what /gateway/bot answers first
        self.sockets = 0
        self.address_asked = 0
        self.open: set[Socket] = set()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/api/v10/users/@me", self._me)
        app.router.add_get("/api/v10/oauth2/applications/@me", self._application)
        app.router.add_get("/api/v10/gateway/bot", self._gateway_bot)
        app.router.add_get("/gateway", self._gateway)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port: int = self._runner.addresses[0][1]

    async def close(self) -> None:
        for one in list(self.open):
            await one.close()
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    async def _me(self, _: web.Request) -> web.Response:
        if not self.token_is_good:
            return answer({"message": "401: Unauthorized", "code": 0}, 401)
        return answer(sample("ready")["user"])

    async def _application(self, _: web.Request) -> web.Response:
        owner = sample("message_direct")["author"]
        return answer(
            {
                "id": "900",
                "name": "Rivulet",
                "icon": None,
                "description": "",
                "bot_public": False,
                "bot_require_code_grant": False,
                "verify_key": "0",
                "owner": owner,
                "flags": 0,
            }
        )

    async def _gateway_bot(self, _: web.Request) -> web.Response:
        self.address_asked += 1
        url = self.addresses.pop(0) if self.addresses else f"ws://127.0.0.1:{self.port}/gateway"
        left, self.starts_left = self.starts_left, 1000
        limit = {"total": 1000, "remaining": left, "reset_after": 100, "max_concurrency": 1}
        return answer({"url": url, "shards": 1, "session_start_limit": limit})

    async def _gateway(self, request: web.Request) -> Socket:
        act = self.acts[min(self.sockets, len(self.acts) - 1)]
        self.sockets += 1
        one = web.WebSocketResponse()
        await one.prepare(request)
        self.open.add(one)
        with suppress(ConnectionError):
            await act(one)
        await one.close()
        self.open.discard(one)
        return one


def answer(body: object, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(body), status=status, content_type="application/json")


async def send(one: Socket, op: int, data: object, event: str | None = None, seq: int | None = None) -> None:
    await one.send_json({"op": op, "d": data, "t": event, "s": seq})


async def greet(one: Socket) -> None:
    await send(one, 10, {"heartbeat_interval": 45_000})
    while (await one.receive_json())["op"] not in (2, 6):
        pass
    resume = str(one.get_extra_info("sockname")[1])
    ready = sample("ready") | {"resume_gateway_url": f"ws://127.0.0.1:{resume}/gateway"}
    await send(one, 0, ready, "READY", 1)
    await send(one, 0, sample("guild_create"), "GUILD_CREATE", 2)


async def listen(one: Socket) -> None:
    await greet(one)
    async for _ in one:
        pass


async def ask_and_listen(one: Socket) -> None:
    await greet(one)
    await send(one, 0, sample("message_mention"), "MESSAGE_CREATE", 3)
    async for _ in one:
        pass


async def ask_then_break(one: Socket) -> None:
    """A question, and in the same breath an event that discord.py cannot parse."""
    await greet(one)
    await send(one, 0, sample("message_reply_to_bot"), "MESSAGE_CREATE", 3)
    await send(one, 0, {"id": "1", "channel_id": "200"}, "MESSAGE_CREATE", 4)
    async for _ in one:
        pass


async def drop_after_ready(one: Socket) -> None:
    await greet(one)


async def drop_at_once(one: Socket) -> None:
    return


def refuse(code: int) -> Act:
    async def act(one: Socket) -> None:
        await send(one, 10, {"heartbeat_interval": 45_000})
        await one.receive()
        await one.close(code=code)

    return act


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(8):
        while not condition():  # noqa: ASYNC110  # what is waited for is on the other side of a socket
            await asyncio.sleep(0.005)


@pytest.fixture
async def odd() -> AsyncIterator[OddDiscord]:
    odd = OddDiscord()
    await odd.start()
    yield odd
    await odd.close()


@pytest.fixture
async def bot(odd: OddDiscord) -> AsyncIterator[DiscordPlatform]:
    """Closes at the end, and shows that no task of ours or of discord.py is left."""
    bot = DiscordPlatform("good.token", api_url=odd.api_url)
    yield bot
    await bot.close()
    await odd.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_event_that_discord_py_cannot_parse_costs_neither_the_bot_nor_the_question_before(
    odd: OddDiscord, bot: DiscordPlatform
) -> None:
    odd.acts = [ask_then_break, ask_and_listen]
    inbox = Inbox()
    assert await bot.connect(inbox) == "connected as Rivulet#4821 in 1 server"
    running = asyncio.create_task(bot.run())
    await until(lambda: len(inbox.prompts) == 2)
    assert [prompt.key for prompt in inbox.prompts] == ["discord:200:1003", "discord:200:1001"]
    assert odd.address_asked == 2
    assert inbox.gaps == 1  # what was said between the two is nowhere but in the histories
    await bot.close()
    await running


async def test_a_gateway_that_refuses_the_first_connection_is_looked_up_again(
    odd: OddDiscord, bot: DiscordPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    """discord.py logs a traceback and ends with AttributeError here."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        odd.addresses = [f"ws://127.0.0.1:{nobody.getsockname()[1]}/"]
        await bot.connect(Inbox())
    assert (odd.address_asked, odd.sockets) == (2, 1)
    assert any("Attempting a reconnect" in line and "Cannot connect" in line for line in caplog.messages)
    assert not any(record.exc_info for record in caplog.records)


async def test_a_gateway_that_closes_at_once_is_not_hammered(odd: OddDiscord, bot: DiscordPlatform) -> None:
    """discord.py alone opens about a thousand sockets a second here."""
    odd.acts = [drop_after_ready, drop_at_once]
    await bot.connect(Inbox())
    await until(lambda: odd.sockets == 3)
    await asyncio.sleep(0.2)
    assert odd.sockets == 3


@pytest.mark.parametrize(
    ("code", "advice"),
    [(4004, "DISCORD_TOKEN"), (4014, "Message Content Intent"), (4011, "servers")],
)
async def test_a_login_that_the_gateway_refuses_is_told_with_what_to_do(
    odd: OddDiscord, bot: DiscordPlatform, code: int, advice: str
) -> None:
    odd.acts = [refuse(code)]
    with pytest.raises(ConfigError, match=advice):
        await bot.connect(Inbox())


async def test_a_wrong_token_is_told_before_the_gateway_is_asked(odd: OddDiscord, bot: DiscordPlatform) -> None:
    odd.token_is_good = False
    with pytest.raises(ConfigError, match=r"DISCORD_TOKEN.*Reset Token"):
        await bot.connect(Inbox())
    assert odd.address_asked == 0


async def test_an_address_that_is_not_discords_api_is_told(odd: OddDiscord) -> None:
    bot = DiscordPlatform("good.token", api_url=f"{odd.api_url}/elsewhere")
    with pytest.raises(ConfigError, match=r"api_url = 'http://127.0.0.1:\d+/api/v10/elsewhere'"):
        await bot.connect(Inbox())


async def test_a_token_that_is_withdrawn_later_ends_the_run(odd: OddDiscord, bot: DiscordPlatform) -> None:
    odd.acts = [drop_after_ready, refuse(4004)]
    await bot.connect(Inbox())
    with pytest.raises(ConfigError, match="DISCORD_TOKEN"):
        await bot.run()


async def test_no_login_is_spent_when_none_is_left_today(odd: OddDiscord, bot: DiscordPlatform) -> None:
    """Discord resets the token of a bot that identifies more often than it may."""
    odd.starts_left = 0
    await bot.connect(Inbox())
    assert (odd.address_asked, odd.sockets) == (2, 1)


async def test_closing_while_discord_is_out_of_reach_ends_the_attempts() -> None:
    before = asyncio.all_tasks()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        bot = DiscordPlatform("good.token", api_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        connecting = asyncio.create_task(bot.connect(Inbox()))
        await asyncio.sleep(0.05)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await bot.close()
    assert asyncio.all_tasks() == before
