"""What stands in Slack's rooms, read at a pace that leaves enough calls to the answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from aiolimiter import AsyncLimiter

from adapters.slack.calls import Answer, WebClient
from bot.core.model import Place
from bot.errors import Refused, Rejected

log = logging.getLogger(__name__)

Post: TypeAlias = dict[str, Any]  # as an event, but for the room

# Slack recommends no more at a time; apps that are sold outside of its Marketplace get 15, whatever they ask
_PAGE = 200

# Tier 3 is 50 calls a minute for each of these methods, and finding a lost page of an answer needs some of them. So
# many may be made at once, and as many a minute after that.
_CALLS = 15
_MINUTE = 60.0


class Reading:
    """All reading of one bot shares the pace. Made inside the running loop."""

    def __init__(self, client: WebClient, made: Callable[[Awaitable[Any]], Awaitable[Answer]]) -> None:
        self._client = client
        self._made = made
        methods = ("users_conversations", "conversations_history", "conversations_replies")
        self._limiters = {method: AsyncLimiter(_CALLS, _MINUTE) for method in methods}

    async def page(
        self, method: str, wanted: str, cursor: str | None = None, *, limit: int = _PAGE, **arguments: Any
    ) -> tuple[list[dict[str, Any]], str]:
        """One page of a collection, and the cursor of the next or nothing; waits where Slack tells it to.

        Raises PlatformError.
        """
        while True:
            await self._limiters[method].acquire()
            try:
                call = getattr(self._client, method)(limit=limit, cursor=cursor, **arguments)
                data = (await self._made(call)).data
                paging: Mapping[str, str] = data.get("response_metadata") or {}
                return data.get(wanted) or [], paging.get("next_cursor") or ""
            except Refused as error:
                log.info("slack.reading.refused", extra={"retry_after": error.retry_after})
                await asyncio.sleep(error.retry_after)

    async def post(self, place: Place) -> Post | None:
        """The post that the place names; None if it was deleted. Raises PlatformError where that is not certain."""
        ts, thread = place.message, place.thread
        if thread in {"", ts}:
            # Slack's own way to one post of the top level: the newest that is no newer
            found, _ = await self.page(
                "conversations_history", "messages", limit=1, channel=place.room, latest=ts, inclusive=True
            )
        else:
            # the root always comes first, and counts
            found, _ = await self.page(
                "conversations_replies",
                "messages",
                limit=2,
                channel=place.room,
                ts=thread,
                oldest=ts,
                latest=ts,
                inclusive=True,
            )
        if not found:  # then nothing shows that the bot may see what stood there
            raise Rejected("Slack shows nothing there")
        post = next((post for post in found if post["ts"] == ts), None)
        return None if post is None or post.get("subtype") == "tombstone" else post
