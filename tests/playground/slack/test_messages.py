"""What may be posted, changed and deleted, and what of it acts."""

from __future__ import annotations

from typing import Any

import pytest

from playground.slack.server import SlackStandIn
from tests.playground.slack.harness import Client, error_of


async def test_what_a_post_answers_is_the_message(slack: SlackStandIn, client: Client) -> None:
    posted = await client.chat_postMessage(channel=slack.general, markdown_text="**hi**")
    message: dict[str, Any] = posted["message"]
    assert (posted["channel"], posted["ts"]) == (slack.general, message["ts"])
    assert (message["user"], message["bot_profile"]["app_id"]) == (slack.bot_user, slack.app_id)
    assert message["bot_id"] == (await client.auth_test())["bot_id"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": "  "}, "no_text"),
        ({"text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ({"markdown_text": "b", "blocks": [{"type": "divider"}]}, "markdown_text_conflict"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"text": "a", "blocks": "{"}, "invalid_blocks_format"),
        ({"text": "a", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        (
            {"text": "a", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]},
            "invalid_blocks",
        ),
        ({"text": "a", "blocks": [{"type": "markdown", "text": "x" * 6001}] * 2}, "msg_blocks_too_long"),
        ({"text": "a", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"text": "a", "thread_ts": "soon"}, "invalid_thread_ts"),
        ({"text": "a", "channel": "C404"}, "channel_not_found"),
        ({"text": "a", "username": "Someone else"}, "missing_scope"),
    ],
)
async def test_a_post_that_slack_would_not_take(
    slack: SlackStandIn, client: Client, arguments: dict[str, Any], error: str
) -> None:
    call = client.api_call("chat.postMessage", json={"channel": slack.general, **arguments})
    assert await error_of(call) == error
    assert slack.timeline.moments == []


async def test_markdown_of_exactly_the_limit_is_taken(slack: SlackStandIn, client: Client) -> None:
    posted = await client.chat_postMessage(channel=slack.general, markdown_text="x" * 12_000)
    await client.chat_update(channel=slack.general, ts=str(posted["ts"]), markdown_text="y" * 12_000)
    assert slack.timeline.shown(slack.general) == {posted["ts"]: "y" * 12_000}


async def test_a_very_long_text_is_cut_with_a_warning(slack: SlackStandIn, client: Client) -> None:
    posted = await client.chat_postMessage(channel=slack.general, text="x" * 40_001)
    assert posted["warning"] == "message_truncated"
    assert len(slack.timeline.shown(slack.general)[str(posted["ts"])]) == 40_000


async def test_a_channel_that_cannot_be_written_in(slack: SlackStandIn, client: Client) -> None:
    posted = await client.chat_postMessage(channel=slack.general, text="x")
    secret = slack.add_channel("secret", private=True, bot=False)
    public = slack.add_channel("public", bot=False)
    assert await error_of(client.chat_postMessage(channel=secret, text="x")) == "channel_not_found"
    assert await error_of(client.chat_postMessage(channel=public, text="x")) == "not_in_channel"
    slack.archive(slack.general)
    assert await error_of(client.chat_postMessage(channel=slack.general, text="x")) == "is_archived"
    update = client.chat_update(channel=slack.general, ts=str(posted["ts"]), text="y")
    assert await error_of(update) == "is_inactive"


async def test_a_post_goes_to_a_name_or_a_person_but_an_update_does_not(slack: SlackStandIn, client: Client) -> None:
    assert (await client.chat_postMessage(channel="#general", text="x"))["channel"] == slack.general
    posted = await client.chat_postMessage(channel=slack.ada, text="x")
    assert posted["channel"] == slack.open_dm(slack.ada)
    update = client.chat_update(channel=slack.ada, ts=str(posted["ts"]), text="y")
    assert await error_of(update) == "channel_not_found"


async def test_an_update_that_slack_would_not_take(slack: SlackStandIn, client: Client) -> None:
    said = slack.say(slack.general, slack.ada, "mine")
    ts = str((await client.chat_postMessage(channel=slack.general, text="x"))["ts"])
    update = client.chat_update
    assert await error_of(update(channel=slack.general, ts=said, text="y")) == "cant_update_message"
    assert await error_of(update(channel=slack.general, ts="1.000001", text="y")) == "message_not_found"
    assert await error_of(update(channel=slack.general, ts=ts, text="y" * 4_001)) == "msg_too_long"
    assert await error_of(update(channel=slack.general, ts=ts, markdown_text="y" * 12_001)) == "msg_too_long"
    blank = client.api_call("chat.update", json={"channel": slack.general, "ts": ts, "text": " "})
    assert await error_of(blank) == "no_text"
    assert slack.timeline.shown(slack.general) == {said: "mine", ts: "x"}


async def test_an_update_keeps_metadata_and_marks_as_edited(slack: SlackStandIn, client: Client) -> None:
    metadata = {"event_type": "answer", "event_payload": {"nonce": "1"}}
    posted = await client.chat_postMessage(channel=slack.general, text="x", metadata=metadata)
    updated = await client.chat_update(channel=slack.general, ts=str(posted["ts"]), text="y")
    assert (updated["text"], updated["message"]["metadata"]) == ("y", metadata)
    assert updated["message"]["edited"]["user"] == slack.bot_user


async def test_only_own_messages_can_be_deleted_and_only_once(slack: SlackStandIn, client: Client) -> None:
    said = slack.say(slack.general, slack.ada, "mine")
    ts = str((await client.chat_postMessage(channel=slack.general, text="x"))["ts"])
    assert await error_of(client.chat_delete(channel=slack.general, ts=said)) == "cant_delete_message"
    await client.chat_delete(channel=slack.general, ts=ts)
    assert await error_of(client.chat_delete(channel=slack.general, ts=ts)) == "message_not_found"
    assert slack.timeline.shown(slack.general) == {said: "mine"}
    assert slack.timeline.states(ts)[-1].kind == "deleted"


async def test_a_reply_to_a_message_that_is_gone_lands_outside_of_the_thread(
    slack: SlackStandIn, client: Client
) -> None:
    said = slack.say(slack.general, slack.ada, "gone soon")
    slack.delete(slack.general, said)
    posted = await client.chat_postMessage(channel=slack.general, text="x", thread_ts=said)
    assert "thread_ts" not in posted["message"]


async def test_a_reply_to_a_reply_joins_its_thread(slack: SlackStandIn, client: Client) -> None:
    root = slack.say(slack.general, slack.ada, "root")
    reply = slack.say(slack.general, slack.linus, "reply", thread_ts=root)
    posted = await client.chat_postMessage(channel=slack.general, text="x", thread_ts=reply)
    assert (posted["message"]["thread_ts"], posted["message"]["parent_user_id"]) == (root, slack.ada)


async def test_a_deleted_root_with_replies_leaves_a_tombstone(slack: SlackStandIn, client: Client) -> None:
    root = slack.say(slack.general, slack.ada, "root")
    await client.chat_postMessage(channel=slack.general, text="x", thread_ts=root)
    slack.delete(slack.general, root)
    messages: list[dict[str, Any]] = (await client.conversations_replies(channel=slack.general, ts=root))["messages"]
    assert [message.get("subtype") for message in messages] == ["tombstone", None]
    posted = await client.chat_postMessage(channel=slack.general, text="y", thread_ts=root)
    assert posted["message"]["thread_ts"] == root


async def test_an_ephemeral_message_is_seen_by_one_member_only(slack: SlackStandIn, client: Client) -> None:
    await client.chat_postEphemeral(channel=slack.general, user=slack.ada, text="psst")
    assert [(moment.text, moment.private_to) for moment in slack.timeline.moments] == [("psst", slack.ada)]
    dm = slack.open_dm(slack.ada)
    call = client.chat_postEphemeral(channel=dm, user=slack.linus, text="psst")
    assert await error_of(call) == "user_not_in_channel"
    assert (await client.conversations_history(channel=slack.general))["messages"] == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("all: <!channel>", "everyone"),
        ("<!here|here>", "everyone"),
        ("<!subteam^S123>", "group"),
        ("<@U1000000002> look", "person"),
        ("<https://evil.example|your bank>", "link"),
    ],
)
@pytest.mark.parametrize("argument", ["text", "markdown_text"])
async def test_control_sequences_of_the_bot_act(
    slack: SlackStandIn, client: Client, text: str, kind: str, argument: str
) -> None:
    posted = await client.api_call("chat.postMessage", json={"channel": slack.general, argument: "harmless"})
    await client.api_call("chat.update", json={"channel": slack.general, "ts": posted["ts"], argument: text})
    assert [(ping.ts, ping.kind) for ping in slack.pings] == [(posted["ts"], kind)]


async def test_escaped_sequences_and_plain_links_do_not_act(slack: SlackStandIn, client: Client) -> None:
    harmless = "&lt;!channel> &lt;@U1000000002> a < b <div> <https://example.com> [x](https://example.com) @channel"
    await client.chat_postMessage(channel=slack.general, markdown_text=harmless)
    section = {"type": "section", "text": {"type": "mrkdwn", "text": harmless}}
    await client.chat_postMessage(channel=slack.general, text="x", blocks=[section])
    assert slack.pings == []


async def test_what_a_person_types_is_escaped_except_what_they_picked(slack: SlackStandIn, client: Client) -> None:
    ts = slack.say(slack.general, slack.ada, "<@BOT> if a < b && c > d <https://example.com>")
    [message] = (await client.conversations_history(channel=slack.general))["messages"]
    bot = slack.bot_user
    assert message["text"] == f"<@{bot}> if a &lt; b &amp;&amp; c &gt; d <https://example.com>"
    assert [element["type"] for element in message["blocks"][0]["elements"][0]["elements"]] == ["user", "text", "link"]
    assert slack.timeline.shown(slack.general)[ts] == f"<@{bot}> if a < b && c > d <https://example.com>"
    assert slack.pings == []


async def test_reactions_are_counted_once(slack: SlackStandIn, client: Client) -> None:
    ts = slack.say(slack.general, slack.ada, "x")
    await client.reactions_add(channel=slack.general, timestamp=ts, name="eyes")
    add = client.reactions_add(channel=slack.general, timestamp=ts, name="eyes")
    assert await error_of(add) == "already_reacted"
    [message] = (await client.conversations_history(channel=slack.general))["messages"]
    assert message["reactions"] == [{"name": "eyes", "users": [slack.bot_user], "count": 1}]
    await client.reactions_remove(channel=slack.general, timestamp=ts, name="eyes")
    remove = client.reactions_remove(channel=slack.general, timestamp=ts, name="eyes")
    assert await error_of(remove) == "no_reaction"


async def test_what_a_person_cannot_do_is_said(slack: SlackStandIn, client: Client) -> None:
    ts = str((await client.chat_postMessage(channel=slack.general, text="x"))["ts"])
    dm = slack.open_dm(slack.ada)
    for impossible in (
        lambda: slack.say("C404", slack.ada, "x"),
        lambda: slack.say(dm, slack.linus, "x"),
        lambda: slack.say(slack.general, slack.ada, "x", thread_ts="1.000001"),
        lambda: slack.edit(slack.general, ts, "not mine"),
        lambda: slack.redeliver("1.000001"),
        lambda: slack.stop_session(slack.general, slack.ada, ts),
        lambda: slack.click(slack.general, slack.ada, ts, "nothing"),
    ):
        with pytest.raises(ValueError):
            impossible()


@pytest.mark.parametrize(
    ("unfurling", "shown"),
    [
        ({}, True),
        ({"unfurl_links": False}, True),
        ({"unfurl_media": False}, True),
        ({"unfurl_links": False, "unfurl_media": False}, False),
    ],
)
async def test_links_get_a_preview_unless_the_post_forbids_both_kinds(
    slack: SlackStandIn, client: Client, unfurling: dict[str, bool], shown: bool
) -> None:
    """chat.update has no say in it."""
    text = "see https://example.org/a."
    posted = await client.chat_postMessage(channel=slack.general, markdown_text=text, **unfurling)
    await client.chat_update(channel=slack.general, ts=str(posted["ts"]), markdown_text=f"{text}.")
    previews = ("https://example.org/a",) if shown else ()
    assert [moment.previews for moment in slack.timeline.moments] == [previews] * 2


async def test_the_text_beside_blocks_is_what_a_notification_says(slack: SlackStandIn, client: Client) -> None:
    blocks = [{"type": "markdown", "text": "# Rivers\n\n- Loire"}]
    posted = await client.chat_postMessage(channel=slack.general, text="Rivers: Loire", blocks=blocks)
    await client.chat_update(channel=slack.general, ts=str(posted["ts"]), text="Loire", blocks=blocks)
    await client.chat_update(channel=slack.general, ts=str(posted["ts"]), markdown_text="**Loire**")
    said = [(moment.text, moment.fallback) for moment in slack.timeline.moments]
    assert said == [(blocks[0]["text"], "Rivers: Loire"), (blocks[0]["text"], "Loire"), ("**Loire**", "")]


@pytest.mark.parametrize(
    ("content", "mrkdwn"),
    [
        ({"text": "*x*"}, True),
        ({"markdown_text": "**x**"}, False),
        ({"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*x*"}}]}, True),
        ({"text": "x", "blocks": [{"type": "markdown", "text": "**x**"}]}, False),
    ],
)
async def test_a_text_is_in_the_older_markup(
    slack: SlackStandIn, client: Client, content: dict[str, Any], mrkdwn: bool
) -> None:
    posted = await client.api_call("chat.postMessage", json={"channel": slack.general, **content})
    await client.api_call("chat.update", json={"channel": slack.general, "ts": posted["ts"], **content})
    await client.api_call("chat.postEphemeral", json={"channel": slack.general, "user": slack.ada, **content})
    assert [moment.mrkdwn for moment in slack.timeline.moments] == [mrkdwn] * 3
