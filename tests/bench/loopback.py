"""The shortest way of a question through another process: a message on a WebSocket, answered with an HTTP POST.

What a bot would need that did nothing. `python -m tests.bench.loopback ADDRESS` is that bot; `Loopback` its other side.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

_QUESTION = "x" * 1000  # about as long as Discord's event of a message


@dataclass
class Loopback:
    """Listens on loopback, with the small bot connected."""

    _socket: web.WebSocketResponse | None = None
    _connected: asyncio.Event = field(default_factory=asyncio.Event)
    _answered: asyncio.Future[float] | None = None

    async def measure(self) -> float:
        """Seconds from sending a message to the arrival of the call that answers it."""
        assert self._socket is not None
        self._answered = asyncio.get_running_loop().create_future()
        begin = time.monotonic()
        await self._socket.send_str(_QUESTION)
        return await self._answered - begin

    async def events(self, request: web.Request) -> web.WebSocketResponse:
        self._socket = web.WebSocketResponse()
        await self._socket.prepare(request)
        self._connected.set()
        async for _ in self._socket:
            pass
        return self._socket

    async def answer(self, request: web.Request) -> web.Response:
        if self._answered is not None:
            self._answered.set_result(time.monotonic())
        await request.read()
        return web.Response()

    async def connected(self) -> None:
        async with asyncio.timeout(10):
            await self._connected.wait()


@asynccontextmanager
async def loopback() -> AsyncGenerator[Loopback]:
    """Starts both sides, and ends both."""
    here = Loopback()
    app = web.Application()
    app.add_routes([web.get("/events", here.events), web.post("/answer", here.answer)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        bot = await asyncio.create_subprocess_exec(sys.executable, "-m", __spec__.name, f"http://{host}:{port}")
        try:
            await here.connected()
            await here.measure()  # which opens the connection for calls
            yield here
        finally:
            bot.terminate()
            await bot.wait()
    finally:
        await runner.cleanup()


async def _bot(address: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{address}/events") as socket:
        async for message in socket:
            async with session.post(f"{address}/answer", data=message.data) as answer:
                await answer.read()


if __name__ == "__main__":
    asyncio.run(_bot(sys.argv[1]))
