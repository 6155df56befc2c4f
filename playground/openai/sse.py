"""Server-sent events: what an API streams, kept for those who come later, and sent to one client."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from playground.openai.faults import Cut, Fault, NotJson, SilentEnd
from playground.openai.record import Stream

_GARBLED = b'data: {"type": "respo\n\n'
_PADDING = secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream."""

    data: dict[str, Any] | str
    name: str = ""  # the `event:` line, where the API has one
    delta: str = ""  # the visible text in it
    last: bool = False  # says how the answer ended

    def encode(self) -> bytes:
        data = self.data if isinstance(self.data, str) else json.dumps(self.data, separators=(",", ":"))
        head = f"event: {self.name}\n" if self.name else ""
        return f"{head}data: {data}\n\n".encode()


def obfuscation(delta: str) -> str:
    """Padding that makes the events of short and long pieces equally long."""
    return _PADDING[: 16 - len(delta) % 16]


class Log:
    """Events that outlive the connection on which they were first sent."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._closed = False
        self._news = asyncio.Event()

    def append(self, event: Event) -> None:
        """Nothing is added once the log is closed."""
        if not self._closed:
            self.events.append(event)
            self._wake()

    def close(self) -> None:
        self._closed = True
        self._wake()

    async def follow(self, start: int = 0) -> AsyncGenerator[Event, None]:
        """What there is from `start` on, then what comes, until the log is closed."""
        place = start
        while True:
            news = self._news
            while place < len(self.events):
                yield self.events[place]
                place += 1
            if self._closed:
                return
            await news.wait()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


async def send(
    request: web.Request, stream: Stream, events: AsyncGenerator[Event, None], fault: Fault | None
) -> web.StreamResponse:
    """Sends events until they end or the connection does, by a fault or by the client; `events` is closed at once."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    try:
        async with aclosing(events):
            await response.prepare(request)
            stream.request.status = response.status
            async for event in events:
                if _breaks_before(event, fault, len(stream.deltas)):
                    if isinstance(fault, Cut) and request.transport is not None:
                        request.transport.abort()
                    elif isinstance(fault, NotJson):
                        await response.write(_GARBLED)
                    break
                if event.delta:
                    stream.deltas.append((time.monotonic(), event.delta))
                await response.write(event.encode())
    except (asyncio.CancelledError, ConnectionResetError) as error:
        if request.transport is None or request.transport.is_closing():
            stream.closed_by_client_at = time.monotonic()
        if isinstance(error, asyncio.CancelledError):
            raise
        return response
    stream.finished_at = time.monotonic()
    return response


def _breaks_before(event: Event, fault: Fault | None, sent: int) -> bool:
    match fault:
        case Cut(after) | SilentEnd(after) | NotJson(after):
            return event.last or (bool(event.delta) and sent == after)
        case _:
            return False
