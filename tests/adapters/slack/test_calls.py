"""Whatever the server answers, a call ends in an answer or in one of our errors, and was made once."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.slack.calls import TIMEOUT, made, web_client
from bot.errors import Gone, PlatformError, Refused, Rejected, Unreachable


class Server:
    """Answers every method with the same `response`; None cuts the connection."""

    def __init__(self) -> None:
        self.url = ""
        self.calls = 0
        self.response: dict[str, Any] | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.calls += 1
        if self.response is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(**self.response)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/api/{method}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    yield server
    await runner.cleanup()


async def post(url: str) -> PlatformError:
    client = web_client(url, "xoxb-1", logging.getLogger("test"))
    async with aiohttp.ClientSession(timeout=TIMEOUT) as client.session:
        with pytest.raises(PlatformError) as caught:
            await made(client.chat_postMessage(channel="C1", markdown_text="x"), limit="the limit", wait=1.5)
    return caught.value


def json_body(text: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "content_type": "application/json", **more}


def error(code: str, **more: Any) -> dict[str, Any]:
    return json_body(f'{{"ok": false, "error": "{code}"}}', **more)


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (error("ratelimited", status=429, headers={"Retry-After": "7"}), 7.0),
        (error("ratelimited", status=429, headers={"Retry-After": "0.5"}), 0.5),
        (error("ratelimited", status=429), 1.5),
        (error("ratelimited", status=429, headers={"Retry-After": "soon"}), 1.5),
        (error("ratelimited", status=429, headers={"Retry-After": "nan"}), 1.5),
        (error("rate_limited"), 1.5),
        ({"text": "slow down", "status": 429, "headers": {"Retry-After": "2"}}, 2.0),
    ],
)
async def test_too_many_calls_are_refused_for_as_long_as_slack_says(
    server: Server, response: dict[str, Any], seconds: float
):
    server.response = response
    refused = await post(server.url)
    assert isinstance(refused, Refused)
    assert refused.retry_after == seconds
    assert refused.limit == "the limit"
    assert server.calls == 1


@pytest.mark.parametrize(
    "response",
    [
        None,
        {"text": "<html>oops</html>", "content_type": "text/html", "status": 500},
        {"text": "<html>log in</html>", "content_type": "text/html", "status": 200},
        {"text": "not found", "status": 404},
        {"text": "fine", "status": 200},
        {"status": 503},
        {"body": b"\x1f\x8b", "content_type": "application/gzip", "status": 502},
        json_body('{"ok": tr'),
        json_body("[1]"),
        json_body('"ok"', status=502),
        json_body("null"),
        error("internal_error"),
        error("fatal_error", status=500),
        error("channel_not_found", status=503),
    ],
)
async def test_a_server_that_makes_no_sense_is_unreachable(server: Server, response: dict[str, Any] | None):
    server.response = response
    assert type(await post(server.url)) is Unreachable
    assert server.calls == 1


async def test_a_server_that_is_not_there_is_unreachable(server: Server, unused_tcp_port: int):
    assert type(await post(f"http://127.0.0.1:{unused_tcp_port}/api/")) is Unreachable


async def test_a_server_that_does_not_answer_in_time_is_unreachable():
    async def late() -> None:
        raise TimeoutError

    with pytest.raises(Unreachable):
        await made(late())


@pytest.mark.parametrize(
    "code", ["channel_not_found", "not_in_channel", "is_archived", "restricted_action_thread_locked", "token_revoked",
             "account_inactive", "missing_scope", "no_permission"]
)  # fmt: skip
async def test_a_lost_channel_or_permission_is_gone(server: Server, code: str):
    server.response = error(code)
    gone = await post(server.url)
    assert isinstance(gone, Gone)
    assert not gone.message
    assert code in str(gone)


async def test_a_deleted_message_is_gone_alone(server: Server):
    server.response = error("message_not_found")
    gone = await post(server.url)
    assert isinstance(gone, Gone)
    assert gone.message


@pytest.mark.parametrize("code", ["msg_too_long", "no_text", "invalid_blocks", "something_new"])
async def test_what_slack_will_never_accept_is_rejected_in_its_own_words(server: Server, code: str):
    server.response = error(code)
    rejected = await post(server.url)
    assert isinstance(rejected, Rejected)
    assert code in str(rejected)


async def test_a_proxy_from_the_environment_is_not_used_for_loopback(
    server: Server, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
):
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused_tcp_port}")
    server.response = error("msg_too_long")
    assert isinstance(await post(server.url), Rejected)
    assert server.calls == 1
