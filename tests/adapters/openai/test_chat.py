"""Recorded Chat Completions streams, over the real client, and what the server is sent."""

from __future__ import annotations

import pytest
from openai import AsyncOpenAI

from adapters.openai.chat import ChatBackend
from bot.core.model import Began, Delta, End, Ended, Ending, Exchange, Request
from tests.adapters.openai.asking import ask
from tests.adapters.openai.tape import Tape


def backend(client: AsyncOpenAI, **more: bool | str | int) -> ChatBackend:
    return ChatBackend(client, model="llama3.3", instructions="Be brief.", **more)  # pyright: ignore[reportArgumentType] -- each test names one


async def test_chunks_become_events_and_empty_ones_nothing(tape: Tape, client: AsyncOpenAI) -> None:
    tape.plays("POST /chat/completions", "chat-text.sse")
    outcome = await ask(backend(client), "Hello")
    assert outcome.events == [
        Began(),
        Delta("Hel"),
        Delta("lo."),
        Ended(Ending(End.COMPLETED)),
    ]


@pytest.mark.parametrize(
    ("sample", "text", "end"),
    [
        ("chat-azure.sse", "Hello.", End.FILTERED),
        ("chat-reasoning.sse", "Hello. Bye.", End.LENGTH),
        ("chat-refusal.sse", "I would rather not.", End.REFUSED),
        ("chat-tool-calls.sse", "", End.EMPTY),
        ("chat-no-finish.sse", "Half an ", End.UNFINISHED),
        ("chat-error.sse", "Half an ", End.FAILED),
        ("chat-error-object.sse", "", End.TOO_LONG),
    ],
)
async def test_every_end_is_told_apart(tape: Tape, client: AsyncOpenAI, sample: str, text: str, end: End) -> None:
    tape.plays("POST /chat/completions", sample)
    outcome = await ask(backend(client), "Hello")
    assert (outcome.text, outcome.end) == (text, end)


async def test_instructions_history_and_question_are_sent_with_alternating_roles(
    tape: Tape, client: AsyncOpenAI
) -> None:
    tape.plays("POST /chat/completions", "chat-text.sse")
    history = (Exchange("One?", "1."), Exchange("Two?", "", settled=False))
    await ask(backend(client), Request("Three?", history=history))
    (body,) = tape.bodies("POST /chat/completions")
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1."},
        {"role": "user", "content": "Two?\n\nThree?"},
    ]


async def test_nothing_is_sent_that_a_plain_server_may_refuse(tape: Tape, client: AsyncOpenAI) -> None:
    tape.plays("POST /chat/completions", "chat-text.sse")
    await ask(backend(client), Request("Hello", person="p-1"))
    (body,) = tape.bodies("POST /chat/completions")
    assert set(body) == {"model", "messages", "stream"}


async def test_what_was_configured_is_sent(tape: Tape, client: AsyncOpenAI) -> None:
    tape.plays("POST /chat/completions", "chat-text.sse")
    chosen = backend(client, max_output_tokens=99, reasoning_effort="low", identify=True)
    await ask(chosen, Request("Hello", person="p-1"))
    (body,) = tape.bodies("POST /chat/completions")
    assert (body["max_completion_tokens"], body["reasoning_effort"], body["safety_identifier"]) == (99, "low", "p-1")


async def test_the_connection_of_an_answer_that_has_ended_is_used_again(tape: Tape, client: AsyncOpenAI) -> None:
    tape.plays("POST /chat/completions", "chat-text.sse")
    await ask(backend(client), "One?")
    await ask(backend(client), "Two?")
    first, second = tape.asked
    assert first.connection is second.connection
