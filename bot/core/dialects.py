"""How each platform writes Markdown, what a message may hold, and what must not act there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.core import discord_markdown, slack_markdown


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Dialect:
    """A platform's Markdown.

    `cost` is additive (the cost of a text is the sum of the costs of its pieces) and never below what the platform
    counts for the rendered text, so a page within `budget` always fits.
    """

    name: str
    budget: float  # what one message may hold
    cost: Callable[[str], int] = len
    render: Callable[[str], str] = _same  # the model's Markdown -> what is sent
    note: Callable[[str], str] = _same  # a sentence of the bot's own, set apart from the model's words
    first_words: float = 0.3  # seconds that a first message may wait for a few words worth a notification
    append_only: bool = False  # what is shown cannot be changed, so nothing is closed or held back while it grows
    grow: Callable[[str], str] = _same  # where messages are streamed: as much of a page as `render` will begin with
    lasts: float = float("inf")  # seconds after which a streamed message is ended and another begun


def _shown_on_discord(page: str) -> str:
    # a page of which nothing is to be seen (a comment, code that has only begun) is a message all the same
    return discord_markdown.render(page) or ("…" if page.strip() else "")


# Mentions are made inert by allowed_mentions at each call as well, which also covers what escaping cannot.
DISCORD = Dialect(
    "discord",
    budget=discord_markdown.LIMIT,
    cost=discord_markdown.Measure().text,
    render=_shown_on_discord,
    note="-# {}".format,
)

SLACK = Dialect(
    "slack",
    budget=slack_markdown.LIMIT,
    cost=slack_markdown.Measure().text,
    render=slack_markdown.render,
    note="_{}_".format,
)

# A stream was seen to end by itself after 306 s, and to take 10.6 kB where it held more than text.
SLACK_STREAM = replace(
    SLACK,
    budget=9_000,
    cost=slack_markdown.bytes_of,
    render=slack_markdown.streamed,
    grow=slack_markdown.settled,
    lasts=240.0,
)

# A terminal only appends; there is no page to fill.
TERMINAL = Dialect("terminal", budget=float("inf"), note="({})".format, first_words=0.0, append_only=True)
