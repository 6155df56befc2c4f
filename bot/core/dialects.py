"""How each platform writes Markdown, what a message may hold, and what must not act there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


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


# What Slack's parser acts on inside Markdown: <!channel>, <@U1>, <#C1>, <https://elsewhere|label>. Escaping the bracket
# is enough; "a < b", "<div>" and ">" quotes are left alone.
_SLACK_CONTROL = re.compile(r"<(?=[!@#]|[a-zA-Z][a-zA-Z0-9+.-]*:)")


def defuse_slack(text: str) -> str:
    """Makes Slack's control sequences plain text."""
    return _SLACK_CONTROL.sub("&lt;", text)


def _slack_cost(text: str) -> int:
    # a bracket may become "&lt;"; whether Slack counts characters or UTF-16 units is not documented, so the larger
    return len(text) + 3 * text.count("<") + sum(char > "\uffff" for char in text)


# 2,000 code points: Discord's limit for one message, also for bots (discord-api-docs#1315). Mentions are made inert by
# allowed_mentions at each call, which also covers what escaping cannot.
DISCORD = Dialect("discord", budget=2000, note="-# {}".format)

# 12,000 characters: Slack's limit for markdown_text in chat.postMessage and chat.update.
SLACK = Dialect("slack", budget=12_000, cost=_slack_cost, render=defuse_slack, note="_{}_".format)

# A terminal only appends; there is no page to fill.
TERMINAL = Dialect("terminal", budget=float("inf"), note="({})".format, first_words=0.0, append_only=True)
