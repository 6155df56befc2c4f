"""`python -m tests.bench.at_once run ...`: the bot, except that it answers all questions of a Discord channel at once.

A channel is one conversation, so the bot answers one question of it after the other. Here each question is a
conversation of its own, while the room in which it is answered, and with it every limit, stays the channel's.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from unittest.mock import patch

import discord

from adapters.discord.prompts import to_prompt
from bot.__main__ import main
from bot.core.model import Channel, Prompt


def _alone(message: discord.Message, *, me: int, always_on: frozenset[str]) -> Prompt | None:
    prompt = to_prompt(message, me=me, always_on=always_on)
    return prompt and replace(prompt, channel=Channel("discord", f"{prompt.place.room}-{prompt.place.message}"))


if __name__ == "__main__":
    with patch("adapters.discord.listener.to_prompt", _alone):
        sys.exit(main())
