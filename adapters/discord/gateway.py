"""Keeps one login to Discord's gateway alive: a new discord.py client whenever the old one has ended by itself.

discord.py resumes a dropped connection without losing events. But it gives up on a payload that it cannot parse and on
a refused first connection (KeyError, TypeError, AttributeError out of `connect`), and it reconnects without a pause to
a gateway that closes at once. The first is mended here by a new client, the second by holding back the sockets.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from adapters.discord import advice
from adapters.discord.backoff import Backoff
from adapters.discord.failures import TokenRefused
from adapters.discord.listener import Listener
from adapters.discord.rest import Rest
from bot.errors import ConfigError, Refused, Rejected, RivuletError

log = logging.getLogger(__name__)

MakeListener: TypeAlias = Callable[[Callable[[str], None], aiohttp.TraceConfig], Listener]

# Close codes after which it makes no sense to come again as we are.
_FINAL = {4004: advice.TOKEN, 4010: advice.SHARDING, 4011: advice.SHARDING, 4014: advice.INTENT}

DRAIN = 5.0  # seconds for what was heard to reach the inbox, when a login ends
GOODBYE = 3.0  # seconds for Discord to confirm the close of the connection


class Gateway:
    """`open`, `serve` until somebody calls `close`."""

    def __init__(self, token: str, api_url: str, rest: Rest, make_listener: MakeListener) -> None:
        self._token = token
        self._api_url = api_url
        self._rest = rest
        self._make_listener = make_listener
        self._task: asyncio.Task[None] | None = None
        # Sockets: a RESUME should come at once, and a second; only then does it look like a gateway that closes at once
        self._sockets = Backoff(free=3, most=30.0)

    async def open(self) -> str:
        """Returns when Discord delivers, with a line that says as whom and where; waits while it is out of reach.

        Raises ConfigError.
        """
        connected: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._supervise(connected), name="discord gateway")
        return await connected

    async def serve(self) -> None:
        """Returns after `close`. Raises ConfigError when Discord does not let the bot in any more."""
        if self._task is not None:
            await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.result()

    async def close(self) -> None:
        """Lets what was heard reach the inbox and says goodbye, so that the bot is shown as offline at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _supervise(self, connected: asyncio.Future[str]) -> None:
        logins = Backoff(free=2, most=60.0)
        while True:
            await asyncio.sleep(logins.wait(asyncio.get_running_loop().time()))
            try:
                await self._log_in_and_listen(connected)
            except ConfigError as error:
                if connected.done():
                    raise
                connected.set_exception(error)
                return
            except Refused as refused:
                log.warning("discord.wait", extra={"seconds": round(refused.retry_after, 1)})
                await asyncio.sleep(refused.retry_after)
            except Exception as error:  # whatever an event that discord.py cannot parse leads to
                log.warning("discord.connection_ended", extra={"error": _describe(error)})

    async def _log_in_and_listen(self, connected: asyncio.Future[str]) -> None:
        def ready(line: str) -> None:
            if connected.done():
                log.info("discord.connected_again")
            else:
                connected.set_result(line)

        # Class attributes, read whenever a request or a socket is made
        Route.BASE = self._api_url
        listener = self._make_listener(ready, self._hold_back_sockets())
        try:
            await listener.login(self._token)
            DiscordWebSocket.DEFAULT_GATEWAY = await self._gateway_address()
            await listener.connect()
        except (discord.LoginFailure, TokenRefused) as error:
            raise ConfigError(advice.TOKEN) from error
        except discord.PrivilegedIntentsRequired as error:
            raise ConfigError(advice.INTENT) from error
        except discord.ConnectionClosed as closed:
            if closed.code in _FINAL:
                raise ConfigError(_FINAL[closed.code]) from closed
            raise
        except (discord.NotFound, Rejected, aiohttp.InvalidURL) as error:
            if connected.done():
                raise
            raise ConfigError(advice.api_url(self._api_url, _describe(error))) from error
        finally:
            await listener.drain(DRAIN)
            await _say_goodbye(listener)

    async def _gateway_address(self) -> URL:
        answer = cast("dict[str, Any]", (await self._rest.call("GET", "/gateway/bot")).data)
        starts = answer.get("session_start_limit", {})
        if starts.get("remaining", 1) <= 0:
            # Discord resets the token of a bot that identifies more than 1,000 times a day
            raise Refused(starts.get("reset_after", 0) / 1000)
        return URL(answer["url"])

    def _hold_back_sockets(self) -> aiohttp.TraceConfig:
        async def hold_back(
            session: aiohttp.ClientSession, context: SimpleNamespace, request: aiohttp.TraceRequestStartParams
        ) -> None:
            if request.url.scheme in {"ws", "wss"}:
                await asyncio.sleep(self._sockets.wait(asyncio.get_running_loop().time()))

        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(hold_back)
        return trace


async def _say_goodbye(listener: Listener) -> None:
    try:
        async with asyncio.timeout(GOODBYE):
            await listener.close()
    except TimeoutError:
        await listener.http.close()  # the other side has gone; let the sockets go


def _describe(error: Exception) -> str:
    """The kind of error, with its words where they cannot be somebody's message."""
    kind = type(error).__name__
    if isinstance(error, (OSError, aiohttp.ClientError, discord.HTTPException, RivuletError)):
        return f"{kind}: {error}"
    return kind
