"""Recorded Responses streams, over the real client, told as events."""

from __future__ import annotations

from typing import get_args

import pytest
from openai import AsyncOpenAI
from openai.types.responses import ResponseStreamEvent

from adapters.openai.answer import Piece
from adapters.openai.errors import Server
from adapters.openai.responses_events import IGNORED, Created, Finished, to_event
from adapters.openai.streams import open_stream
from bot.core.model import End, Ending, Working
from bot.errors import BackendError
from tests.adapters.openai.tape import Tape

SERVER = Server("responses", "http://127.0.0.1/v1", "gpt-6-luna")
HANDLED = {
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.output_text.delta",
    "response.refusal.delta",
    "response.output_item.added",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "error",
}


async def read(tape: Tape, client: AsyncOpenAI, sample: str) -> list[Created | Working | Piece | Finished]:
    tape.plays("POST /responses", sample)
    async with await open_stream(client, "/responses", {"model": "gpt-6-luna", "input": "Hello"}) as stream:
        events = [to_event(data, SERVER, kept=True) async for _, data in stream]
    return [event for event in events if event is not None]


def test_every_event_that_the_sdk_knows_is_either_translated_or_ignored_on_purpose() -> None:
    union, *_ = get_args(ResponseStreamEvent)
    known = {name for event in get_args(union) for name in get_args(event.model_fields["type"].annotation)}
    assert known == HANDLED | IGNORED


async def test_the_parts_of_two_messages_are_told_apart_and_reasoning_is_no_text(
    tape: Tape, client: AsyncOpenAI
) -> None:
    assert await read(tape, client, "responses-two-messages.sse") == [
        Created("resp_1", "conv_1", background=False),
        Created("resp_1", "conv_1", background=False),
        Working("Thinking"),
        Piece((1, 0), "Let me "),
        Piece((1, 0), "look."),
        Piece((2, 0), "Hel"),
        Piece((2, 0), ""),
        Piece((2, 0), "lo "),
        Piece((2, 0), "👋"),
        Finished(Ending(End.COMPLETED), (Piece((0, 0), "Let me look."), Piece((1, 0), "Hello 👋")), "conv_1"),
    ]


async def test_a_refusal_is_text_that_is_marked(tape: Tape, client: AsyncOpenAI) -> None:
    events = await read(tape, client, "responses-refusal.sse")
    assert events[2:4] == [Piece((0, 0), "I can't ", refusal=True), Piece((0, 0), "help with that.", refusal=True)]


@pytest.mark.parametrize(
    ("sample", "end"), [("responses-max-tokens.sse", End.LENGTH), ("responses-content-filter.sse", End.FILTERED)]
)
async def test_an_incomplete_answer_says_why(tape: Tape, client: AsyncOpenAI, sample: str, end: End) -> None:
    assert (await read(tape, client, sample))[-1] == Finished(Ending(end), (), "conv_1")


@pytest.mark.parametrize(
    ("sample", "ending"),
    [
        (
            "responses-failed.sse",
            Ending(End.RATE_LIMITED, "Rate limit reached for gpt-6-luna. Please try again in 1.5s.", 1.5),
        ),
        ("responses-error-flat.sse", Ending(End.OVERLOADED, "Our servers are currently overloaded.")),
    ],
)
async def test_a_failure_inside_a_stream_is_raised_and_never_safe_to_repeat_where_answers_are_kept(
    tape: Tape, client: AsyncOpenAI, sample: str, ending: Ending
) -> None:
    with pytest.raises(BackendError) as raised:
        await read(tape, client, sample)
    assert raised.value.ending == ending
    assert not raised.value.again


async def test_an_event_of_a_later_version_is_skipped(tape: Tape, client: AsyncOpenAI) -> None:
    events = await read(tape, client, "responses-unknown-event.sse")
    assert events[2:] == [
        Piece((0, 0), "Half an "),
        Finished(Ending(End.COMPLETED), (Piece((0, 0), "Half an "),), "conv_1"),
    ]
