"""What a reader would have seen, and when: every state of every message, in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["posted", "edited", "deleted", "typing", "status"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file below a message; whoever wants its bytes asks the stand-in for the id."""

    id: str
    name: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that became visible in a room."""

    at: float  # seconds, monotonic: when the platform accepted it
    platform: Literal["discord", "slack"]
    room: str
    kind: Kind
    message: str = ""
    author: str = ""
    text: str = ""
    reply_to: str = ""  # the message or the thread it belongs to
    bot: bool = False
    private_to: str = ""  # only this person sees it; of an edit: the others still see the state before
    files: tuple[Attachment, ...] = ()
    previews: tuple[str, ...] = ()  # the links under which the platform shows a preview
    fallback: str = ""  # what a notification says, where the message is made of something else
    mrkdwn: bool = False  # the text is written in Slack's older markup, not in Markdown
    live: bool = False  # a stream of the platform's own that has not ended, and looks so
    lasts: float = 0.0  # seconds after which it goes away by itself: typing, a status; 0: it stays

    def seen_by(self, person: str) -> bool:
        return self.private_to in ("", person)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Timeline:
    """The record, and whoever follows it live."""

    now: Callable[[], float] = time.monotonic
    moments: list[Moment] = field(default_factory=list[Moment])
    _followers: set[asyncio.Queue[Moment]] = field(default_factory=set[asyncio.Queue[Moment]])

    def add(self, moment: Moment) -> None:
        self.moments.append(moment)
        for follower in self._followers:
            follower.put_nowait(moment)

    def states(self, message: str) -> list[Moment]:
        """Every state of one message, in the order in which a reader saw them."""
        return [moment for moment in self.moments if moment.message == message]

    def shown(self, room: str, person: str | None = None) -> dict[str, str]:
        """What stands in a room now: message id -> text, oldest first. With a person, as that one sees it."""
        texts: dict[str, str] = {}
        for moment in self.moments:
            if moment.room != room or not moment.message:
                continue
            if person is not None and not moment.seen_by(person):
                continue
            if moment.kind == "deleted":
                texts.pop(moment.message, None)
            elif moment.kind in ("posted", "edited"):
                texts[moment.message] = moment.text
        return texts

    def busy(self, room: str) -> list[Moment]:
        """What says now that somebody is at work: the latest typing of each author, the status of each thread.

        A message does not end its author's typing, which lasts for its seconds.
        """
        latest: dict[tuple[Kind, str, str], Moment] = {}
        for moment in self.moments:
            if moment.room == room and moment.kind in ("typing", "status"):
                latest[moment.kind, moment.author, moment.reply_to] = moment
        now = self.now()
        return [
            moment
            for moment in latest.values()
            if (moment.text or moment.kind == "typing") and (not moment.lasts or now < moment.at + moment.lasts)
        ]

    async def follow(self) -> AsyncIterator[Moment]:
        """What was, then what comes, without a gap."""
        queue: asyncio.Queue[Moment] = asyncio.Queue()
        for moment in self.moments:
            queue.put_nowait(moment)
        self._followers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._followers.discard(queue)
