"""What stands under a thread while the bot works, who may put it there, and what takes it away."""

from __future__ import annotations

from typing import Any

import pytest

from playground.slack.server import SlackStandIn
from tests.playground.slack.harness import Client, Clock, error_of


def _statuses(slack: SlackStandIn) -> list[tuple[str, bool]]:
    """What readers saw there, and whether the bot did it."""
    return [(moment.text, moment.bot) for moment in slack.timeline.moments if moment.kind == "status"]


async def test_a_session_is_shown_while_it_is_processing(slack: SlackStandIn, client: Client) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    at = {"channel_id": slack.general, "thread_ts": thread}
    answer = await client.agents_sessions_setStatus(**at, status="processing", title="Rivers")
    assert (answer["status"], answer["title"]) == ("processing", "Rivers")
    assert [(moment.text, moment.reply_to) for moment in slack.timeline.busy(slack.general)] == [("processing", thread)]
    await client.chat_postMessage(channel=slack.general, thread_ts=thread, text="x")
    assert slack.shown_status(slack.general, thread) == "processing", "a message does not end it"
    await client.agents_sessions_setStatus(**at, status="active")
    assert slack.timeline.busy(slack.general) == []
    assert _statuses(slack) == [("processing", True), ("", True)]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"status": "is thinking…"}, "invalid_arguments"),
        ({"status": ""}, "invalid_arguments"),
        ({"thread_ts": ""}, "thread_ts_required"),
        ({"thread_ts": "1.000001"}, "invalid_thread_ts"),
        ({"title": "x" * 201}, "invalid_arguments"),
        ({"channel_id": "C404"}, "channel_not_found"),
        ({"initiator_user_id": "U404"}, "user_not_found"),
        ({"username": "Someone else"}, "missing_scope"),
    ],
)
async def test_a_session_status_that_slack_would_not_take(
    slack: SlackStandIn, client: Client, arguments: dict[str, str], error: str
) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    call = {"channel_id": slack.general, "thread_ts": thread, "status": "processing"} | arguments
    assert await error_of(client.api_call("agents.sessions.setStatus", json=call)) == error
    assert _statuses(slack) == []


async def test_without_the_event_of_the_stop_button_slack_warns(slack: SlackStandIn, client: Client) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    slack.subscriptions.discard("agent_session_stopped")
    answer = await client.agents_sessions_setStatus(channel_id=slack.general, thread_ts=thread, status="processing")
    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"


async def test_only_members_set_a_status(slack: SlackStandIn, client: Client) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    slack.remove_bot(slack.general)
    at = {"channel_id": slack.general, "thread_ts": thread}
    assert await error_of(client.agents_sessions_setStatus(**at, status="processing")) == "not_authorized"
    assert await error_of(client.assistant_threads_setStatus(**at, status="thinks")) == "not_in_channel"


async def test_an_assistant_status_goes_with_the_next_message(slack: SlackStandIn, client: Client) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    await client.assistant_threads_setStatus(channel_id=slack.general, thread_ts=thread, status="is thinking…")
    assert (slack.shown_status(slack.general, thread), slack.status(slack.general, thread)) == (
        "is thinking…",
        "processing",
    )
    await client.chat_postMessage(channel=slack.general, thread_ts=thread, text="x")
    assert _statuses(slack) == [("is thinking…", True), ("", False)]
    assert slack.timeline.busy(slack.general) == []


async def test_an_assistant_status_is_taken_away_by_an_empty_one(slack: SlackStandIn, client: Client) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    for status in ("is thinking…", ""):
        call = {"channel_id": slack.general, "thread_ts": thread, "status": status}
        await client.api_call("assistant.threads.setStatus", json=call)
    assert _statuses(slack) == [("is thinking…", True), ("", True)]
    assert slack.status(slack.general, thread) == "active"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"thread_ts": "1.000001"}, "invalid_thread_ts"),
        ({"thread_ts": ""}, "invalid_arguments"),
        ({"loading_messages": ["x"] * 11}, "invalid_arguments"),
        ({"loading_messages": ["x" * 51]}, "invalid_arguments"),
        ({"loading_messages": "soon"}, "invalid_arguments"),
    ],
)
async def test_an_assistant_status_that_slack_would_not_take(
    slack: SlackStandIn, client: Client, arguments: dict[str, Any], error: str
) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    call = {"channel_id": slack.general, "thread_ts": thread, "status": "thinks"} | arguments
    assert await error_of(client.api_call("assistant.threads.setStatus", json=call)) == error


async def test_the_last_writer_has_the_one_place_under_the_thread(slack: SlackStandIn, client: Client) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    at = {"channel_id": slack.general, "thread_ts": thread}
    await client.agents_sessions_setStatus(**at, status="processing")
    await client.assistant_threads_setStatus(**at, status="reads")
    assert slack.shown_status(slack.general, thread) == "reads"
    await client.agents_sessions_setStatus(**at, status="suspended")
    assert slack.shown_status(slack.general, thread) == "suspended"


async def test_slack_takes_statuses_away_after_a_time(
    frozen: SlackStandIn, frozen_client: Client, clock: Clock
) -> None:
    one, two = frozen.say(frozen.general, frozen.ada, "go"), frozen.say(frozen.general, frozen.ada, "go")
    await frozen_client.assistant_threads_setStatus(channel_id=frozen.general, thread_ts=one, status="reads")
    await frozen_client.agents_sessions_setStatus(channel_id=frozen.general, thread_ts=two, status="processing")
    clock.at += 120.0
    assert [moment.reply_to for moment in frozen.timeline.busy(frozen.general)] == [two]
    assert (frozen.shown_status(frozen.general, one), frozen.status(frozen.general, two)) == ("", "processing")
    clock.at += 3480.0
    assert frozen.timeline.busy(frozen.general) == []
    assert frozen.status(frozen.general, two) == "active"


async def test_a_stream_is_a_session_of_its_own(slack: SlackStandIn, client: Client) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    whom = {"recipient_user_id": slack.ada, "recipient_team_id": slack.team}
    stream = await client.chat_startStream(channel=slack.general, thread_ts=thread, **whom)
    assert slack.status(slack.general, thread) == "processing"
    stop = {"channel": slack.general, "ts": str(stream["ts"])}
    assert await error_of(client.chat_stopStream(**stop, session_status="done")) == "invalid_arguments"
    await client.chat_stopStream(**stop, session_status="suspended")
    assert slack.status(slack.general, thread) == "suspended"
    assert _statuses(slack) == [("processing", False), ("suspended", False)], "neither was a call of its own"


@pytest.mark.parametrize(
    ("feature", "method", "error"),
    [
        ("sessions", "agents.sessions.setStatus", "feature_disabled"),
        ("sessions", "agents.sessions.setStatus", "unknown_method"),
        ("assistant", "assistant.threads.setStatus", "not_agent_app"),
    ],
)
async def test_a_workspace_may_have_no_agents(
    slack: SlackStandIn, client: Client, feature: str, method: str, error: str
) -> None:
    thread = slack.say(slack.general, slack.ada, "go")
    setattr(slack.features, feature, error)
    call = {"channel_id": slack.general, "thread_ts": thread, "status": "processing"}
    assert await error_of(client.api_call(method, json=call)) == error
    assert _statuses(slack) == []


async def test_session_statuses_are_tier_3_and_the_older_ones_like_posts(
    frozen: SlackStandIn, frozen_client: Client
) -> None:
    frozen.limits.tier_3 = 1
    thread = frozen.say(frozen.general, frozen.ada, "go")
    at = {"channel_id": frozen.general, "thread_ts": thread}
    await frozen_client.agents_sessions_setStatus(**at, status="processing")
    assert await error_of(frozen_client.agents_sessions_setStatus(**at, status="active")) == "ratelimited"
    for _ in range(frozen.limits.post_burst):
        await frozen_client.assistant_threads_setStatus(**at, status="thinks")
    assert await error_of(frozen_client.assistant_threads_setStatus(**at, status="thinks")) == "ratelimited"
    assert [refusal.method for refusal in frozen.refusals] == [
        "agents.sessions.setStatus",
        "assistant.threads.setStatus",
    ]
