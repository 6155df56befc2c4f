"""One call, one request, one report: what the REST client makes of answers, and of none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from adapters.discord.rest import Rest
from bot.core.pacing import Quota
from bot.errors import Refused, Rejected, Unreachable

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answers every call with `handler`, and counts."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[web.BaseRequest] = []

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        return await self.handler(request)  # pyright: ignore[reportArgumentType]  # no application, so no more is known


Connect = Callable[[Handler], Awaitable[tuple[Rest, Server]]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    rests: list[Rest] = []
    runners: list[web.ServerRunner] = []

    async def start(handler: Handler) -> tuple[Rest, Server]:
        server = Server(handler)
        runner = web.ServerRunner(web.Server(server), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        rest = Rest("token", f"http://127.0.0.1:{runner.addresses[0][1]}/api/v10")
        rest.open()
        rests.append(rest)
        runners.append(runner)
        return rest, server

    yield start
    for rest in rests:
        await rest.close()
    for runner in runners:
        await runner.cleanup()


async def test_a_call_says_who_it_is_and_returns_what_the_headers_tell(connect: Connect) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        headers = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "3", "X-RateLimit-Reset-After": "4.321"}
        return web.json_response({"got": await request.json()}, headers=headers)

    rest, server = await connect(handler)
    answer = await rest.call("POST", "/channels/1/messages", {"content": "hi"})
    assert answer == ({"got": {"content": "hi"}}, Quota(5, 3, 4.321))
    (request,) = server.requests
    assert request.path == "/api/v10/channels/1/messages"
    assert request.headers["Authorization"] == "Bot token"
    assert request.headers["User-Agent"].startswith("DiscordBot (https://github.com/rivulet-bot/rivulet, ")


async def test_an_answer_without_content_or_limits_is_a_success(connect: Connect) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)

    rest, _ = await connect(handler)
    assert await rest.call("DELETE", "/channels/1/messages/2") == (None, None)


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def proxy_is_down(request: web.Request) -> web.StreamResponse:
    return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")


async def not_json(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>Sign in to the hotel's Wi-Fi</html>", content_type="text/html")


@pytest.mark.parametrize("handler", [hang_up, proxy_is_down, not_json])
async def test_no_proper_answer_is_unreachable_after_one_request(connect: Connect, handler: Handler) -> None:
    rest, server = await connect(handler)
    with pytest.raises(Unreachable):
        await rest.call("POST", "/channels/1/messages", {})
    assert len(server.requests) == 1


async def test_a_refusal_is_told_at_once_and_not_repeated(connect: Connect) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        body = {"message": "You are being rate limited.", "retry_after": 64.57, "global": False}
        return web.json_response(body, status=429, headers={"Via": "1.1 google", "X-RateLimit-Scope": "user"})

    rest, server = await connect(handler)
    with pytest.raises(Refused) as refused:
        await rest.call("PATCH", "/channels/1/messages/2", {}, limit="discord:edit:1")
    assert (refused.value.retry_after, refused.value.limit) == (64.57, "discord:edit:1")
    assert len(server.requests) == 1


async def test_a_redirect_is_not_followed(connect: Connect) -> None:
    """A POST would arrive as a GET."""

    async def handler(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/api/v10/elsewhere")

    rest, server = await connect(handler)
    with pytest.raises(Rejected, match="Discord answered 302"):
        await rest.call("POST", "/channels/1/messages", {})
    assert len(server.requests) == 1


async def test_a_call_that_hangs_is_given_up(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.discord.rest.TIMEOUT", 0.05)

    async def handler(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    rest, _ = await connect(handler)
    with pytest.raises(Unreachable, match="TimeoutError"):
        await rest.call("GET", "/users/@me")


async def test_close_lets_a_running_call_finish_and_none_begin(connect: Connect) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await go_on.wait()
        return web.json_response({"id": "7"})

    rest, server = await connect(handler)
    running = asyncio.create_task(rest.call("PATCH", "/channels/1/messages/7", {}))
    await arrived.wait()
    closing = asyncio.create_task(rest.close())
    await asyncio.sleep(0)
    with pytest.raises(Unreachable, match="closed"):
        await rest.call("GET", "/users/@me")
    go_on.set()
    assert (await running).data == {"id": "7"}
    await closing
    assert len(server.requests) == 1
