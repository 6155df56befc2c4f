"""The page's own routes: the page and its files, the live feed, and what people say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from aiohttp import web

from playground.discord.server import DiscordStandIn
from playground.page.discord_side import DiscordSide
from playground.page.feed import Feed
from playground.page.sides import Side, Unsayable, Words
from playground.page.slack_side import SlackSide
from playground.slack.server import SlackStandIn
from playground.timeline import Timeline

_STATIC = Path(__file__).parent / "static"

# Everything comes from this server; whatever a message might contain can neither run nor fetch anything.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Page:
    """Shows both chats side by side, and lets a person write in them."""

    def __init__(self, timeline: Timeline, discord: DiscordStandIn, slack: SlackStandIn) -> None:
        self._timeline = timeline
        sides: list[Side] = [DiscordSide(discord), SlackSide(slack)]
        self._sides = {side.name: side for side in sides}
        self._closing = asyncio.Event()

    def mount(self, app: web.Application) -> None:
        app.router.add_get("/", self._index)
        app.router.add_get("/page/feed", self._feed)
        app.router.add_post("/page/say", self._say)
        app.router.add_post("/page/stop", self._stop)
        app.router.add_get("/page/files/{platform}/{file}", self._file)
        app.router.add_static("/page/", _STATIC)

    async def close(self) -> None:
        """Ends the open feeds, which would otherwise last as long as their pages."""
        self._closing.set()

    async def _index(self, request: web.Request) -> web.FileResponse:
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache", "Referrer-Policy": "no-referrer"}
        return web.FileResponse(_STATIC / "index.html", headers=headers)

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        try:
            await Feed(self._timeline, self._sides, response).run(self._closing)
        except* ConnectionError:
            pass  # the page was closed
        return response

    async def _file(self, request: web.Request) -> web.Response:
        """A file that somebody shared: text to be read, everything else to be saved; nothing of it can run."""
        side = self._sides.get(request.match_info["platform"])
        try:
            if side is None:
                raise web.HTTPNotFound
            name, content = side.file(request.match_info["file"])
        except ValueError as reason:
            raise web.HTTPNotFound(text=str(reason)) from reason
        return web.Response(body=content, headers=_as_file(name, content))

    async def _stop(self, request: web.Request) -> web.Response:
        body = await _json(request)
        side = self._side(body)
        try:
            side.stop(str(body.get("room")), str(body.get("person")), str(body.get("thread")))
        except Unsayable as reason:
            raise web.HTTPBadRequest(text=str(reason)) from reason
        return web.Response(status=204)

    async def _say(self, request: web.Request) -> web.Response:
        side, words = self._read(await _json(request))
        try:
            side.say(words)
        except Unsayable as reason:
            raise web.HTTPBadRequest(text=str(reason)) from reason
        return web.Response(status=204)

    def _read(self, body: dict[str, Any]) -> tuple[Side, Words]:
        """Who is spoken to, and what is said. Raises HTTPBadRequest."""
        side = self._side(body)
        words = Words(
            room=str(body.get("room", "")),
            person=str(body.get("person", "")),
            text=str(body.get("text", "")).strip(),
            mention=body.get("mention") is True,
            reply_to=str(body.get("reply_to", "")),
        )
        if words.room not in {room.id for room in side.rooms()}:
            raise web.HTTPBadRequest(text=f"{side.title} has no room {words.room!r}.")
        if words.person not in side.people():
            raise web.HTTPBadRequest(text=f"{side.title} has no person {words.person!r}.")
        if not words.text:
            raise web.HTTPBadRequest(text="There is nothing to send.")
        return side, words

    def _side(self, body: dict[str, Any]) -> Side:
        """Raises HTTPBadRequest."""
        side = self._sides.get(str(body.get("platform")))
        if side is None:
            raise web.HTTPBadRequest(text=f"The platform must be one of {', '.join(self._sides)}.")
        return side


async def _json(request: web.Request) -> dict[str, Any]:
    # A page of another origin cannot send this type without asking first, and it is never allowed to.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send application/json.")
    try:
        body: object = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="Send a JSON object.")
    return cast("dict[str, Any]", body)


def _as_file(name: str, content: bytes) -> dict[str, str]:
    try:
        content.decode()
        kind, way = "text/plain; charset=utf-8", "inline"
    except UnicodeDecodeError:
        kind, way = "application/octet-stream", "attachment"
    return {
        "Content-Type": kind,
        "Content-Disposition": f"{way}; filename*=UTF-8''{quote(name)}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
