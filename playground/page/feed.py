"""The live feed as server-sent events: a greeting, then every moment as the page shows it, and the figures."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Any, cast

from aiohttp import web

from playground.page.figures import Figures, figures
from playground.page.sides import Side
from playground.timeline import Moment, Timeline

_FIGURES_EVERY = 0.5  # seconds


class Feed:
    """Tells one page what was and what comes."""

    def __init__(self, timeline: Timeline, sides: Mapping[str, Side], response: web.StreamResponse) -> None:
        self._timeline = timeline
        self._sides = sides
        self._response = response
        self._began = time.time() - timeline.now()  # turns the timeline's clock into the time of day

    async def run(self, closing: asyncio.Event) -> None:
        """Until `closing` is set; raises an ExceptionGroup of ConnectionError when the page has gone away."""
        await self._send("hello", {"platforms": [_describe(side) for side in self._sides.values()]})
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._moments()), tasks.create_task(self._figures())]
            await closing.wait()
            for task in running:
                task.cancel()

    async def _moments(self) -> None:
        outdated = _outdated(self._timeline.moments)
        follow = cast("AsyncGenerator[Moment, None]", self._timeline.follow())  # closed here, not by the collector
        async with aclosing(follow) as moments:
            position = 0
            async for moment in moments:
                if position not in outdated:
                    await self._send("moment", self._as_shown(moment))
                position += 1

    async def _figures(self) -> None:
        told: dict[str, Figures] = {}
        while True:
            now = {
                side.name: figures(self._timeline.moments, side.name, side.refusals()) for side in self._sides.values()
            }
            if now != told:
                await self._send("figures", {name: asdict(figure) for name, figure in now.items()})
                told = now
            await asyncio.sleep(_FIGURES_EVERY)

    def _as_shown(self, moment: Moment) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "platform": moment.platform,
            "room": moment.room,
            "kind": moment.kind,
            "message": moment.message,
            "author": moment.author,
            "bot": moment.bot,
            "reply_to": moment.reply_to,
            "private_to": moment.private_to,
            "lasts": round(moment.lasts * 1000),  # milliseconds; 0: until something else is said
            "at": round((self._began + moment.at) * 1000),  # milliseconds since 1970
        }
        if moment.kind in ("posted", "edited"):
            side = self._sides[moment.platform]
            shown["html"] = side.show(moment)
            shown["live"] = moment.live
            shown["files"] = [asdict(file) for file in moment.files]
            shown["previews"] = moment.previews
            shown["fallback"] = moment.fallback
        elif moment.kind == "status":
            shown["text"] = moment.text
            shown["stoppable"] = self._sides[moment.platform].stoppable(moment)
        return shown

    async def _send(self, event: str, data: dict[str, Any]) -> None:
        await self._response.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())


def _outdated(moments: Sequence[Moment]) -> set[int]:
    """The edits that a later one has replaced for whoever saw them: a page that opens late is spared them."""
    latest: dict[tuple[str, str], int] = {}
    outdated: set[int] = set()
    for position, moment in enumerate(moments):
        if moment.kind == "edited":
            seen = (moment.message, moment.private_to)
            if seen in latest:
                outdated.add(latest[seen])
            latest[seen] = position
    return outdated


def _describe(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "title": side.title,
        "bot": side.bot,
        "rooms": [asdict(room) for room in side.rooms()],
        "people": [{"id": id, "name": name} for id, name in side.people().items()],
    }
