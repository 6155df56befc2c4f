"""A line of the table of routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playground.discord.call import Answer, Call
from playground.discord.limits import Counted


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    handle: Callable[[Call], Answer]  # does it all at once; raises ApiError
    counted: Counted | None = None
    major: str = "channel"  # the id in the path that has a count of its own
    bot: bool = True  # asks for the bot's token, and counts as one of its calls
