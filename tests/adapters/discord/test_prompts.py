"""Which messages are questions, and how they read: recorded payloads through discord.py's own parsers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import discord
import pytest

from adapters.discord.prompts import to_command, to_prompt
from bot.core.model import Channel, Person, Place, Prompt

SAMPLES = Path(__file__).parents[2] / "samples" / "discord"
ME = 900

Read = Callable[..., discord.Message]


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_text())


class Ear(discord.Client):
    """Parses gateway events without a connection, and keeps the last message."""

    heard: discord.Message

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        if event == "message":
            self.heard = args[0]


@pytest.fixture
async def read() -> Read:
    """Reads a sample, with changes, as the message that discord.py makes of it."""
    ear = Ear(intents=discord.Intents.none(), max_messages=None, guild_ready_timeout=0.0)
    parsers = ear._connection.parsers  # pyright: ignore[reportPrivateUsage]  # there is no public way in without a socket
    parsers["READY"](sample("ready"))
    parsers["GUILD_CREATE"](sample("guild_create"))

    def read_sample(name: str, **changes: Any) -> discord.Message:
        parsers["MESSAGE_CREATE"](sample(name) | changes)
        return ear.heard

    return read_sample


def ask(message: discord.Message, *always_on: str) -> Prompt | None:
    return to_prompt(message, me=ME, always_on=frozenset(always_on))


def text(message: discord.Message, *always_on: str) -> str | None:
    prompt = ask(message, *always_on)
    return prompt.text if prompt else None


def test_a_mention_becomes_a_prompt_with_names_in_place_of_ids(read: Read) -> None:
    assert ask(read("message_mention")) == Prompt(
        key="discord:200:1001",
        channel=Channel("discord", "200"),
        place=Place(room="200", message="1001"),
        author=Person("501", "Ada (mill)"),
        text="how deep is the @Bobby pond? See #ask-rivulet, @Keepers :duck:",
        shared=True,
    )


def test_a_message_that_is_meant_for_nobody_in_particular_is_left_alone(read: Read) -> None:
    assert ask(read("message_plain")) is None


@pytest.mark.parametrize(
    ("content", "question"),
    [
        ("<@900>, what is this?", "what is this?"),
        ("<@!900>: what is this?", "what is this?"),
        ("what is this, <@900>?", "what is this,?"),
        ("ask <@900> about it", "ask about it"),
        ("!stop <@900>", "!stop"),
        ("<@900>\n```py\n  x = 1\n```", "```py\n  x = 1\n```"),
        ("<@900>:duck: and <#999> and <@77>", ":duck: and <#999> and <@77>"),
    ],
)
def test_the_bots_own_mention_is_taken_out_of_the_text(read: Read, content: str, question: str) -> None:
    assert text(read("message_mention", content=content)) == question


def test_a_mention_of_the_bots_own_role_is_a_mention_of_the_bot(read: Read) -> None:
    message = read("message_plain", content="<@&110> hello", mention_roles=["110"])
    assert text(message) == "hello"


def test_a_role_that_people_gave_to_the_bot_does_not_call_it(read: Read) -> None:
    assert ask(read("message_plain", content="<@&111> hello", mention_roles=["111"])) is None


def test_everyone_is_not_the_bot(read: Read) -> None:
    assert ask(read("message_plain", content="@everyone hello", mention_everyone=True)) is None


def test_a_reply_to_the_bot_is_a_question_even_without_a_ping(read: Read) -> None:
    assert text(read("message_reply_to_bot")) == "and in winter?"


def test_what_somebody_else_wrote_is_quoted_before_a_reply_to_it(read: Read) -> None:
    assert text(read("message_reply_to_person")) == "> The pond is deep.\n>\n> Ask @Bob.\n\nis that right?"


def test_a_bare_mention_in_a_reply_asks_about_what_it_replies_to(read: Read) -> None:
    assert text(read("message_reply_to_person", content="<@900>")) == "> The pond is deep.\n>\n> Ask @Bob."


def test_a_command_in_a_reply_stays_a_command(read: Read) -> None:
    assert text(read("message_reply_to_person", content="<@900> !stop")) == "!stop"


def test_a_reply_to_a_deleted_message_is_read_without_it(read: Read) -> None:
    assert text(read("message_reply_to_deleted")) == "hello?"


def test_a_mention_without_a_word_asks_for_help(read: Read) -> None:
    assert text(read("message_mention", content=" <@900> ")) == "!help"


def test_a_direct_message_is_a_question_of_one_person(read: Read) -> None:
    prompt = ask(read("message_direct"))
    assert prompt is not None
    assert (prompt.text, prompt.shared, prompt.author.name) == ("hello", False, "Ada")
    assert prompt.channel == Channel("discord", "400")


def test_a_forwarded_message_is_read_from_its_snapshot(read: Read) -> None:
    assert text(read("message_forwarded")) == "The pond is deep."


@pytest.mark.parametrize("channel", ["201", "301"])
def test_in_an_always_on_channel_and_its_threads_every_message_is_a_question(read: Read, channel: str) -> None:
    message = read("message_plain", channel_id=channel)
    assert text(message, "201") == "nothing for the bot"
    assert ask(message, "200") is None


def test_a_picture_in_an_always_on_channel_is_not_answered(read: Read) -> None:
    assert ask(read("message_plain", channel_id="201", content=""), "201") is None


def test_a_thread_is_a_channel_of_its_own(read: Read) -> None:
    prompt = ask(read("message_mention", channel_id="300"))
    assert prompt is not None
    assert prompt.channel == Channel("discord", "300")


@pytest.mark.parametrize(
    "changes",
    [
        {"author": {"id": "900", "username": "Rivulet", "discriminator": "4821", "avatar": None, "bot": True}},
        {"author": {"id": "777", "username": "Other", "discriminator": "1111", "avatar": None, "bot": True}},
        {"webhook_id": "600"},
        {"type": 7},  # somebody joined
        {"type": 18},  # a thread was made
        {"type": 20},  # the answer to a slash command
    ],
)
def test_bots_webhooks_and_discord_itself_are_not_answered(read: Read, changes: dict[str, Any]) -> None:
    assert ask(read("message_mention", **changes), "200") is None
    assert to_command(read("message_plain", **{"content": "!stop"} | changes), me=ME) is None


def test_a_message_that_is_only_a_command_is_recognised_without_a_mention(read: Read) -> None:
    prompt = to_command(read("message_plain", content=" !Stop"), me=ME)
    assert prompt is not None
    assert (prompt.text, prompt.key) == (" !Stop", "discord:200:1002")
    assert to_command(read("message_plain", content="!stop it"), me=ME) is None
