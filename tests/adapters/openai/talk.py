"""Talking with a backend as the engine does, over sockets, with each kind of server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from adapters.openai import open_backend
from adapters.openai.background import Setting
from bot.core.model import Began, Delta, Ended, Exchange, Request, Working
from bot.ports import Backend
from playground.openai.record import Stream
from playground.openai.server import OpenAIStandIn
from tests.adapters.openai.asking import MemoryNotebook, Outcome, ask


@dataclass
class Talk:
    """A conversation as the engine keeps it: the id on the server, and what was said."""

    open: Callable[[], Backend]
    backend: Backend
    server: OpenAIStandIn
    remembers: bool  # the server does
    goes_on: bool  # an answer does, when nobody listens
    stop_serving: Callable[[], Awaitable[None]]
    remote: str = ""
    history: list[Exchange] = field(default_factory=list[Exchange])
    left: list[object] = field(default_factory=list[object])  # kept, so that no garbage collection closes them

    def request(self, text: str) -> Request:
        return Request(text, self.remote, tuple(self.history), person="a1b2c3")

    async def ask(self, text: str) -> Outcome:
        outcome = await ask(self.backend, self.request(text))
        for event in outcome.events:
            if isinstance(event, Began):
                self.remote = event.remote or self.remote
        if outcome.text:
            self.history.append(Exchange(text, outcome.text, outcome.ending.settled))
        return outcome

    async def ask_and_leave(self, text: str) -> None:
        """Stops after the first words."""
        said = response = ""
        async with self.backend.stream(self.request(text)) as events:
            self.left.append(events)
            async for event in events:
                match event:
                    case Began():
                        self.remote = event.remote or self.remote
                        response = event.response
                    case Working():
                        pass
                    case Delta():
                        said += event.text
                        break
                    case Ended():
                        pytest.fail("it had ended before it could be left")
        await self.backend.cancel(self.remote, response)
        self.history.append(Exchange(text, said, settled=False))

    @property
    def heard(self) -> str:
        """Everything that the model was given with the last question."""
        return next(request.whole for request in reversed(self.server.requests) if request.seen)

    @property
    def made(self) -> int:
        """How many conversations were made on the server."""
        made = [request.path for request in self.server.requests if request.method == "POST" and request.status == 200]
        return made.count("/conversations") + made.count("/threads")

    @property
    def stream(self) -> Stream:
        return self.server.streams[-1]


SERVERS = [
    "responses",
    "responses, in the background",
    "responses, no conversations",
    "responses, conversations ignored",
    "assistants",
    "chat",
]
GO_ON = ["responses, in the background", "assistants"]  # the answer does, when nobody listens


@asynccontextmanager
async def talking(kind: str, *, background: Setting | None = None) -> AsyncGenerator[Talk]:
    server = OpenAIStandIn(tokens_per_second=0, first_token=0)
    if "ignored" in kind:
        server.conversations = "ignored"
    elif "no conversations" in kind:
        server.conversations = "off"
    app = web.Application()
    server.mount(app)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    notebook = MemoryNotebook()
    opened: list[Backend] = []

    def open_it() -> Backend:
        opened.append(
            open_backend(
                kind.partition(",")[0],
                api_key=server.api_key,
                base_url=f"http://127.0.0.1:{runner.addresses[0][1]}/openai/v1",
                model="gpt-6-luna",
                instructions="Be brief.",
                notebook=notebook,
                poll=0.01,
                background=background or ("on" if kind in GO_ON else "off"),
            )
        )
        return opened[-1]

    remembers, goes_on = kind in ("responses", *GO_ON), kind in GO_ON
    try:
        yield Talk(open_it, open_it(), server, remembers, goes_on, runner.cleanup)
    finally:
        for backend in opened:
            await backend.close()
        await server.close()
        await runner.cleanup()


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Polls; fails when it does not become true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)
