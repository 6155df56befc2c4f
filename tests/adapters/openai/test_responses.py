"""The Responses backend against servers that differ from OpenAI, recorded."""

from __future__ import annotations

import pytest
from openai import AsyncOpenAI

from adapters.openai.responses import ResponsesBackend
from bot.core.model import Began, Delta, End, Ended, Ending, Exchange, Request, Working
from tests.adapters.openai.asking import ask
from tests.adapters.openai.tape import Tape

HISTORY = (Exchange("One?", "1."),)


@pytest.fixture
def backend(client: AsyncOpenAI) -> ResponsesBackend:
    return ResponsesBackend(
        client, model="gpt-6-luna", instructions="Be brief.", reasoning_effort="low", locked_waits=(0.01, 0.01)
    )


async def test_messages_are_set_apart_by_a_blank_line(tape: Tape, backend: ResponsesBackend) -> None:
    tape.plays("POST /conversations", {"id": "conv_1", "object": "conversation"})
    tape.plays("POST /responses", "responses-two-messages.sse")
    outcome = await ask(backend, "Hello")
    assert outcome.events == [
        Began("conv_1"),
        Began("conv_1"),
        Working("Thinking"),
        Delta("Let me "),
        Delta("look."),
        Delta("\n\nHel"),
        Delta("lo "),
        Delta("👋"),
        Ended(Ending(End.COMPLETED)),
    ]


async def test_openai_is_asked_for_all_that_it_offers(tape: Tape, backend: ResponsesBackend) -> None:
    tape.plays("POST /conversations", {"id": "conv_1", "object": "conversation"})
    tape.plays("POST /responses", "responses-two-messages.sse")
    await ask(backend, Request("Hello", person="p-1"))
    (body,) = tape.bodies("POST /responses")
    assert body == {
        "model": "gpt-6-luna",
        "instructions": "Be brief.",
        "reasoning": {"effort": "low"},
        "input": [{"role": "user", "content": "Hello"}],
        "conversation": "conv_1",
        "store": True,
        "stream": True,
        "stream_options": {"include_obfuscation": False},
        "truncation": "auto",
        "safety_identifier": "p-1",
    }


@pytest.mark.parametrize("status", [400, 404, 405, 501])
async def test_a_server_without_conversations_is_told_the_history_and_asked_for_one_only_once(
    tape: Tape, backend: ResponsesBackend, status: int
) -> None:
    tape.plays("POST /conversations", {"error": {"message": "no"}}, status)
    tape.plays("POST /responses", "responses-no-deltas.sse")
    await ask(backend, "One?")
    outcome = await ask(backend, Request("Two?", history=HISTORY))
    assert outcome.began == Began()
    assert len(tape.bodies("POST /conversations")) == 1
    assert tape.bodies("POST /responses")[1] == {
        "model": "gpt-6-luna",
        "instructions": "Be brief.",
        "reasoning": {"effort": "low"},
        "input": [
            {"role": "user", "content": "One?"},
            {"role": "assistant", "content": "1."},
            {"role": "user", "content": "Two?"},
        ],
        "store": False,
        "stream": True,
    }


async def test_a_web_page_in_place_of_conversations_means_that_there_are_none(
    tape: Tape, backend: ResponsesBackend
) -> None:
    tape.plays("POST /conversations", "<html>Welcome</html>", content_type="text/html")
    tape.plays("POST /responses", "responses-no-deltas.sse")
    outcome = await ask(backend, "Hello")
    assert (outcome.began.remote, outcome.text) == ("", "All at once.")


async def test_a_server_that_sends_no_deltas_is_read_from_its_last_event(tape: Tape, backend: ResponsesBackend) -> None:
    tape.plays("POST /responses", "responses-no-deltas.sse")
    assert (await ask(backend, "Hello")).text == "All at once."


async def test_a_server_that_ignores_the_conversation_is_asked_again_with_the_history(
    tape: Tape, backend: ResponsesBackend
) -> None:
    tape.plays("POST /responses", "responses-no-deltas.sse")
    outcome = await ask(backend, Request("Two?", remote="conv_1", history=HISTORY))
    first, second = tape.bodies("POST /responses")
    assert first["conversation"] == "conv_1"
    assert "conversation" not in second
    assert len(second["input"]) == 3
    assert outcome.began.remote == ""
    assert outcome.text == "All at once."


async def test_a_server_that_refuses_the_field_is_asked_again_with_the_history(
    tape: Tape, backend: ResponsesBackend
) -> None:
    tape.plays("POST /responses", {"error": {"message": "unsupported", "param": "conversation"}}, 400)
    tape.plays("POST /responses", "responses-no-deltas.sse")
    outcome = await ask(backend, Request("Two?", remote="conv_1", history=HISTORY))
    assert (outcome.began.remote, outcome.text) == ("", "All at once.")


async def test_a_conversation_deleted_elsewhere_is_replaced_by_one_that_knows_the_history(
    tape: Tape, backend: ResponsesBackend
) -> None:
    tape.plays("POST /responses", {"error": {"message": "Conversation with id 'conv_0' not found."}}, 404)
    tape.plays("POST /responses", "responses-two-messages.sse")
    tape.plays("POST /conversations", {"id": "conv_1", "object": "conversation"})
    tape.plays("POST /conversations/conv_1/items", {"object": "list", "data": []})
    history = tuple(Exchange(f"Question {n}", f"Answer {n}") for n in range(25))
    outcome = await ask(backend, Request("And?", remote="conv_0", history=history))
    assert outcome.began.remote == "conv_1"
    (made,) = tape.bodies("POST /conversations")
    chunks = [made["items"], *(body["items"] for body in tape.bodies("POST /conversations/conv_1/items"))]
    assert [len(chunk) for chunk in chunks] == [20, 20, 10]
    assert chunks[0][0] == {"role": "user", "content": "Question 0"}
    assert chunks[2][-1] == {"role": "assistant", "content": "Answer 24"}


async def test_a_conversation_that_could_not_be_told_the_whole_history_is_deleted(
    tape: Tape, backend: ResponsesBackend
) -> None:
    tape.plays("POST /conversations", {"id": "conv_1", "object": "conversation"})
    tape.plays("POST /conversations/conv_1/items", {"error": {"message": "no", "type": "server_error"}}, 500)
    tape.plays("DELETE /conversations/conv_1", {"id": "conv_1", "object": "conversation.deleted", "deleted": True})
    history = tuple(Exchange(f"Question {n}", f"Answer {n}") for n in range(25))
    outcome = await ask(backend, Request("And?", history=history))
    assert (outcome.events, outcome.end, outcome.again) == ([], End.FAILED, True)
    assert [asked.method for asked in tape.asked] == ["POST", "POST", "DELETE"]


async def test_a_locked_conversation_is_waited_for(tape: Tape, backend: ResponsesBackend) -> None:
    tape.plays("POST /responses", LOCKED, 400)
    tape.plays("POST /responses", LOCKED, 400)
    tape.plays("POST /responses", "responses-two-messages.sse")
    outcome = await ask(backend, Request("Two?", remote="conv_1", history=HISTORY))
    assert outcome.end is End.COMPLETED
    assert len(tape.bodies("POST /responses")) == 3


async def test_a_conversation_that_stays_locked_may_be_asked_again_later(tape: Tape, backend: ResponsesBackend) -> None:
    tape.plays("POST /responses", LOCKED, 400)
    outcome = await ask(backend, Request("Two?", remote="conv_1", history=HISTORY))
    assert (outcome.end, outcome.again) == (End.OVERLOADED, True)
    assert len(tape.bodies("POST /responses")) == 3


@pytest.mark.parametrize(
    ("content_type", "body"), [("application/json", '{"id": "resp_1"}'), ("text/html", "<html>Welcome</html>")]
)
async def test_a_document_in_place_of_a_stream_is_named(
    tape: Tape, backend: ResponsesBackend, content_type: str, body: str
) -> None:
    """The SDK would see a stream that ends at once."""
    tape.plays("POST /responses", body, content_type=content_type)
    outcome = await ask(backend, "Hello")
    assert (outcome.end, outcome.again) == (End.FAILED, False)
    assert content_type in outcome.ending.detail


@pytest.mark.parametrize(
    ("sample", "text", "end"),
    [
        ("responses-refusal.sse", "I can't help with that.", End.REFUSED),
        ("responses-max-tokens.sse", "Half an ", End.LENGTH),
        ("responses-content-filter.sse", "Half an ", End.FILTERED),
        ("responses-failed.sse", "Half an ", End.RATE_LIMITED),
        ("responses-error-flat.sse", "Half an ", End.OVERLOADED),
        ("responses-error-nested.sse", "", End.TOO_LONG),
        ("responses-bad-json.sse", "Half an ", End.FAILED),
        ("responses-unknown-event.sse", "Half an ", End.COMPLETED),
    ],
)
async def test_every_end_is_told_apart(tape: Tape, backend: ResponsesBackend, sample: str, text: str, end: End) -> None:
    tape.plays("POST /responses", sample)
    outcome = await ask(backend, Request("Two?", remote="conv_1", history=HISTORY))
    assert (outcome.text, outcome.end, outcome.again) == (text, end, False)


async def test_the_connection_of_an_answer_that_has_ended_is_used_again(tape: Tape, backend: ResponsesBackend) -> None:
    tape.plays("POST /responses", "responses-two-messages.sse")
    for _ in range(2):
        await ask(backend, Request("Two?", remote="conv_1", history=HISTORY))
    first, second = tape.asked
    assert first.connection is second.connection


LOCKED = {"error": {"message": "Another process is currently operating.", "code": "conversation_locked"}}
