"""/rivulet new | stop | retry | help, answered to the one who asked."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.platform import SlackPlatform
from playground.slack.server import SlackStandIn
from tests.adapters.slack.workspace import Connect, FakeInbox, until


async def answer(slack: SlackStandIn, text: str, *, room: str = "", command: str = "/rivulet") -> dict[str, Any]:
    handle = slack.slash(room or slack.general, slack.ada, command, text)
    await until(lambda: slack.responses(handle))
    (response,) = slack.responses(handle)
    return response


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("new", "new"),
        (" STOP ", "stop"),
        ("!stop", "stop"),
        ("Retry", "retry"),
        ("help", "help"),
        ("", "help"),
        ("dance", "help"),
    ],
)
async def test_a_word_is_obeyed_and_answered_privately(
    slack: SlackStandIn, platform: SlackPlatform, text: str, wish: str
):
    assert await answer(slack, text) == {
        "response_type": "ephemeral",
        "text": f"{wish} in slack:{slack.team}:{slack.general}",
    }


async def test_what_the_database_refuses_is_said(slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform):
    inbox.failures = 1
    assert (await answer(slack, "new"))["text"] == "the database is locked"


async def test_where_threads_have_conversations_the_command_says_how_to_reach_them(
    slack: SlackStandIn, connect: Connect
):
    """Slack's slash commands do not tell in which thread they were typed."""
    async with connect(conversation_scope="thread", streaming="edit"):
        assert "`!stop` in the thread" in (await answer(slack, "stop"))["text"]
        room = slack.open_dm(slack.ada)
        assert (await answer(slack, "stop", room=room))["text"] == f"stop in slack:{slack.team}:{room}"


async def test_another_command_of_the_app_is_answered_with_the_right_one(slack: SlackStandIn, platform: SlackPlatform):
    assert "`/rivulet new | stop | retry | help`" in (await answer(slack, "x", command="/other"))["text"]


async def test_the_command_can_have_another_name(slack: SlackStandIn, connect: Connect):
    async with connect(command="/ask"):
        assert (await answer(slack, "new", command="/ask"))["text"].startswith("new in")


async def test_where_direct_messages_are_threads_the_command_says_so_there_too(slack: SlackStandIn, connect: Connect):
    async with connect(conversation_scope="thread"):
        said = (await answer(slack, "stop", room=slack.open_dm(slack.ada)))["text"]
    assert "`!stop` in the thread" in said
