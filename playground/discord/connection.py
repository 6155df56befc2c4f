"""One socket of the gateway: payloads go out in the order in which they were sent, closing comes last."""

from __future__ import annotations

import asyncio
import json
from enum import IntEnum
from typing import Any

from aiohttp import web

from playground.discord.compression import Encode


class Close(IntEnum):
    """The codes with which Discord closes."""

    GOING_AWAY = 1001
    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SEQUENCE = 4007
    RATE_LIMITED = 4008
    SESSION_TIMED_OUT = 4009
    INVALID_SHARD = 4010
    INVALID_VERSION = 4012
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


class Connection:
    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, encode: Encode) -> None:
        self.socket = socket
        self.heard = asyncio.get_running_loop().time()  # when the last heartbeat came
        self.ended = asyncio.Event()
        self._transport = transport
        self._encode = encode
        self._outgoing: asyncio.Queue[str | int | None] = asyncio.Queue()

    def send(self, payload: str) -> None:
        self._outgoing.put_nowait(payload)

    def tell(self, op: int, data: Any = None) -> None:
        """Sends something that is no event."""
        self.send(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def close(self, code: Close) -> None:
        """After what was sent before."""
        self._outgoing.put_nowait(code.value)

    def finish(self) -> None:
        """The other side has gone: nothing more is written."""
        self._outgoing.put_nowait(None)

    def abort(self) -> None:
        """Cuts the TCP connection without a word; what was not yet written is lost."""
        if self._transport:
            self._transport.abort()

    async def write(self) -> None:
        """Runs until the connection is closed by either side."""
        try:
            while True:
                match await self._outgoing.get():
                    case None:
                        return
                    case int(code):
                        await self.socket.close(code=code)
                        return
                    case payload:
                        frame = self._encode(payload)
                        if isinstance(frame, bytes):
                            await self.socket.send_bytes(frame)
                        else:
                            await self.socket.send_str(frame)
        except ConnectionError:
            return
