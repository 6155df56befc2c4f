"""How each platform writes Markdown, what a message may hold, and what must not act there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.core import discord_markdown, slack_markdown
from bot.core.measures import Measure


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Dialect:
    """A platform's Markdown.

    `measure` is never below what the platform counts for the rendered text, so a page within `budget` always fits.
    """

    name: str
    budget: float  # what one message may hold
    measure: Measure
    length: Callable[[str], int] = len  # what the platform counts of a rendered text
    render: Callable[[str], str] = _same  # the model's Markdown -> what is sent
    note: Callable[[str], str] = _same  # a sentence of the bot's own, set apart from the model's words
    cursor: str = ""  # at the end of a page that is still being written
    first_words: float = 0.3  # seconds that a first message may wait for a few words worth a notification
    append_only: bool = False  # what is shown cannot be changed, so nothing is closed or held back while it grows
    grow: Callable[[str], str] = _same  # where messages are streamed: as much of a page as `render` will begin with
    lasts: float = float("inf")  # seconds after which a streamed message is ended and another begun


_CURSOR = " ▌"


def _shown_on_discord(page: str) -> str:
    # a page of which nothing is to be seen (a comment, code that has only begun) is a message all the same
    return discord_markdown.render(page) or ("…" if page.strip() else "")


# Mentions are made inert by allowed_mentions at each call as well, which also covers what escaping cannot.
DISCORD = Dialect(
    "discord",
    budget=discord_markdown.LIMIT,
    measure=discord_markdown.Measure(),
    render=_shown_on_discord,
    note="-# {}".format,
    cursor=_CURSOR,
)

SLACK = Dialect(
    "slack",
    budget=slack_markdown.LIMIT,
    measure=slack_markdown.Measure(),
    length=slack_markdown.units,
    render=slack_markdown.render,
    note="_{}_".format,
    cursor=_CURSOR,
)

# A stream was seen to end by itself after 306 s, and to take 10.6 kB where it held more than text.
SLACK_STREAM = replace(
    SLACK,
    budget=9_000,
    measure=slack_markdown.StreamMeasure(),
    length=slack_markdown.bytes_of,
    render=slack_markdown.streamed,
    cursor="",
    grow=slack_markdown.settled,
    lasts=240.0,
)

# A terminal only appends; there is no page to fill.
TERMINAL = Dialect(
    "terminal",
    budget=float("inf"),
    measure=slack_markdown.Measure(),
    note="({})".format,
    first_words=0.0,
    append_only=True,
)
