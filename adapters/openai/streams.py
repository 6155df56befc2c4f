"""A stream of events: opened by the official client, but parsed here, as JSON and no further.

The SDK's own iteration makes an object with checked fields of each event: 75 to 100 µs for a few letters of text, and
up to 0.7 s at the first stream of a process, in which nothing else is done. Of most events a field or two are read.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

import httpx2
from openai import AsyncOpenAI

from adapters.openai.errors import FAULTS, Server, not_a_stream
from adapters.openai.sse import Decoder, ServerSentEvent

log = logging.getLogger(__name__)


async def open_stream(client: AsyncOpenAI, path: str, body: Mapping[str, Any]) -> Stream:
    """Posts, and returns when the server has begun to answer. Errors of the SDK pass through."""
    return Stream(await client.post(path, body={**body, "stream": True}, cast_to=httpx2.Response, stream=True))


async def follow_stream(client: AsyncOpenAI, path: str, params: Mapping[str, Any]) -> Stream:
    """Listens to an answer that exists. Errors of the SDK pass through."""
    return Stream(await client.get(path, options={"params": params}, cast_to=httpx2.Response, stream=True))


class Stream:
    """The events of one answer: of each its name, empty where it has none, and its data as JSON.

    It ends at `[DONE]` or with the connection, be that in the middle of an event; whether the answer is whole, its
    events must tell. Errors of httpx2 and JSONDecodeError pass through. Leaving the block closes the connection.
    """

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._chunks = response.aiter_bytes()
        self._decoder = Decoder()
        self._events: deque[ServerSentEvent] = deque()  # not asked for yet
        self._ended = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._chunks.aclose()
        finally:
            await self._response.aclose()

    def __aiter__(self) -> Self:
        return self

    # not a generator: whoever leaves one in the middle leaves it to the garbage collector
    async def __anext__(self) -> tuple[str, Any]:
        while True:
            while not self._events:
                if self._ended:
                    raise StopAsyncIteration
                self._events.extend(await self._read())
            name, data = self._events.popleft()
            if data.startswith("[DONE]"):
                raise StopAsyncIteration
            if not data:
                continue  # nothing but a sign of life
            try:
                return name, json.loads(data)
            except json.JSONDecodeError:
                if self._ended:
                    raise StopAsyncIteration from None
                raise

    def check(self, server: Server) -> None:
        """Raises BackendError if the server answered 200 with a document, in which no event would be found."""
        if self._content_type in {"application/json", "text/html"}:
            raise not_a_stream(self._content_type, server)

    async def document(self) -> Any:
        """The JSON that the server answered with in place of a stream; None where it is a stream."""
        return json.loads(await self._response.aread()) if self._content_type == "application/json" else None

    async def drain(self) -> None:
        """Reads what is left after the terminal event, so that the connection can be used again. It is already the
        end: nothing that goes wrong now matters."""
        with suppress(TimeoutError, *FAULTS):
            async with asyncio.timeout(_DRAIN):
                async for _ in self._chunks:
                    pass

    @property
    def _content_type(self) -> str:
        return self._response.headers.get("content-type", "").partition(";")[0].strip()

    async def _read(self) -> list[ServerSentEvent]:
        try:
            return self._decoder.feed(await anext(self._chunks))
        except StopAsyncIteration:
            self._ended = True
            return self._decoder.finish()


_DRAIN = 0.1  # seconds; as long as the SDK itself waits after [DONE]

_unknown: set[str] = set()


def log_unknown(kind: str) -> None:
    """An event that no version of the API known to us has: named once in a process, never with its content."""
    if kind not in _unknown:
        _unknown.add(kind)
        log.debug("openai.event.unknown", extra={"type": kind})
