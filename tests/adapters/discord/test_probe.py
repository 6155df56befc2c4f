"""What `rivulet check` is told about Discord."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from adapters.discord.platform import DiscordPlatform


class Portal:
    """The settings of an application, as the API tells them."""

    def __init__(self) -> None:
        self.token = "good"
        self.flags = 1 << 19
        self.servers: list[Any] | None = [{"id": "100"}]
        self.channels = {"200"}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] != f"Bot {self.token}":
            return web.json_response({"message": "401: Unauthorized", "code": 0}, status=401)
        match request.path.removeprefix("/api/v10").split("/")[1:]:
            case ["users", "@me"]:
                return web.json_response({"id": "900", "username": "Rivulet"})
            case ["oauth2", "applications", "@me"]:
                return web.json_response({"id": "901", "flags": self.flags})
            case ["users", "@me", "guilds"] if self.servers is not None:
                return web.json_response(self.servers)
            case ["channels", channel] if channel in self.channels:
                return web.json_response({"id": channel})
            case ["channels", _]:
                return web.json_response({"message": "Unknown Channel", "code": 10003}, status=404)
            case _:
                return web.json_response({"message": "404: Not Found", "code": 0}, status=404)


@pytest.fixture
def portal() -> Portal:
    return Portal()


@pytest.fixture
async def url(portal: Portal) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", portal.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/v10"
    await runner.cleanup()


async def probe(url: str, *always_on: str) -> list[str]:
    return await DiscordPlatform(" good\n", api_url=f"{url}/", always_on=frozenset(always_on)).probe()


@pytest.mark.parametrize("flag", [1 << 18, 1 << 19])
async def test_all_is_well(portal: Portal, url: str, flag: int) -> None:
    """The flag is another one for a bot that is verified."""
    portal.flags = flag
    assert await probe(url, "200") == []


async def test_a_wrong_token_is_the_only_thing_to_mend_first(portal: Portal, url: str) -> None:
    portal.token, portal.flags, portal.servers = "another", 0, []
    (line,) = await probe(url)
    assert line.startswith("DISCORD_TOKEN: ")


async def test_each_thing_that_is_missing_is_told_in_order(portal: Portal, url: str) -> None:
    portal.flags, portal.servers = 1 << 13, []
    intent, invite, channel = await probe(url, "200", "666")
    assert "Message Content Intent" in intent
    # 274878008320: view channels, send messages, read the history, send in threads
    assert invite.endswith(
        "https://discord.com/oauth2/authorize?client_id=901&scope=bot+applications.commands&permissions=274878008320"
    )
    assert "always-on channel 666" in channel


async def test_a_server_without_a_list_of_servers_is_not_blamed(portal: Portal, url: str) -> None:
    portal.servers = None
    assert await probe(url) == []


async def test_another_address_is_told(url: str) -> None:
    (line,) = await probe(f"{url}/elsewhere")
    assert line.startswith(f"[discord] api_url = '{url}/elsewhere' does not answer as Discord's API")
