"""What was said while nobody listened, looked up in the rooms of which the bot is a member.

A room's history holds what stands at its top level, the newest first; what stands in threads has to be asked for thread
by thread. Roots tell of later replies, so the threads that went on are known as far back as the history is read: to the
end of the page that reaches behind the absence. An older thread is looked into only where the bot was asked lately.

What cannot be seen: a mention in an older thread in which the bot was not asked; one that somebody has added to an
older post; what is deleted; rooms that the app has no scope to list, unless the bot was asked there or they are always
on; and of one room or thread, whatever stands behind its first `_PAGES` pages.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from math import inf
from typing import Any

from adapters.slack.calls import ScopeMissing
from adapters.slack.listener import Listener
from adapters.slack.reading import Post, Reading
from adapters.slack.received import seconds
from bot.core.commands import parse
from bot.core.model import Place, Prompt
from bot.errors import Gone, PlatformError, Rejected, Unreachable

log = logging.getLogger(__name__)

# The scope for listing each kind of room. Direct messages are the most, so they come last.
LISTING = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "mpim": "mpim:read",
    "im": "im:read",
}

_PAGES = 10
_THREADS = 50  # of one room

_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds after a room for which Slack did not answer
_PATIENCE = 900.0  # seconds for all rooms together
_HELD_BACK = 10.0  # seconds that what is said in a room may wait until the room is looked through

_NOTHING = "Slack does not let what was missed be read"


class Missed:
    """Makes questions of posts as the listener makes them of events."""

    def __init__(
        self,
        reading: Reading,
        listener: Listener,
        scopes: frozenset[str] | None,  # the app's; None: not known
        *,
        patience: float = _PATIENCE,
        held_back: float = _HELD_BACK,
    ) -> None:
        self._reading = reading
        self._listener = listener
        self._patience = patience
        self._held_back = held_back
        self._kinds = [kind for kind, scope in LISTING.items() if scopes is None or scope in scopes]

    async def questions(self, since: float, places: Sequence[Place]) -> AsyncGenerator[Prompt]:
        """As `Platform.missed`. A question counts as received when the next one is asked for."""
        deadline = asyncio.get_running_loop().time() + self._patience
        try:
            async with asyncio.timeout_at(deadline):
                rooms = await self._rooms(places)
        except TimeoutError:
            raise Unreachable(_NOTHING) from None
        waiting, read, pause = deque(rooms), 0, _PAUSE
        while waiting:
            room = waiting.popleft()
            threads = [place.thread for place in places if place.room == room and place.thread]
            try:
                async with self._looked_through(room, self._read(room, since, threads), deadline) as posts:
                    for post in posts:
                        self._listener.recall(post, room)
                    for post in posts:
                        prompt = await self._listener.question(_event(post, room, rooms[room]))
                        if prompt and parse(prompt.text) is None:
                            yield prompt
                            await self._listener.taken(prompt)
                read, pause = read + 1, _PAUSE
            except TimeoutError:
                log.warning("slack.missed.given_up", extra={"rooms": len(rooms), "left": len(waiting) + 1})
                if not read:
                    raise Unreachable(_NOTHING) from None
                return
            except Unreachable as error:
                log.warning("slack.missed.delayed", extra={"room": room, "detail": str(error)})
                waiting.append(room)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except PlatformError as error:
                log.warning("slack.missed.skipped", extra={"room": room, "detail": str(error)})

    async def reread(self, prompt: Prompt) -> Prompt | None:
        """As `Platform.reread`."""
        room = prompt.place.room
        post = await self._reading.post(prompt.place)
        if post is None:
            return None
        if not post.get("edited"):
            return prompt
        return await self._listener.question(_event(post, room, _guess(room))) or prompt

    async def _rooms(self, places: Sequence[Place]) -> dict[str, str]:
        """Where to look, in that order, each room with the `channel_type` of its events. Raises PlatformError."""
        listed: dict[str, str] = {}
        whole = len(self._kinds) == len(LISTING)
        cursor = None
        while self._kinds:
            try:
                some, cursor = await self._reading.page(
                    "users_conversations", "channels", cursor, types=",".join(self._kinds), exclude_archived=True
                )
            except ScopeMissing:
                whole = False
                break
            listed |= {room["id"]: _channel_type(room) for room in some if not room.get("is_user_deleted")}
            if not cursor:
                break
        if not whole:
            log.warning("slack.missed.unlisted", extra={"mend": "`rivulet check` tells which scopes are missing"})
        likely = dict.fromkeys([*(place.room for place in places), *sorted(self._listener.always_on)])
        first = {room: listed.get(room) or _guess(room) for room in likely if room in listed or not whole}
        return first | dict(sorted(listed.items(), key=lambda room: room[1] == "im"))

    @asynccontextmanager
    async def _looked_through(
        self, room: str, reading: Coroutine[Any, Any, list[Post]], deadline: float
    ) -> AsyncGenerator[list[Post]]:
        """What is said in the room waits meanwhile, but not for long. Raises PlatformError and TimeoutError."""

        async def read() -> list[Post]:
            async with asyncio.timeout_at(deadline):
                return await reading

        async with AsyncExitStack() as turn:
            await turn.enter_async_context(self._listener.turn_of(room))
            task = asyncio.create_task(read())
            try:
                await asyncio.wait([task], timeout=self._held_back)
                if not task.done():
                    await turn.aclose()
                yield await task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _read(self, room: str, since: float, threads: Sequence[str]) -> list[Post]:
        """The posts of a room since then, oldest first. `threads` are worth a look, the first the most."""
        posts, reached = await self._history(room, since)
        going_on = [post["ts"] for post in posts if seconds(post.get("latest_reply") or "") >= since]
        wanted = [thread for thread in threads if seconds(thread) < reached or thread in going_on]
        wanted = list(dict.fromkeys([*wanted, *going_on]))
        if len(wanted) > _THREADS:
            log.warning("slack.missed.threads_left", extra={"room": room, "left": len(wanted) - _THREADS})
        for thread in wanted[:_THREADS]:
            posts += await self._replies(room, thread, since)
        once = {post["ts"]: post for post in posts if seconds(post["ts"]) >= since}  # some stand in both
        return sorted(once.values(), key=lambda post: seconds(post["ts"]))

    async def _history(self, room: str, since: float) -> tuple[list[Post], float]:
        """What stands at the top level, newest first, to the page that reaches further back; and until when that is."""
        posts: list[Post] = []
        cursor = None
        for _ in range(_PAGES):
            # not `oldest`: without `latest` Slack would begin with what is closest to it (slackhq/slack-api-docs#4)
            some, cursor = await self._reading.page(
                "conversations_history", "messages", cursor, channel=room, include_all_metadata=True
            )
            posts += some
            if not cursor:
                return posts, -inf
            if posts and seconds(posts[-1]["ts"]) < since:
                break
        else:
            log.warning("slack.missed.cut", extra={"room": room, "posts": len(posts)})
        return posts, seconds(posts[-1]["ts"]) if posts else inf

    async def _replies(self, room: str, thread: str, since: float) -> list[Post]:
        posts: list[Post] = []
        cursor = None
        for _ in range(_PAGES):
            try:
                some, cursor = await self._reading.page(
                    "conversations_replies",
                    "messages",
                    cursor,
                    channel=room,
                    ts=thread,
                    oldest=f"{since:.6f}",
                    inclusive=True,
                    include_all_metadata=True,
                )
            except Gone:  # the thread was deleted
                return posts
            except Rejected as error:
                log.warning("slack.missed.skipped", extra={"room": room, "thread": thread, "detail": str(error)})
                return posts
            posts += some
            if not cursor:
                return posts
        log.warning("slack.missed.cut", extra={"room": room, "posts": len(posts)})
        return posts


def _event(post: Post, room: str, channel_type: str) -> dict[str, Any]:
    """As it would have been delivered: then nobody had replied yet, and a root is in no thread."""
    event = {**post, "channel": room, "channel_type": channel_type}
    if event.get("thread_ts") == event["ts"]:
        del event["thread_ts"]
    return event


def _channel_type(room: Mapping[str, Any]) -> str:
    if room.get("is_im"):
        return "im"
    if room.get("is_mpim"):
        return "mpim"
    return "group" if room.get("is_private") or room.get("is_group") else "channel"


def _guess(room: str) -> str:
    return "im" if room.startswith("D") else "channel"
