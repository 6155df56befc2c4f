"""Streamed messages, with the limits that were measured at Slack."""

from __future__ import annotations

from typing import Any

import pytest

from playground.slack.server import SlackStandIn
from tests.playground.slack.harness import Bot, Client, Clock, error_of, until


async def _start(slack: SlackStandIn, client: Client, **content: Any) -> str:
    question = slack.say(slack.general, slack.ada, "go")
    answer = await client.chat_startStream(
        channel=slack.general,
        thread_ts=question,
        recipient_user_id=slack.ada,
        recipient_team_id=slack.team,
        **content,
    )
    return str(answer["ts"])


async def test_a_stream_grows_and_ends(slack: SlackStandIn, client: Client) -> None:
    ts = await _start(slack, client, markdown_text="One")
    await client.chat_appendStream(channel=slack.general, ts=ts, markdown_text=" two")
    blocks = [{"type": "context", "elements": [{"type": "mrkdwn", "text": "fin"}]}]
    stopped = await client.chat_stopStream(channel=slack.general, ts=ts, markdown_text=" three", blocks=blocks)
    assert stopped["message"]["text"] == "One two three"
    assert [moment.text for moment in slack.timeline.states(ts)] == ["One", "One two", "One two three\n\nfin"]
    append = client.chat_appendStream(channel=slack.general, ts=ts, markdown_text="!")
    assert await error_of(append) == "message_not_in_streaming_state"


async def test_the_sdks_own_helper_streams(slack: SlackStandIn, client: Client) -> None:
    question = slack.say(slack.general, slack.ada, "go")
    stream = await client.chat_stream(
        channel=slack.general,
        thread_ts=question,
        recipient_user_id=slack.ada,
        recipient_team_id=slack.team,
        buffer_size=4,
    )
    for word in ("once ", "upon ", "a time"):
        await stream.append(markdown_text=word)
    await stream.stop()
    [streamed] = [ts for ts in slack.timeline.shown(slack.general) if ts != question]
    assert slack.timeline.shown(slack.general)[streamed] == "once upon a time"


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        ("thread_ts", "invalid_arguments"),
        ("recipient_user_id", "missing_recipient_user_id"),
        ("recipient_team_id", "missing_recipient_team_id"),
    ],
)
async def test_a_stream_in_a_channel_needs_a_thread_and_a_recipient(
    slack: SlackStandIn, client: Client, missing: str, error: str
) -> None:
    ts = slack.say(slack.general, slack.ada, "go")
    arguments = {"thread_ts": ts, "recipient_user_id": slack.ada, "recipient_team_id": slack.team}
    del arguments[missing]
    assert await error_of(client.api_call("chat.startStream", json={"channel": slack.general, **arguments})) == error


async def test_a_stream_in_a_direct_message_needs_no_recipient(slack: SlackStandIn, client: Client) -> None:
    dm = slack.open_dm(slack.ada)
    ts = slack.say(dm, slack.ada, "go")
    assert (await client.chat_startStream(channel=dm, thread_ts=ts))["ok"]


async def test_a_stream_has_one_kind_of_content(slack: SlackStandIn, client: Client) -> None:
    chunks = [{"type": "markdown_text", "text": "x"}]
    ts = await _start(slack, client, markdown_text="x")
    append = client.chat_appendStream
    assert await error_of(append(channel=slack.general, ts=ts, markdown_text="", chunks=chunks)) == (
        "streaming_mode_mismatch"
    )
    both = append(channel=slack.general, ts=ts, markdown_text="x", chunks=chunks)
    assert await error_of(both) == "cannot_provide_both_markdown_text_and_chunks"
    invalid = append(channel=slack.general, ts=ts, markdown_text="", chunks=[{"type": "song"}])
    assert await error_of(invalid) == "invalid_chunks"
    assert slack.timeline.shown(slack.general)[ts] == "x"


async def test_a_stream_takes_12000_characters_in_all(slack: SlackStandIn, client: Client) -> None:
    ts = await _start(slack, client, markdown_text="x" * 8_000)
    append = client.chat_appendStream
    assert await error_of(append(channel=slack.general, ts=ts, markdown_text="y" * 4_001)) == "msg_too_long"
    await append(channel=slack.general, ts=ts, markdown_text="y" * 4_000)
    assert len(slack.timeline.shown(slack.general)[ts]) == 12_000


async def test_a_stream_expires_whatever_is_appended(frozen: SlackStandIn, frozen_client: Client, clock: Clock) -> None:
    ts = await _start(frozen, frozen_client, markdown_text="x")
    for _ in range(3):
        clock.at += 100.0
        await frozen_client.chat_appendStream(channel=frozen.general, ts=ts, markdown_text="x")
    clock.at += 1.0
    stop = frozen_client.chat_stopStream(channel=frozen.general, ts=ts)
    assert await error_of(stop) == "message_not_in_streaming_state"
    await frozen_client.chat_update(channel=frozen.general, ts=ts, markdown_text="mended")
    assert frozen.timeline.shown(frozen.general)[ts] == "mended"


async def test_a_streaming_message_cannot_be_edited_and_later_only_richly(slack: SlackStandIn, client: Client) -> None:
    ts = await _start(slack, client, markdown_text="x")
    update = client.chat_update
    assert await error_of(update(channel=slack.general, ts=ts, markdown_text="y")) == "streaming_state_conflict"
    await client.chat_stopStream(channel=slack.general, ts=ts)
    assert await error_of(update(channel=slack.general, ts=ts, text="y")) == "block_mismatch"
    assert (await update(channel=slack.general, ts=ts, markdown_text="y"))["ok"]


async def test_starts_are_tier_2_and_appends_tier_4(frozen: SlackStandIn, frozen_client: Client) -> None:
    frozen.limits.tier_2, frozen.limits.tier_4 = 1, 2
    ts = await _start(frozen, frozen_client)
    for _ in range(2):
        await frozen_client.chat_appendStream(channel=frozen.general, ts=ts, markdown_text="x")
    append = frozen_client.chat_appendStream(channel=frozen.general, ts=ts, markdown_text="x")
    assert await error_of(append) == "ratelimited"
    assert await error_of(_start(frozen, frozen_client)) == "ratelimited"


async def test_a_mention_that_is_cut_between_two_appends_still_acts(slack: SlackStandIn, client: Client) -> None:
    ts = await _start(slack, client, markdown_text="hey <!chan")
    await client.chat_appendStream(channel=slack.general, ts=ts, markdown_text="nel>")
    await client.chat_stopStream(channel=slack.general, ts=ts)
    assert [(ping.ts, ping.sequence) for ping in slack.pings] == [(ts, "<!channel>")]


async def test_a_person_stops_a_stream(slack: SlackStandIn, client: Client, bot: Bot) -> None:
    async def keep(body: dict[str, Any]) -> None:
        bot.bodies.append(body)

    bot.app.event("agent_session_stopped")(keep)
    ts = await _start(slack, client, markdown_text="x")
    thread = slack.timeline.states(ts)[0].reply_to
    slack.stop_session(slack.general, slack.ada, thread)
    await until(lambda: bot.events("agent_session_stopped"))
    [event] = bot.events("agent_session_stopped")
    assert (event["thread_ts"], event["streaming_message_ts"], event["user"]) == (thread, [ts], slack.ada)
    append = client.chat_appendStream(channel=slack.general, ts=ts, markdown_text="x")
    assert await error_of(append) == "stopped_by_user"


async def test_a_session_status_is_shown_in_the_thread(slack: SlackStandIn, client: Client) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    status = client.agents_sessions_setStatus
    assert (await status(channel_id=slack.general, status="processing", thread_ts=thread))["status"] == "processing"
    assert await error_of(status(channel_id=slack.general, status="busy", thread_ts=thread)) == "invalid_status"
    assert await error_of(status(channel_id=slack.general, status="active")) == "thread_ts_required"
    slack.subscriptions.discard("agent_session_stopped")
    warned = await status(channel_id=slack.general, status="active", thread_ts=thread)
    assert warned["warning"] == "missing_agent_session_stopped_event_subscription"
    shown = [(moment.text, moment.reply_to) for moment in slack.timeline.moments if moment.kind == "status"]
    assert shown == [("processing", thread), ("active", thread)]


async def test_an_assistant_status_goes_with_the_next_message(slack: SlackStandIn, client: Client) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    await client.assistant_threads_setStatus(channel_id=slack.general, thread_ts=thread, status="is thinking…")
    await client.chat_postMessage(channel=slack.general, thread_ts=thread, text="x")
    assert [moment.text for moment in slack.timeline.moments if moment.kind == "status"] == ["is thinking…", ""]
