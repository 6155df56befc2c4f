"""A question whose first attempt was cut short before anybody knew what became of it: it is asked once all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from openai import AsyncOpenAI

from adapters.openai.memory import Message, answered
from adapters.openai.responses import ResponsesBackend
from bot.core.model import Began, End, Exchange, Request
from playground.openai import errors
from playground.openai.faults import Cut, Failed, Stall
from playground.openai.script import FunctionCall, Script
from tests.adapters.openai.asking import Outcome, ask
from tests.adapters.openai.talk import GO_ON, SERVERS, Talk, talking, until
from tests.adapters.openai.tape import Tape

WORDS = "one two three four five six seven eight nine ten"


@pytest.fixture(params=GO_ON)
async def talk(request: pytest.FixtureRequest) -> AsyncGenerator[Talk]:
    async with talking(request.param) as talk:
        await talk.ask("My name is Ada")
        yield talk


async def cut_short(talk: Talk, script: Script, text: str = "Count") -> None:
    """The process ends after the question was sent, and before anything was stored."""
    asked = len(talk.server.streams)
    talk.server.script(script)
    asking = asyncio.create_task(ask(talk.open(), talk.request(text)))
    await until(lambda: len(talk.server.streams) > asked and talk.stream.deltas, 3)
    asking.cancel()
    await asyncio.wait({asking})


async def ask_again(talk: Talk, text: str = "Count") -> Outcome:
    """By another process."""
    return await ask(talk.open(), replace(talk.request(text), asked_before=True))


async def times_asked(talk: Talk, text: str = "Count") -> int:
    await ask(talk.backend, talk.request("And now?"))
    return talk.heard.count(f"user: {text}\n")


@pytest.mark.parametrize("speed", [0, 100])
async def test_an_answer_that_goes_on_or_is_there_is_not_asked_for_again(talk: Talk, speed: int) -> None:
    await cut_short(talk, Script(WORDS, commentary="Well.", tokens_per_second=speed))
    outcome = await ask_again(talk)
    assert (outcome.text, outcome.end) == (f"Well.\n\n{WORDS}", End.COMPLETED)
    assert [event.remote for event in outcome.events if isinstance(event, Began)] == [talk.remote]
    talk.history.append(Exchange("Count", outcome.text))
    assert await times_asked(talk) == 1


async def test_a_question_that_never_arrived_is_asked(talk: Talk) -> None:
    talk.server.script(WORDS)
    outcome = await ask_again(talk)
    assert (outcome.text, outcome.end) == (WORDS, End.COMPLETED)
    assert await times_asked(talk) == 1


async def test_an_answer_that_failed_is_asked_for_again(talk: Talk) -> None:
    await cut_short(talk, Script(WORDS, fault=Failed(after=4)))
    await until(lambda: talk.stream.finished_at or talk.stream.closed_by_client_at)
    talk.server.script("Now it works.")
    outcome = await ask_again(talk)
    assert (outcome.text, outcome.end) == ("Now it works.", End.COMPLETED)


async def test_the_same_question_asked_earlier_is_not_taken_for_this_one(talk: Talk) -> None:
    talk.server.script("Yes.")
    await talk.ask("Again?")
    talk.server.script("Yes, again.")
    assert (await ask_again(talk, "Again?")).text == "Yes, again."


@pytest.mark.parametrize("kind", SERVERS)
async def test_where_nothing_is_known_it_is_asked_as_ever(kind: str) -> None:
    async with talking(kind) as talk:
        talk.server.script(WORDS)
        assert (await ask_again(talk)).text == WORDS


async def test_a_conversation_that_is_gone_is_replaced(talk: Talk) -> None:
    await talk.backend.forget(talk.remote)
    talk.server.script(WORDS)
    outcome = await ask_again(talk)
    assert (outcome.text, outcome.end) == (WORDS, End.COMPLETED)
    assert "Ada" in talk.heard


async def test_a_question_that_stands_in_the_thread_without_a_run_is_not_put_there_again() -> None:
    async with talking("assistants") as talk:
        await talk.ask("My name is Ada")
        path = f"/threads/{talk.remote}"
        talk.server.refuse_next(f"{path}/runs", errors.SERVER_ERROR)
        talk.server.refuse_next(f"{path}/messages/", errors.SERVER_ERROR)
        assert (await ask(talk.backend, talk.request("Count"))).error
        talk.server.script(WORDS)
        outcome = await ask_again(talk)
        assert (outcome.text, outcome.end) == (WORDS, End.COMPLETED)
        assert await times_asked(talk) == 1


async def test_a_run_that_waits_for_functions_is_taken_up_with_their_outputs() -> None:
    async with talking("assistants") as talk:
        await talk.ask("My name is Ada")
        await cut_short(talk, Script("Let me see.", calls=[FunctionCall("teleport")], fault=Cut(2)))
        talk.server.script("I cannot.")
        assert (await ask_again(talk)).text == "Let me see.\n\nI cannot."


async def test_a_run_that_is_taken_up_is_named_so_that_it_can_be_taken_up_once_more() -> None:
    async with talking("assistants") as talk:
        await talk.ask("My name is Ada")
        await cut_short(talk, Script(WORDS, fault=Stall(30, after=4)))
        async with talk.open().stream(replace(talk.request("Count"), asked_before=True)) as events:
            assert await anext(aiter(events)) == Began(talk.remote, talk.stream.id)


LOCKED = {"error": {"message": "Another process is currently operating.", "code": "conversation_locked"}}


def message(role: str, text: str) -> dict[str, object]:
    return {"type": "message", "role": role, "content": [{"type": "output_text", "text": text}]}


async def test_a_conversation_that_is_locked_by_the_first_attempt_is_waited_for(
    tape: Tape, client: AsyncOpenAI
) -> None:
    """Longer than one that is locked by anything else."""
    items = "GET /conversations/conv_1/items"
    for _ in range(5):
        tape.plays("POST /responses", LOCKED, 400)
        tape.plays(items, {"data": [message("assistant", "1."), message("user", "One?")]})
    both = [message("assistant", "2."), message("user", "Two?"), message("assistant", "1."), message("user", "One?")]
    tape.plays(items, {"data": both})
    backend = ResponsesBackend(client, model="m", instructions="", locked_waits=(), patient_waits=[0.01] * 5)
    request = Request("Two?", "conv_1", (Exchange("One?", "1."),), asked_before=True)
    outcome = await ask(backend, request)
    assert (outcome.text, outcome.end) == ("2.", End.COMPLETED)
    assert len(tape.bodies("POST /responses")) == 5


def user(text: str) -> Message:
    return Message("user", text)


def model(text: str) -> Message:
    return Message("assistant", text)


ONE = Exchange("One?", "1.")
HALF = Exchange("Half?", "0.", settled=False)


@pytest.mark.parametrize(
    ("history", "held", "answer"),
    [
        ([], [user("Two?"), model("2.")], "2."),
        ([ONE], [user("One?"), model("1."), user("Two?"), model("2."), model("And more.")], "2.\n\nAnd more."),
        ([ONE], [user("One?"), model("1."), user("Two?")], ""),
        ([ONE], [user("One?"), model("1.")], None),
        ([ONE], [user("One?"), model("1."), user("Three?"), model("3.")], None),
        ([ONE], [user("Two?"), model("2.")], None),
        ([ONE, HALF], [user("One?"), model("1."), user("Half?"), model("0.5"), user("Two?"), model("2.")], "2."),
        ([ONE, HALF], [user("One?"), model("1."), user("Two?"), model("2.")], "2."),
        ([Exchange("Two?", "2.")], [user("Two?"), model("2.")], None),
    ],
    ids=[
        "the first",
        "in two parts",
        "alone",
        "not asked",
        "another",
        "not certain",
        "after a half",
        "lacking",
        "same",
    ],
)
def test_an_answer_is_found_after_the_history_alone(
    history: list[Exchange], held: list[Message], answer: str | None
) -> None:
    assert answered(history, "Two?", held) == answer
