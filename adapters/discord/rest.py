"""The writes of a reply: a REST client of our own, in which each call is made exactly once and reports back.

discord.py's HTTP client sleeps inside the call that takes a window's last permit, counts posts and edits in one bucket
though Discord counts them apart, lets waiting edits overtake each other, and repeats bodies that have become stale. The
engine counts exactly and has its permit before the text is rendered, so here nothing waits and every refusal is told.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple, Self

import aiohttp

from adapters.discord.failures import to_error
from bot.core.pacing import Quota
from bot.errors import Unreachable

# Seconds for one call. Discord answers within one; a call that hangs would hold its reply's later text back.
TIMEOUT = 10.0


class Answer(NamedTuple):
    """What an accepted call returned: the JSON (None where there is none) and the quota, if the headers told one."""

    data: Any
    quota: Quota | None


class Upload(NamedTuple):
    """A file of text, as it goes over the wire."""

    name: str
    content: bytes  # UTF-8


class Rest:
    """Discord's REST API for one bot; `open` it, or use it as an async context manager."""

    def __init__(self, token: str, api_url: str) -> None:
        self._token = token
        self._api_url = api_url
        self._session: aiohttp.ClientSession | None = None
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def open(self) -> None:
        """Makes calls possible; does not connect yet."""
        self._session = aiohttp.ClientSession(
            headers={
                "Authorization": f"Bot {self._token}",
                # The form that Discord asks for; others may be blocked
                "User-Agent": f"DiscordBot (https://github.com/rivulet-bot/rivulet, {version('rivulet')})",
            },
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Lets running calls finish (they take at most TIMEOUT seconds), and no new ones begin."""
        session, self._session = self._session, None
        await self._idle.wait()
        if session is not None:
            await session.close()

    async def call(
        self, method: str, path: str, body: object = None, *, files: Sequence[Upload] = (), limit: str = ""
    ) -> Answer:
        """Makes one request. `limit` is the key of the limit that a refusal is blamed on, unless it is the global one.

        In the body a file's id is its position in `files`. Raises PlatformError.
        """
        if self._session is None:
            raise Unreachable("the connection to Discord is closed")
        self._running += 1
        self._idle.clear()
        try:
            # Not through redirects, which would turn a POST into a GET
            async with self._session.request(
                method, self._api_url + path, **_payload(body, files), allow_redirects=False
            ) as response:
                data = await _json(response)
                if response.status >= 300:
                    raise to_error(response.status, response.headers, data, limit)
                return Answer(data, _quota(response.headers))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unreachable(f"no proper answer from Discord ({type(error).__name__})") from error
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()


def _payload(body: object, files: Sequence[Upload]) -> dict[str, Any]:
    """The arguments for aiohttp: JSON, or with files a form, one part of which is the JSON."""
    if not files:
        return {"json": body}
    form = aiohttp.FormData(quote_fields=False)  # Discord knows no percent-encoding in "files[0]"
    form.add_field("payload_json", json.dumps(body), content_type="application/json")
    for number, file in enumerate(files):
        kind = "text/plain; charset=utf-8"
        form.add_field(f"files[{number}]", io.BytesIO(file.content), filename=file.name, content_type=kind)
    return {"data": form}


async def _json(response: aiohttp.ClientResponse) -> Any:
    """The body. Only errors may come without JSON (from a proxy before Discord); success without it is a ValueError."""
    if response.status == 204:
        return None
    try:
        return await response.json(content_type=None)
    except ValueError:
        if response.status < 300:
            raise
        return None


def _quota(headers: Mapping[str, str]) -> Quota | None:
    try:
        return Quota(
            calls=int(headers["X-RateLimit-Limit"]),
            left=int(headers["X-RateLimit-Remaining"]),
            reset_after=float(headers["X-RateLimit-Reset-After"]),
        )
    except (KeyError, ValueError):
        return None
