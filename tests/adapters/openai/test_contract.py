"""What every backend promises, against servers that speak the wire: three APIs, and Responses without a memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace

import openai
import pytest

from bot.core.model import Began, Delta, End, Ended, Exchange, Working
from bot.errors import BackendError
from playground.openai import errors
from playground.openai.errors import HttpError
from playground.openai.faults import Cut, ErrorEvent, Failed, Incomplete, JsonInstead, SilentEnd, Stall
from playground.openai.script import Script
from tests.adapters.openai.asking import ask
from tests.adapters.openai.talk import SERVERS, Talk, talking, until

TEXT = "# Rivers\n\nA *river* flows:\n\n```python\nflow()\n```\n\n- Łódź\n- 東京 👋🏽\n\nThat is all."
WORDS = "one two three four five six seven eight nine ten"


@pytest.fixture(params=SERVERS)
async def talk(request: pytest.FixtureRequest) -> AsyncGenerator[Talk]:
    async with talking(request.param) as talk:
        yield talk


async def test_the_text_arrives_whole_and_in_order_between_one_beginning_and_one_end(talk: Talk) -> None:
    talk.server.script(TEXT)
    outcome = await talk.ask("Tell me about rivers")
    kinds = [type(event) for event in outcome.events]
    began, deltas = kinds.count(Began), kinds.count(Delta)
    assert kinds == [*[Began] * began, *[Delta] * deltas, Ended]
    assert began
    assert outcome.text == TEXT
    assert outcome.end is End.COMPLETED
    assert bool(outcome.began.response) == talk.goes_on
    assert bool(outcome.began.remote) == talk.remembers
    assert all(event.text for event in outcome.events if isinstance(event, Delta))


async def test_a_question_builds_no_classes_of_the_sdk(talk: Talk) -> None:
    """Those for the events of a stream take up to 0.7 s, in which the program would do nothing else."""
    before = classes_built()
    await talk.ask("Hello")
    await talk.ask_and_leave("Hello again")
    await talk.ask("Hello for the last time")
    assert classes_built() == before


def classes_built() -> set[type]:
    """The SDK leaves each class unfinished until the first object of it is made."""
    found, more = set[type](), [openai.BaseModel]
    while more:
        found.update(more)
        more = [sub for cls in more for sub in cls.__subclasses__() if sub not in found]
    return {cls for cls in found if getattr(cls, "__pydantic_complete__", False)}


async def test_the_model_is_given_the_instructions_and_the_question(talk: Talk) -> None:
    await talk.ask("Tell me about rivers")
    assert talk.heard == "system: Be brief.\nuser: Tell me about rivers"


async def test_a_second_question_remembers_the_first(talk: Talk) -> None:
    talk.server.script("Nice to meet you, Ada.")
    await talk.ask("My name is Ada")
    await talk.ask("What is my name?")
    assert talk.heard == (
        "system: Be brief.\nuser: My name is Ada\nassistant: Nice to meet you, Ada.\nuser: What is my name?"
    )


async def test_a_restart_remembers(talk: Talk) -> None:
    await talk.ask("My name is Ada")
    talk.backend = talk.open()
    assert "Ada" in (await talk.ask("What is my name?")).text


async def test_a_history_from_elsewhere_is_told_to_a_new_conversation(talk: Talk) -> None:
    talk.history = [Exchange(f"Question {n}", f"Answer {n}") for n in range(15)]
    await talk.ask("And now?")
    asked = "".join(f"user: Question {n}\nassistant: Answer {n}\n" for n in range(15))
    assert talk.heard == f"system: Be brief.\n{asked}user: And now?"


async def test_leaving_closes_the_connection_at_once(talk: Talk) -> None:
    talk.server.script(Script(WORDS, tokens_per_second=20))
    await talk.ask_and_leave("Count")
    await until(lambda: talk.stream.closed_by_client_at)
    assert len(talk.stream.deltas) < 5


async def test_a_cancel_in_the_middle_closes_the_connection_at_once(talk: Talk) -> None:
    talk.server.script(Script(WORDS, fault=Stall(30, after=2)))
    asking = asyncio.create_task(talk.ask("Count"))
    await until(lambda: talk.server.streams and len(talk.stream.deltas) == 2, 3)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: talk.stream.closed_by_client_at)


async def test_a_cancel_before_the_first_word_closes_the_connection_at_once(talk: Talk) -> None:
    talk.server.script(Script(WORDS, first_token=30))
    asking = asyncio.create_task(talk.ask("Count"))
    await until(lambda: talk.server.streams, 3)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: talk.stream.closed_by_client_at)


async def test_what_was_left_in_the_middle_is_remembered_once(talk: Talk) -> None:
    await talk.ask("My name is Ada")
    talk.server.script(Script(WORDS, tokens_per_second=20))
    await talk.ask_and_leave("Count to ten")
    outcome = await talk.ask("Go on")
    assert outcome.end is End.COMPLETED
    assert talk.heard.count("user: Count to ten") == 1
    assert talk.heard.count("assistant: one") == 1
    assert talk.heard.endswith("user: Go on")
    await talk.ask("And again")
    assert talk.heard.count("user: Count to ten") == 1
    assert talk.heard.count("assistant: one") == 1


async def test_a_settled_conversation_is_not_looked_up(talk: Talk) -> None:
    await talk.ask("One?")
    talk.server.requests.clear()
    await talk.ask("Two?")
    assert [request.method for request in talk.server.requests if request.method == "GET"] == []


@pytest.mark.parametrize(
    ("error", "end", "again", "wait"),
    [
        (errors.RATE_LIMITED, End.RATE_LIMITED, True, 2.0),
        (errors.NO_CREDIT, End.NO_CREDIT, False, None),
        (errors.SLOW_DOWN, End.OVERLOADED, True, 5.0),
        (errors.SERVER_ERROR, End.FAILED, True, None),
        (errors.OVERLOADED, End.OVERLOADED, True, None),
        (errors.NOT_ALLOWED, End.NOT_ALLOWED, False, None),
        (errors.wrong_key("sk-wrong"), End.WRONG_KEY, False, None),
        (errors.unknown_model("gpt-6-luna"), End.UNKNOWN_MODEL, False, None),
        (errors.TOO_LONG, End.TOO_LONG, False, None),
    ],
    ids=lambda value: value.code or value.type if isinstance(value, HttpError) else "",
)
async def test_a_refusal_is_told_apart(talk: Talk, error: HttpError, end: End, again: bool, wait: float | None) -> None:
    talk.server.script(Script(fault=error))
    outcome = await talk.ask("Hello?")
    assert not any(event.response for event in outcome.events if isinstance(event, Began))
    assert not any(isinstance(event, Delta | Ended) for event in outcome.events)
    assert (outcome.end, outcome.again, outcome.ending.retry_after) == (end, again, wait)


async def test_asking_again_after_a_refusal_puts_the_question_only_once(talk: Talk) -> None:
    talk.server.script(Script(fault=errors.RATE_LIMITED))
    assert (await ask(talk.backend, talk.request("Hello?"))).again
    assert (await talk.ask("Hello?")).end is End.COMPLETED
    assert talk.heard == "system: Be brief.\nuser: Hello?"


async def test_a_conversation_made_for_a_question_that_was_refused_holds_the_next_one(talk: Talk) -> None:
    """Else it would stay on the server for ever, where nobody knows of it."""
    talk.history = [Exchange(f"Question {n}", f"Answer {n}") for n in range(15)]
    for error in (errors.unknown_model("gpt-6-luna"), errors.RATE_LIMITED):
        talk.server.script(Script(fault=error))
        assert (await talk.ask("Hello?")).error
    made = talk.remote
    assert (await talk.ask("Hello?")).end is End.COMPLETED
    if talk.remembers:
        assert made
        assert (talk.remote, talk.made) == (made, 1)
    asked = "".join(f"user: Question {n}\nassistant: Answer {n}\n" for n in range(15))
    assert talk.heard == f"system: Be brief.\n{asked}user: Hello?"


@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize(
    ("fault", "end"),
    [
        (Cut(), End.CONNECTION_LOST),
        (SilentEnd(), End.UNFINISHED),
        (Failed(), End.FAILED),
        (ErrorEvent(), End.FAILED),
        (ErrorEvent(nested=True), End.FAILED),
        (ErrorEvent(code="rate_limit_exceeded"), End.RATE_LIMITED),
        (Incomplete("max_output_tokens"), End.LENGTH),
        (Incomplete("content_filter"), End.FILTERED),
    ],
    ids=str,
)
async def test_a_stream_that_ends_badly_keeps_what_was_said_and_says_how_it_ended(
    talk: Talk, fault: Cut | SilentEnd | Failed | ErrorEvent | Incomplete, end: End, after: int
) -> None:
    talk.server.script(Script(WORDS, fault=replace(fault, after=after)))
    outcome = await talk.ask("Count")
    assert outcome.text == "".join(text for _, text in talk.stream.deltas)
    assert len(talk.stream.deltas) == after
    assert outcome.end is end
    assert isinstance(outcome.events[-1], Ended) == outcome.ending.settled
    if talk.remembers:
        assert not outcome.again


async def test_the_next_question_is_answered_after_a_stream_that_ended_badly(talk: Talk) -> None:
    for fault in (Cut(3), SilentEnd(3), Failed(after=3), ErrorEvent(after=3)):
        talk.server.script(Script(WORDS, fault=fault))
        await talk.ask(f"Count with {fault}")
        outcome = await talk.ask("Go on")
        assert outcome.end is End.COMPLETED
        assert talk.heard.count(f"user: Count with {fault}") == 1
        assert talk.heard.endswith("user: Go on")


async def test_a_silence_is_waited_through(talk: Talk) -> None:
    talk.server.script(Script(WORDS, fault=Stall(0.05, after=3)))
    outcome = await talk.ask("Count")
    assert (outcome.text, outcome.end) == (WORDS, End.COMPLETED)


async def test_a_document_in_place_of_a_stream_is_an_error(talk: Talk) -> None:
    talk.server.script(Script(WORDS, fault=JsonInstead()))
    outcome = await talk.ask("Count")
    if talk.goes_on and talk.backend.name == "responses":  # then it is looked up
        assert (outcome.text, outcome.end) == (WORDS, End.COMPLETED)
        return
    assert (outcome.text, outcome.end, outcome.again) == ("", End.FAILED, False)
    assert "application/json" in outcome.ending.detail


async def test_a_refusal_of_the_model_is_its_text(talk: Talk) -> None:
    talk.server.script(Script(refusal="I would rather not."))
    outcome = await talk.ask("Do it")
    assert (outcome.text, outcome.end) == ("I would rather not.", End.REFUSED)


async def test_an_answer_without_a_word_is_empty(talk: Talk) -> None:
    talk.server.script(Script(""))
    outcome = await talk.ask("Hello?")
    assert (outcome.text, outcome.end) == ("", End.EMPTY)


async def test_that_the_model_thinks_is_told_and_what_it_thinks_is_not(talk: Talk) -> None:
    talk.server.script(Script("Hello.", reasoning="They greet me."))
    outcome = await talk.ask("Hello")
    assert outcome.text == "Hello."
    if talk.backend.name != "assistants":  # whose stream has nothing of it
        kinds = [type(event) for event in outcome.events]
        assert Working("Thinking") in outcome.events
        assert kinds.index(Working) < kinds.index(Delta)


async def test_two_answers_at_once_do_not_mix(talk: Talk) -> None:
    other = replace(talk, history=[])
    talk.server.answer = lambda seen: Script(seen[-1].text * 5)
    first, second = await asyncio.gather(talk.ask("tick "), other.ask("tock "))
    assert (first.text, second.text) == ("tick " * 5, "tock " * 5)
    if talk.remembers:
        assert talk.remote != other.remote


async def test_a_forgotten_conversation_may_be_forgotten_again_and_asked_again(talk: Talk) -> None:
    await talk.ask("My name is Ada")
    await talk.backend.forget(talk.remote)
    await talk.backend.forget(talk.remote)
    await talk.backend.forget("")
    talk.history.clear()
    assert "Ada" not in (await talk.ask("What is my name?")).text


async def test_a_conversation_deleted_elsewhere_is_replaced_by_one_that_knows_the_history(talk: Talk) -> None:
    await talk.ask("My name is Ada")
    before = talk.remote
    await talk.open().forget(before)
    assert "Ada" in (await talk.ask("What is my name?")).text
    assert (talk.remote != before) == talk.remembers


async def test_a_deleted_conversation_with_an_unsettled_end_is_replaced_too(talk: Talk) -> None:
    await talk.ask("My name is Ada")
    talk.history.append(Exchange("Count", "one two", settled=False))
    await talk.open().forget(talk.remote)
    await talk.ask("Go on")
    assert talk.heard.endswith("user: Count\nassistant: one two\nuser: Go on")


async def test_of_the_person_at_most_the_opaque_id_is_told(talk: Talk) -> None:
    await talk.ask("Hello")
    for request in talk.server.requests:
        assert request.body.pop("safety_identifier", "a1b2c3") == "a1b2c3"
        assert "a1b2c3" not in json.dumps(request.body)


async def test_a_probe_finds_all_well(talk: Talk) -> None:
    await talk.backend.probe()
    assert talk.server.streams == []


async def test_a_probe_finds_a_wrong_key_and_an_unknown_model(talk: Talk) -> None:
    talk.server.models = ("another",)
    with pytest.raises(BackendError) as unknown:
        await talk.backend.probe()
    assert unknown.value.ending.end is End.UNKNOWN_MODEL
    talk.server.api_key = "another"
    with pytest.raises(BackendError) as wrong:
        await talk.backend.probe()
    assert wrong.value.ending.end is End.WRONG_KEY


async def test_an_api_that_the_server_does_not_speak_is_named(talk: Talk) -> None:
    talk.server.responses = talk.server.assistants = talk.server.chat = "off"
    outcome = await talk.ask("Hello")
    assert (outcome.end, outcome.again) == (End.API_GONE, False)
    assert "127.0.0.1" in outcome.ending.detail


async def test_leaving_nothing_twice_is_no_error_and_the_next_question_is_answered(talk: Talk) -> None:
    await talk.ask("Hello")
    await talk.backend.leave_nothing()
    await talk.backend.leave_nothing()
    assert (await talk.ask("Hello again")).end is End.COMPLETED


async def test_closing_breaks_an_open_stream_and_nothing_else_escapes(talk: Talk) -> None:
    talk.server.script(Script(WORDS, fault=Stall(30, after=2)))
    asking = asyncio.create_task(talk.ask("Count"))
    await until(lambda: talk.server.streams and len(talk.stream.deltas) == 2, 3)
    await talk.backend.close()
    await until(lambda: talk.stream.closed_by_client_at)
    asking.cancel()
    await asyncio.wait({asking})
