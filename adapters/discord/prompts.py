"""A message on Discord as a question to the bot."""

from __future__ import annotations

import re

import discord

from bot.core.commands import Command, parse
from bot.core.model import Channel, Person, Place, Prompt

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_CHANNEL = re.compile(r"<#(\d+)>")
_EMOJI = re.compile(r"<a?(:\w+:)\d+>")


def to_prompt(message: discord.Message, *, me: int, always_on: frozenset[str]) -> Prompt | None:
    """The question that a message puts to the bot, whose user id is `me`; None if it is not meant for it.

    It is in a direct message, when it mentions the bot, when it replies to the bot, and in an always-on channel with
    its threads. What it replies to is quoted before it, unless the bot wrote that. Without any text it asks for help.
    """
    if not _from_person(message, me):
        return None
    original = message.reference.resolved if message.reference else None
    if not isinstance(original, discord.Message):
        original = None  # no reply, or to a message that is deleted
    answers_us = original is not None and original.author.id == me
    addressed = isinstance(message.channel, discord.DMChannel) or answers_us or _mentions(message, me)
    if not addressed and not is_always_on(message, always_on):
        return None
    text = _readable(message, me)
    if original and not answers_us and parse(text) is None:
        text = "\n\n".join(part for part in (_quoted(_readable(original, me)), text) if part)
    if not text:
        if not addressed:
            return None  # a picture, say, in an always-on channel
        text = f"!{Command.HELP}"
    return _prompt(message, text)


def to_command(message: discord.Message, *, me: int) -> Prompt | None:
    """A message that is a text command and nothing else (`!stop`), whomever it is meant for; else None."""
    if _from_person(message, me) and parse(message.content) is not None:
        return _prompt(message, message.content)
    return None


def key_of(room: int, message: int) -> str:
    """The key of the question that this message is or was, if it was one."""
    return f"discord:{room}:{message}"


def is_always_on(message: discord.Message, always_on: frozenset[str]) -> bool:
    """Whether every message in this channel, or in the channel of this thread, is a question."""
    channel = message.channel
    if isinstance(channel, discord.Thread) and str(channel.parent_id) in always_on:
        return True
    return str(channel.id) in always_on


def _prompt(message: discord.Message, text: str) -> Prompt:
    room = str(message.channel.id)
    return Prompt(
        key=key_of(message.channel.id, message.id),
        channel=Channel("discord", room),
        place=Place(room=room, message=str(message.id)),
        author=Person(str(message.author.id), message.author.display_name),
        text=text,
        shared=not isinstance(message.channel, discord.DMChannel),
    )


def _from_person(message: discord.Message, me: int) -> bool:
    if message.author.bot or message.author.id == me or message.webhook_id is not None:
        return False
    return message.type in {discord.MessageType.default, discord.MessageType.reply}


def _mentions(message: discord.Message, me: int) -> bool:
    return any(user.id == me for user in message.mentions) or bool(_own_roles(message, me))


def _own_roles(message: discord.Message, me: int) -> list[int]:
    """The role that Discord made for the bot when it was invited; people pick it by mistake, since it has its name."""
    return [role.id for role in message.role_mentions if role.tags and role.tags.bot_id == me]


def _readable(message: discord.Message, me: int) -> str:
    """What a person sees: without the bot's own mention, and with names in place of ids."""
    text = message.content
    if not text and message.message_snapshots:
        text = message.message_snapshots[0].content  # a forwarded message has its text in there
    ours = "|".join([f"<@!?{me}>", *(f"<@&{role}>" for role in _own_roles(message, me))])
    text = re.sub(rf"^\s*(?:{ours})(?:[,:](?=\s))?|[ \t]*(?:{ours})", "", text).strip()

    guild = message.guild
    users = {str(user.id): user.display_name for user in message.mentions}
    roles = {str(role.id): role.name for role in message.role_mentions}

    def channel(found: re.Match[str]) -> str:
        known = guild.get_channel_or_thread(int(found[1])) if guild else None
        return f"#{known.name}" if known else found[0]

    text = _USER.sub(lambda found: f"@{users[found[1]]}" if found[1] in users else found[0], text)
    text = _ROLE.sub(lambda found: f"@{roles[found[1]]}" if found[1] in roles else found[0], text)
    text = _CHANNEL.sub(channel, text)
    return _EMOJI.sub(r"\1", text)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
