"""What each refusal means, and whether asking again is safe."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import aiohttp
import httpx2
import openai
import pytest

from adapters.openai import open_backend
from adapters.openai.chat import ChatBackend
from adapters.openai.client import is_openai, open_client
from adapters.openai.errors import Server, failed, sentence, translate
from bot.core.model import End
from bot.errors import BackendError, ConfigError
from tests.adapters.openai.asking import MemoryNotebook, ask

ADDRESS = "http://127.0.0.1/v1"


def refused(
    status: int,
    body: object = None,
    headers: dict[str, str] | None = None,
    api: str = "chat",
    *,
    goes_on: bool = False,
) -> BackendError:
    """As the SDK makes an error of a response."""
    response = httpx2.Response(status, json=body or {}, headers=headers, request=httpx2.Request("POST", ADDRESS))
    error = openai.AsyncOpenAI(api_key="key")._make_status_error_from_response(response)  # pyright: ignore[reportPrivateUsage] -- the only place that knows how
    return translate(error, Server(api, ADDRESS, "gpt-6-luna"), kept=True, goes_on=goes_on)


def said(code: str | None = None, message: str = "No.", **more: str) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, "type": None, "param": None, **more}}


@pytest.mark.parametrize(
    ("status", "body", "end", "again"),
    [
        (400, said("context_length_exceeded"), End.TOO_LONG, False),
        (400, said(message="This model's maximum context length is 4096 tokens."), End.TOO_LONG, False),
        (400, said("unknown_parameter"), End.BAD_REQUEST, False),
        (400, said("model_not_found"), End.UNKNOWN_MODEL, False),
        (401, said("invalid_api_key"), End.WRONG_KEY, False),
        (402, said(), End.NO_CREDIT, False),
        (403, said(), End.NOT_ALLOWED, False),
        (404, said("model_not_found"), End.UNKNOWN_MODEL, False),
        (404, said(message='model "qwen" not found, try pulling it first'), End.UNKNOWN_MODEL, False),
        (404, said(message="Invalid URL (POST /v1/responses)"), End.API_GONE, False),
        (404, {"detail": "Not Found"}, End.API_GONE, False),
        (405, {}, End.API_GONE, False),
        (409, said(), End.OVERLOADED, True),
        (413, {}, End.TOO_LONG, False),
        (422, {"detail": "no such field"}, End.BAD_REQUEST, False),
        (429, said("rate_limit_exceeded"), End.RATE_LIMITED, True),
        (429, said(), End.RATE_LIMITED, True),
        (429, said("slow_down"), End.OVERLOADED, True),
        (429, said("credit_balance_exhausted", type="insufficient_quota"), End.NO_CREDIT, False),
        (429, said("a_new_word", type="insufficient_quota"), End.NO_CREDIT, False),
        (500, said(type="server_error"), End.FAILED, True),
        (501, {}, End.API_GONE, False),
        (502, {}, End.FAILED, True),
        (503, said("server_is_overloaded"), End.OVERLOADED, True),
        (504, {}, End.TIMED_OUT, False),
        (529, {}, End.OVERLOADED, True),
    ],
)
def test_a_status_is_told_apart(status: int, body: object, end: End, again: bool) -> None:
    error = refused(status, body)
    assert (error.ending.end, error.again) == (end, again)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_read_from_the_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert refused(429, said(), headers).ending.retry_after == seconds


def test_the_wait_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert refused(503, said(), {"retry-after": at}).ending.retry_after == pytest.approx(30, abs=2)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please try again in 20s.", 20.0),
        ("Please try again in 1.5s.", 1.5),
        ("Please try again in 450ms.", 0.45),
        ("Please try again in 6m0s.", 360.0),
        ("Please try again later.", None),
    ],
)
def test_inside_a_stream_the_wait_is_read_from_the_sentence(words: str, seconds: float | None) -> None:
    said = {"code": "rate_limit_exceeded", "message": words}
    error = failed(said, Server("chat", ADDRESS, "gpt-6-luna"), kept=False)
    assert error.ending.retry_after == seconds


def test_an_unknown_model_is_named() -> None:
    assert "gpt-6-luna" in refused(404, said("model_not_found")).ending.detail


def test_a_missing_api_is_told_with_the_address_and_the_way_out() -> None:
    gone = refused(404, said(), api="assistants").ending.detail
    assert ADDRESS in gone
    assert "OpenAI removed on 2026-08-26" in gone
    assert 'api = "responses"' in gone
    assert 'api = "chat"' in refused(404, said(), api="responses").ending.detail


def test_a_refused_key_is_not_repeated() -> None:
    assert "sk-" not in refused(401, said("invalid_api_key", "Incorrect API key provided: sk-ab***yz")).ending.detail


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "No  more\n tea."}, "No more tea."),
        ({"detail": "Not Found"}, "Not Found"),
        ("plain", "plain"),
        ("<html>502 Bad Gateway</html>", ""),
        (None, ""),
        ({"message": 5}, ""),
    ],
)
def test_the_servers_sentence_is_found_in_what_it_sent(body: object, words: str) -> None:
    assert sentence(body) == words


def test_a_long_sentence_is_cut() -> None:
    assert len(sentence("word " * 1000)) == 300


async def test_where_nothing_listens_asking_again_is_safe() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with open_client(api_key="", base_url=f"http://127.0.0.1:{port}/v1") as client:
        outcome = await ask(ChatBackend(client, model="llama3.3", instructions=""), "Hello")
    assert (outcome.end, outcome.again) == (End.UNREACHABLE, True)
    assert str(port) in outcome.ending.detail


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/v1", "127.0.0.1/v1"])
async def test_an_address_that_cannot_be_asked_is_unreachable(address: str) -> None:
    async with open_client(api_key="", base_url=address) as client:
        outcome = await ask(ChatBackend(client, model="llama3.3", instructions=""), "Hello")
    assert outcome.end is End.UNREACHABLE


async def test_a_key_that_no_header_can_carry_is_an_error_in_words() -> None:
    async with open_client(api_key="schlüssel🔑", base_url="http://127.0.0.1:9/v1") as client:
        outcome = await ask(ChatBackend(client, model="llama3.3", instructions=""), "Hello")
    assert outcome.end is End.BAD_REQUEST


@pytest.mark.parametrize(
    ("address", "openai"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://me.openai.azure.com/openai/v1", True),
        ("https://api.openai.com.example.org/v1", False),
        ("http://127.0.0.1:11434/v1", False),
    ],
)
def test_openai_is_known_by_its_address(address: str, openai: bool) -> None:
    assert is_openai(address) == openai


@pytest.mark.parametrize(
    ("api", "address", "words"),
    [("telepathy", "http://127.0.0.1/v1", "api"), ("chat", "http://[::1/v1", "base_url")],
)
def test_settings_that_cannot_work_are_named(api: str, address: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        open_backend(api, api_key="", base_url=address, model="m", instructions="", notebook=MemoryNotebook())


def test_certificates_that_cannot_be_read_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", __file__)
    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        open_client(api_key="", base_url="https://127.0.0.1/v1")


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_passes_does_not_end_an_answer_that_goes_on(status: int) -> None:
    error = refused(status, headers={"Retry-After": "3"}, goes_on=True)
    assert (error.broken, error.again) == (True, False)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422, 501])
def test_what_does_not_pass_ends_it(status: int) -> None:
    error = refused(status, goes_on=True)
    assert (error.broken, error.again) == (False, False)


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (httpx2.ReadTimeout("silence"), End.TIMED_OUT),
        (httpx2.ReadError("reset"), End.CONNECTION_LOST),
        (aiohttp.ClientPayloadError("half a chunk"), End.CONNECTION_LOST),
        (httpx2.UnsupportedProtocol("no way there"), End.UNREACHABLE),
        (json.JSONDecodeError("half an event", "{", 1), End.FAILED),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("goes_on", [True, False])
def test_a_way_that_breaks_ends_only_what_does_not_go_on(error: Exception, end: End, goes_on: bool) -> None:
    fault = translate(error, Server("responses", ADDRESS, "gpt-6-luna"), kept=True, goes_on=goes_on)
    assert fault.ending.end is end
    assert fault.broken == goes_on
    assert not (fault.again and fault.broken)
