"""Streams over real sockets: how they end, how their connections end, and what a bad server may send."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from openai import AsyncOpenAI

from adapters.openai.chat import ChatBackend
from adapters.openai.client import open_client
from adapters.openai.responses import ResponsesBackend
from adapters.openai.streams import open_stream
from bot.core.model import Began, End
from tests.adapters.openai.asking import Outcome, ask
from tests.adapters.openai.tape import Tape

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDING = {"id": "chatcmpl-1", "choices": [{"index": 0, "finish_reason": "stop"}]}


def said(text: str) -> bytes:
    return event({"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": text}}]})


def event(data: object) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def silence(writer: asyncio.StreamWriter) -> None:
    """Takes the question and closes."""


async def garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello\r\n\r\n")


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def cut(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + chunk(said("Half ")) + chunk(said("an ")))


async def cut_inside_a_chunk(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + chunk(said("Half ")) + chunk(said("an ")) + chunk(said("answer"))[:20])


async def reset_later(writer: asyncio.StreamWriter) -> None:
    await cut(writer)
    await writer.drain()
    await reset(writer)


@asynccontextmanager
async def serving(answer: Answering) -> AsyncGenerator[str]:
    """A server that gives one answer for each connection; its address."""
    served: list[asyncio.Task[object] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        await answer(writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    await asyncio.gather(*filter(None, served))


async def asked(answer: Answering) -> Outcome:
    async with serving(answer) as url, open_client(api_key="key", base_url=url) as client:
        return await ask(ChatBackend(client, model="llama3.3", instructions=""), "Hello")


@pytest.mark.parametrize("answer", [silence, garbage, reset], ids=lambda answer: answer.__name__)
async def test_a_server_that_took_the_question_and_broke_was_reached(answer: Answering) -> None:
    """Asking again is safe here, since Chat Completions keep nothing; elsewhere it would not be."""
    outcome = await asked(answer)
    assert (outcome.text, outcome.end, outcome.again) == ("", End.CONNECTION_LOST, True)


async def test_a_first_question_that_broke_is_not_asked_again_in_the_conversation_made_for_it() -> None:
    """It may have been taken, and would stand there twice."""
    made = b'{"id": "conv_1"}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(made)
    answers = iter([head + made, b""])

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(next(answers))

    async with serving(answer) as url, open_client(api_key="key", base_url=url) as client:
        outcome = await ask(ResponsesBackend(client, model="gpt-6-luna", instructions=""), "Hello")
    assert outcome.events == [Began("conv_1")]
    assert (outcome.end, outcome.again) == (End.CONNECTION_LOST, False)


@pytest.mark.parametrize("answer", [cut, cut_inside_a_chunk, reset_later], ids=lambda answer: answer.__name__)
async def test_what_came_before_the_connection_broke_is_kept(answer: Answering) -> None:
    outcome = await asked(answer)
    assert (outcome.text, outcome.end) == ("Half an ", End.CONNECTION_LOST)


async def test_a_server_that_goes_silent_is_given_up() -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        await cut(writer)
        await writer.drain()
        await asyncio.sleep(0.2)

    async with serving(stall) as url, open_client(api_key="key", base_url=url) as patient:
        client = patient.with_options(timeout=0.05)
        outcome = await ask(ChatBackend(client, model="llama3.3", instructions=""), "Hello")
    assert (outcome.text, outcome.end) == ("Half an ", End.TIMED_OUT)


async def test_cuts_between_the_bytes_of_an_answer_change_nothing() -> None:
    """Chunks of HTTP end where they like, also inside of a character."""
    text = "Łódź, 東京 👋🏽\nand\r\n\u2028done."

    async def byte_by_byte(writer: asyncio.StreamWriter) -> None:
        answer = b": hello\r\n\r\n" + said(text).replace(b"\n", b"\r\n") + event(ENDING)
        writer.write(HEAD + b"".join(chunk(bytes([byte])) for byte in answer) + chunk(b"") + b"\r\n")

    outcome = await asked(byte_by_byte)
    assert (outcome.text, outcome.end) == (text, End.COMPLETED)


async def read(tape: Tape, client: AsyncOpenAI, stream: str, content_type: str = "text/event-stream") -> list[Any]:
    tape.plays("POST /responses", stream, content_type=content_type)
    async with await open_stream(client, "/responses", {}) as events:
        return [event async for event in events]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        ('data: {"a": 1}\n\ndata: [DONE]\n\ndata: {"b": 2}\n\n', [("", {"a": 1})]),
        ('event: x\ndata: {"a":\ndata: 1}\n\n', [("x", {"a": 1})]),
        (': ping\n\nevent: ping\n\ndata:\n\ndata: {"a": 1}\n\n', [("", {"a": 1})]),
        ('data: {"a": 1}', [("", {"a": 1})]),
        ('data: {"a": 1}\n\ndata: {"b": ', [("", {"a": 1})]),
        ('data: {"a": "\\ud83d\\ude00"}\n\n', [("", {"a": "😀"})]),
        ("", []),
    ],
    ids=["done", "two lines", "signs of life", "no blank line at the end", "cut at the end", "escapes", "nothing"],
)
async def test_events_are_read_as_json(tape: Tape, client: AsyncOpenAI, stream: str, events: list[Any]) -> None:
    assert await read(tape, client, stream) == events


@pytest.mark.parametrize("data", ["null", "5", '"text"', "[1]", '{"choices": [5]}', '{"choices": [{"delta": "no"}]}'])
async def test_json_of_another_shape_is_no_text(tape: Tape, client: AsyncOpenAI, data: str) -> None:
    stream = f"data: {data}\n\n{event(ENDING).decode()}"
    tape.plays("POST /chat/completions", stream, content_type="text/event-stream")
    outcome = await ask(ChatBackend(client, model="llama3.3", instructions=""), "Hello")
    assert (outcome.text, outcome.end) == ("", End.EMPTY)


async def test_after_done_the_connection_is_used_again(tape: Tape, client: AsyncOpenAI) -> None:
    """Also where no event told the end."""
    tape.plays("POST /chat/completions", "data: [DONE]\n\n", content_type="text/event-stream")
    for _ in range(2):
        outcome = await ask(ChatBackend(client, model="llama3.3", instructions=""), "Hello")
        assert outcome.end is End.UNFINISHED
    first, second = tape.asked
    assert first.connection is second.connection


@pytest.mark.parametrize(("pause", "kept"), [(40.0, True), (60.0, False)])
async def test_a_connection_is_kept_while_people_think_but_not_until_the_server_may_close_it(
    tape: Tape, client: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch, pause: float, kept: bool
) -> None:
    tape.plays("POST /chat/completions", event(ENDING).decode(), content_type="text/event-stream")
    backend = ChatBackend(client, model="llama3.3", instructions="")
    await ask(backend, "One?")
    monkeypatch.setattr("aiohttp.connector.monotonic", lambda: time.monotonic() + pause)
    await ask(backend, "Two?")
    first, second = tape.asked
    assert (first.connection is second.connection) == kept
