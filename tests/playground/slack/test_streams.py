"""Streamed messages, with the limits that were measured at Slack."""

from __future__ import annotations

from typing import Any

import pytest

from playground.slack.server import SlackStandIn
from tests.playground.slack.harness import Bot, Client, Clock, error_of, until


async def _start(slack: SlackStandIn, client: Client, *, channel: str = "", **content: Any) -> str:
    question = slack.say(channel or slack.general, slack.ada, "go")
    answer = await client.chat_startStream(
        channel=channel or slack.general,
        thread_ts=question,
        recipient_user_id=slack.ada,
        recipient_team_id=slack.team,
        **content,
    )
    return str(answer["ts"])


async def test_a_stream_grows_and_ends(slack: SlackStandIn, client: Client) -> None:
    ts = await _start(slack, client, markdown_text="One ")
    await client.chat_appendStream(channel=slack.general, ts=ts, markdown_text="two ")
    blocks = [{"type": "context", "elements": [{"type": "mrkdwn", "text": "fin"}]}]
    stopped = await client.chat_stopStream(channel=slack.general, ts=ts, markdown_text="three", blocks=blocks)
    assert stopped["message"]["text"] == "One two three"
    assert [moment.text for moment in slack.timeline.states(ts)] == ["One ", "One two ", "One two three\n\nfin"]
    assert [moment.live for moment in slack.timeline.states(ts)] == [True, True, False]
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


async def test_a_stream_in_a_direct_message_names_its_recipient_too(slack: SlackStandIn, client: Client) -> None:
    """Reports differ on whether Slack insists; who always names one is right in any case."""
    dm = slack.open_dm(slack.ada)
    ts = slack.say(dm, slack.ada, "go")
    assert await error_of(client.chat_startStream(channel=dm, thread_ts=ts)) == "missing_recipient_user_id"
    whom = {"recipient_user_id": slack.ada, "recipient_team_id": slack.team}
    assert (await client.chat_startStream(channel=dm, thread_ts=ts, **whom))["ok"]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"thread_ts": "1.000001"}, "invalid_thread_ts"),
        ({"recipient_user_id": "U404"}, "user_not_found"),
        ({"recipient_team_id": "T404"}, "invalid_arguments"),
        ({"icon_emoji": ":robot_face:"}, "missing_scope"),
        ({"channel": "C404"}, "channel_not_found"),
    ],
)
async def test_a_stream_that_slack_would_not_start(
    slack: SlackStandIn, client: Client, wrong: dict[str, str], error: str
) -> None:
    ts = slack.say(slack.general, slack.ada, "go")
    whom = {"recipient_user_id": slack.ada, "recipient_team_id": slack.team}
    arguments = {"channel": slack.general, "thread_ts": ts, **whom, **wrong}
    assert await error_of(client.api_call("chat.startStream", json=arguments)) == error


async def test_in_a_channel_the_recipient_alone_sees_a_stream_grow(slack: SlackStandIn, client: Client) -> None:
    """The others see the first piece, and then the finished message."""
    ts = await _start(slack, client, markdown_text="One ")
    await client.chat_appendStream(channel=slack.general, ts=ts, markdown_text="two ")
    assert slack.timeline.shown(slack.general, slack.ada)[ts] == "One two "
    assert slack.timeline.shown(slack.general, slack.linus)[ts] == "One "
    await client.chat_stopStream(channel=slack.general, ts=ts, markdown_text="three")
    assert slack.timeline.shown(slack.general, slack.linus)[ts] == "One two three"
    assert [moment.private_to for moment in slack.timeline.states(ts)] == ["", slack.ada, ""]


async def test_a_stream_in_a_direct_message_is_seen_by_all_there(slack: SlackStandIn, client: Client) -> None:
    dm = slack.open_dm(slack.ada)
    ts = await _start(slack, client, channel=dm, markdown_text="One ")
    await client.chat_appendStream(channel=dm, ts=ts, markdown_text="two")
    assert [moment.private_to for moment in slack.timeline.states(ts)] == ["", ""]


async def test_what_is_appended_loses_the_whitespace_that_it_begins_with(slack: SlackStandIn, client: Client) -> None:
    ts = await _start(slack, client, markdown_text="  One\n")
    for piece in ("\n two", " three ", "four"):
        await client.chat_appendStream(channel=slack.general, ts=ts, markdown_text=piece)
    assert slack.timeline.shown(slack.general)[ts] == "  One\ntwothree four"
    slack.limits.joins_lose_whitespace = False
    await client.chat_appendStream(channel=slack.general, ts=ts, markdown_text=" five")
    assert slack.timeline.shown(slack.general)[ts].endswith("four five")


@pytest.mark.parametrize("error", ["unknown_method", "feature_not_enabled", "method_deprecated"])
async def test_a_workspace_may_refuse_streams(slack: SlackStandIn, client: Client, error: str) -> None:
    ts = await _start(slack, client, markdown_text="x")
    slack.features.streams = error
    assert await error_of(_start(slack, client)) == error
    assert await error_of(client.chat_appendStream(channel=slack.general, ts=ts, markdown_text="x")) == error
    assert await error_of(client.chat_stopStream(channel=slack.general, ts=ts)) == error
    assert (await client.chat_postMessage(channel=slack.general, text="x"))["ok"]


async def test_a_workspace_may_refuse_streams_outside_of_direct_messages(slack: SlackStandIn, client: Client) -> None:
    slack.features.streams = "channel_type_not_supported"
    assert await error_of(_start(slack, client)) == "channel_type_not_supported"
    assert await _start(slack, client, channel=slack.open_dm(slack.ada))


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


@pytest.mark.parametrize(
    "chunk",
    [
        "text",
        {"type": "markdown_text"},
        {"type": "markdown_text", "text": 1},
        {"type": "task_update", "id": "1", "title": "Look"},
        {"type": "task_update", "id": "1", "title": "Look", "status": "done"},
        {"type": "task_update", "id": "1", "title": "x" * 257, "status": "pending"},
        {"type": "plan_update"},
    ],
)
async def test_a_chunk_must_be_complete(slack: SlackStandIn, client: Client, chunk: Any) -> None:
    assert await error_of(_start(slack, client, chunks=[chunk])) == "invalid_chunks"


async def test_chunks_bring_text_tasks_and_no_more_than_50_blocks(slack: SlackStandIn, client: Client) -> None:
    task = {"type": "task_update", "id": "1", "title": "Look", "status": "in_progress"}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "below"}}
    blocks = {"type": "blocks", "blocks": [section] * 50}
    ts = await _start(slack, client, chunks=[task, {"type": "markdown_text", "text": "x"}, blocks])
    assert slack.timeline.shown(slack.general)[ts].startswith("x\n\nbelow")
    append = client.chat_appendStream(channel=slack.general, ts=ts, chunks=[{"type": "blocks", "blocks": [section]}])
    assert await error_of(append) == "msg_blocks_too_many"


async def test_a_call_takes_12000_characters(slack: SlackStandIn, client: Client) -> None:
    slack.limits.stream_bytes = 100_000
    assert await error_of(_start(slack, client, markdown_text="x" * 12_001)) == "msg_too_long"
    assert await _start(slack, client, markdown_text="x" * 12_000)


async def test_a_stream_is_measured_in_bytes(slack: SlackStandIn, client: Client) -> None:
    """Whether Slack counts characters or bytes is not known; bytes are the smaller measure."""
    ts = await _start(slack, client, markdown_text="川" * 4_000)
    append = client.chat_appendStream(channel=slack.general, ts=ts, markdown_text="x")
    assert await error_of(append) == "msg_too_long"


async def test_tasks_take_room_from_the_text(slack: SlackStandIn, client: Client) -> None:
    task = {"type": "task_update", "id": "1", "title": "Look", "status": "complete"}
    ts = await _start(slack, client, chunks=[task, {"type": "markdown_text", "text": "x" * 11_900}])
    append = client.chat_appendStream(
        channel=slack.general, ts=ts, chunks=[{"type": "markdown_text", "text": "y" * 99}]
    )
    assert await error_of(append) == "msg_too_long"


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
    append = frozen_client.chat_appendStream(channel=frozen.general, ts=ts, markdown_text="x")
    assert await error_of(append) == "message_not_in_streaming_state"
    assert frozen.status(frozen.general, frozen.timeline.states(ts)[0].reply_to) == "active"
    assert frozen.timeline.states(ts)[-1].live, "it was never finished, and looks so"
    stop = frozen_client.chat_stopStream(channel=frozen.general, ts=ts)
    assert await error_of(stop) == "message_not_in_streaming_state"
    await frozen_client.chat_update(channel=frozen.general, ts=ts, markdown_text="mended")
    assert frozen.timeline.shown(frozen.general)[ts] == "mended"
    assert not frozen.timeline.states(ts)[-1].live


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
    assert [(refusal.method, refusal.retry_after) for refusal in frozen.refusals] == [
        ("chat.appendStream", 60),
        ("chat.startStream", 60),
    ]


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
    assert await error_of(client.chat_stopStream(channel=slack.general, ts=ts)) == "stopped_by_user"
    assert not slack.timeline.states(ts)[-1].live
    assert slack.timeline.states(ts)[-1].private_to == "", "now everybody sees what there is"
    await client.chat_update(channel=slack.general, ts=ts, markdown_text="x, stopped")
    assert slack.timeline.shown(slack.general)[ts] == "x, stopped"


async def test_a_stop_is_told_to_those_who_subscribed(slack: SlackStandIn, client: Client, bot: Bot) -> None:
    slack.subscriptions.discard("agent_session_stopped")
    ts = await _start(slack, client, markdown_text="x")
    slack.stop_session(slack.general, slack.ada, slack.timeline.states(ts)[0].reply_to)
    said = slack.say(slack.general, slack.ada, "afterwards")
    await until(lambda: [event for event in bot.events("message") if event["ts"] == said])
    assert bot.events("agent_session_stopped") == []
    append = client.chat_appendStream(channel=slack.general, ts=ts, markdown_text="x")
    assert await error_of(append) == "stopped_by_user"


async def test_a_stream_belongs_to_who_began_it_and_stays_in_its_channel(slack: SlackStandIn, client: Client) -> None:
    ts = await _start(slack, client, markdown_text="x")
    said = slack.say(slack.general, slack.ada, "mine")
    append = client.chat_appendStream
    assert await error_of(append(channel=slack.general, ts=said, markdown_text="x")) == "message_not_owned_by_app"
    posted = str((await client.chat_postMessage(channel=slack.general, text="plain"))["ts"])
    plain = append(channel=slack.general, ts=posted, markdown_text="x")
    assert await error_of(plain) == "message_not_in_streaming_state"
    slack.remove_bot(slack.general)
    assert await error_of(append(channel=slack.general, ts=ts, markdown_text="x")) == "not_in_channel"
