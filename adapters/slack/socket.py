"""The Socket Mode connection: the SDK's handler, with an owner for its tasks and a way out of a dead address.

The SDK's `connect()` tries one address for as long as it takes, though an address works only once; so when the
connection stays down, the watchdog takes the address away and the SDK asks for another.

Slack delivers again what was not acknowledged, the last time six minutes later, so a short gap loses nothing. After a
longer one, be it that the computer slept, `back` is called at Slack's next hello, before anything else is delivered.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from adapters.slack.calls import TIMEOUT
from bot.errors import ConfigError, Unreachable

log = logging.getLogger(__name__)

# The SDK's own messages: its errors only (at lower levels it logs message text), each as one line.
SDK_LOG = logging.getLogger(f"{__name__}.sdk")
SDK_LOG.setLevel(logging.ERROR)

SOCKET_MODE_OFF = "link_disabled"  # why Slack disconnects
TURN_SOCKET_MODE_ON = "Socket Mode is off: turn it on at https://api.slack.com/apps, your app, Socket Mode"

_CONNECT = 60.0  # seconds until the first connection is given up
_GAP = 3  # heartbeats without a sign of Slack after which something may be missing; a refreshed connection has fewer
_DRAIN = 10.0  # seconds for envelopes in work at close: they only wait for the database


class Socket:
    """One connection that comes back by itself. Made and used inside the running loop."""

    def __init__(
        self, app: AsyncApp, app_token: str, *, back: Callable[[], None], heartbeat: float, proxy: str | None
    ) -> None:
        self._handler = AsyncSocketModeHandler(app, app_token, logger=SDK_LOG, ping_interval=heartbeat)
        self._client: Any = self._handler.client  # its types are partly unknown
        self._client.proxy = proxy
        self._back = back
        self._heartbeat = heartbeat
        self._alive = 0.0  # when Slack last answered, by the clock that goes on while the computer sleeps
        self._watchdog: asyncio.Task[None] | None = None
        self._reading: set[asyncio.Task[Any]] = set()  # envelopes in work
        self._reconnecting: set[asyncio.Task[Any]] = set()
        self._read = self._client.run_message_listeners
        self._client.run_message_listeners = self._owned
        self._hello: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self, address: str) -> None:
        """Returns after Slack's hello, at this address or another.

        Raises ConfigError when Socket Mode is off, Unreachable when there is no hello within a minute.
        """
        # the SDK's own session would let a handshake hang for five minutes
        await self._client.aiohttp_client_session.close()
        self._client.aiohttp_client_session = aiohttp.ClientSession(timeout=TIMEOUT)
        self._client.wss_uri = address
        self._watchdog = asyncio.create_task(self._watch())
        try:
            async with asyncio.timeout(_CONNECT):
                await self._handler.connect_async()
                await self._hello
        except TimeoutError as error:
            raise Unreachable(f"Slack's socket did not open within {_CONNECT:.0f} seconds") from error

    async def close(self) -> None:
        """Takes nothing new, lets what is in work be acknowledged, then disconnects."""
        self._client.socket_mode_request_listeners.clear()
        if self._reading:
            await asyncio.wait(self._reading, timeout=_DRAIN)
        await self._handler.close_async()
        tasks: list[asyncio.Future[Any] | None] = [
            *self._reading,
            *self._reconnecting,
            self._client.message_processor,
            self._client.current_session_monitor,
            self._client.message_receiver,
            self._watchdog,
        ]
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _owned(self, message: dict[str, Any], raw_message: str) -> None:
        if message.get("type") == "hello":
            self._on_hello()
        if message.get("reason") == SOCKET_MODE_OFF:
            # to ask for another address at once would only be answered so again; the SDK asks when the socket closes
            log.error("slack.socket_mode.off")
            if not self._hello.done():
                self._hello.set_exception(ConfigError(TURN_SOCKET_MODE_ON))
            return
        tasks = self._reconnecting if message.get("type") == "disconnect" else self._reading
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await self._read(message, raw_message)
        finally:
            tasks.discard(task)

    def _on_hello(self) -> None:
        now = time.time()
        if not self._hello.done():
            self._hello.set_result(None)
        elif now - self._alive > _GAP * self._heartbeat:
            log.info("slack.socket.back", extra={"seconds": round(now - self._alive)})
            self._back()
        self._alive = now

    async def _watch(self) -> None:
        down = 0  # heartbeats in a row without a connection
        while True:
            await asyncio.sleep(self._heartbeat)
            if await self._client.is_connected():
                if down > 1:
                    log.info("slack.socket.reconnected")
                if not down:  # else its hello may not have been read yet
                    self._alive = self._client.last_ping_pong_time or self._alive
                down = 0
                continue
            down += 1
            if down == 2:
                log.warning("slack.socket.down")
            if down > 1:
                self._client.wss_uri = None


def _one_line(record: logging.LogRecord) -> bool:
    # an address holds a ticket that opens the socket
    record.msg = re.sub(r"(ticket=)[^&\s'\"]+", r"\1…", record.getMessage()).partition("\n")[0]
    record.args = None
    record.exc_info = None
    return True


SDK_LOG.addFilter(_one_line)
