"""A stretch of the network that can go down: TCP to the playground and back, on a port of its own."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit


class Wire:
    """Use it as an async context manager; `url` leads to the same server as the one it is given."""

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Wire:
        await self._listen()
        self._port = self._server.sockets[0].getsockname()[1] if self._server else 0
        return self

    async def __aexit__(self, *_: object) -> None:
        self.down()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def down(self) -> None:
        """Every connection breaks, and no other is taken."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()

    def up(self) -> None:
        self._tasks.add(asyncio.create_task(self._listen()))

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._to.hostname, self._to.port)
        await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65_536):
                    writer.write(data)
                    await writer.drain()
        finally:
            self._open.discard(writer)
            writer.close()
