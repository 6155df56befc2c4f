"""Recorded streams of runs, over the real client, told as events."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from openai import AsyncOpenAI
from openai.types.beta import AssistantStreamEvent

from adapters.openai.answer import Piece
from adapters.openai.assistant_events import (
    IGNORED,
    Calls,
    Filtered,
    FunctionCall,
    Said,
    Started,
    to_event,
)
from adapters.openai.errors import Server
from adapters.openai.threads import Threads
from bot.core.model import End, Ending
from bot.errors import BackendError
from tests.adapters.openai.tape import Tape

SERVER = Server("assistants", "http://127.0.0.1/v1", "gpt-6-luna")
HANDLED = {
    "thread.run.created",
    "thread.run.queued",
    "thread.run.in_progress",
    "thread.run.requires_action",
    "thread.message.delta",
    "thread.run.completed",
    "thread.run.incomplete",
    "thread.run.failed",
    "thread.run.cancelled",
    "thread.run.expired",
    "thread.message.incomplete",
    "thread.run.step.created",
    "error",
}


async def read(tape: Tape, client: AsyncOpenAI, sample: str) -> list[Any]:
    tape.plays("POST /threads/thread_1/runs", sample)
    async with await Threads(client, SERVER).run("thread_1", "asst_1", {}) as stream:
        events = [to_event(name, data, SERVER) async for name, data in stream]
    return [event for event in events if event is not None]


def test_each_of_the_24_events_is_either_translated_or_ignored_on_purpose() -> None:
    union, *_ = get_args(AssistantStreamEvent)
    known = {name for event in get_args(union) for name in get_args(event.model_fields["event"].annotation)}
    assert len(known) == 24
    assert known == HANDLED | IGNORED


async def test_a_message_may_come_in_several_parts_at_once_and_images_are_no_text(
    tape: Tape, client: AsyncOpenAI
) -> None:
    assert await read(tape, client, "assistants-text.sse") == [
        *[Started("run_1")] * 3,
        Said((Piece(("msg_1", 0), "Hel"),)),
        Said((Piece(("msg_1", 0), "lo."),)),
        Said((Piece(("msg_1", 1), ""), Piece(("msg_1", 2), "A drawing 【4:0†plan.pdf】."))),
        Ending(End.COMPLETED),
    ]


async def test_a_run_that_waits_for_functions_says_for_which(tape: Tape, client: AsyncOpenAI) -> None:
    events = await read(tape, client, "assistants-requires-action.sse")
    assert events[-1] == Calls((FunctionCall("call_1", "weather", '{"city":"Oslo"}'),))


async def test_a_content_filter_is_told_by_the_message_and_not_by_the_run(tape: Tape, client: AsyncOpenAI) -> None:
    events = await read(tape, client, "assistants-content-filter.sse")
    assert events[-2:] == [Filtered(), Ending(End.LENGTH)]


async def test_a_refusal_is_text_that_is_marked(tape: Tape, client: AsyncOpenAI) -> None:
    events = await read(tape, client, "assistants-refusal.sse")
    assert Said((Piece(("msg_1", 0), "I would rather not.", refusal=True),)) in events


@pytest.mark.parametrize(
    ("sample", "ending"),
    [
        ("assistants-failed.sse", Ending(End.RATE_LIMITED, "You reached your limit. Please try again in 20s.", 20.0)),
        ("assistants-error.sse", Ending(End.FAILED, "The server had an error.")),
        ("assistants-expired.sse", Ending(End.TIMED_OUT, "The answer took longer than the server allows.")),
        ("assistants-cancelled.sse", Ending(End.FAILED, "The answer was cancelled on the server.")),
    ],
)
async def test_a_run_that_does_not_complete_is_raised_and_not_safe_to_repeat(
    tape: Tape, client: AsyncOpenAI, sample: str, ending: Ending
) -> None:
    """The question is in the thread, and perhaps a part of the answer."""
    with pytest.raises(BackendError) as raised:
        await read(tape, client, sample)
    assert raised.value.ending == ending
    assert not raised.value.again


async def test_an_event_of_a_later_version_is_skipped(tape: Tape, client: AsyncOpenAI) -> None:
    events = await read(tape, client, "assistants-unknown-event.sse")
    assert events == [*[Started("run_1")] * 3, Said((Piece(("msg_1", 0), "Hello."),)), Ending(End.COMPLETED)]
