"""What the SDK makes of each fault, over each API."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from playground.openai import errors
from playground.openai.faults import (
    Cut,
    ErrorEvent,
    Fault,
    JsonInstead,
    NoAnswer,
    NotJson,
    SilentEnd,
    Stall,
    wished,
)
from playground.openai.script import Script
from playground.openai.server import OpenAIStandIn

pytestmark = [
    pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The Assistants API is deprecated:DeprecationWarning"),
]
MODEL = "gpt-6-luna"
APIS = ["responses", "assistants", "chat"]


@dataclass
class Heard:
    """What came out of a stream, and the error that ended it."""

    events: list[Any] = field(default_factory=list[Any])
    text: str = ""
    error: Exception | None = None


Ask = Callable[[str], Awaitable[Heard]]


async def _open(client: AsyncOpenAI, api: str, question: str) -> Any:
    match api:
        case "responses":
            return await client.responses.create(model=MODEL, input=question, stream=True)
        case "chat":
            return await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": question}], stream=True
            )
        case _:
            beta: Any = client.beta  # its methods are marked as deprecated
            assistant = await beta.assistants.create(model=MODEL)
            thread: Any = {"messages": [{"role": "user", "content": question}]}
            return await beta.threads.create_and_run(assistant_id=assistant.id, thread=thread, stream=True)


def _text(api: str, event: Any) -> str:
    match api:
        case "responses":
            return event.delta if event.type == "response.output_text.delta" else ""
        case "chat":
            return event.choices[0].delta.content or "" if getattr(event, "choices", None) else ""
        case _:
            return event.data.delta.content[0].text.value if event.event == "thread.message.delta" else ""


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def ask(client: AsyncOpenAI, api: str) -> Ask:
    async def ask(question: str) -> Heard:
        heard = Heard()
        try:
            async with await _open(client, api, question) as stream:
                async for event in stream:
                    heard.events.append(event)
                    heard.text += _text(api, event)
        except openai.OpenAIError as error:
            heard.error = error
        return heard

    return ask


@pytest.mark.parametrize("after", [0, 2, None])
async def test_a_cut_breaks_the_connection(ask: Ask, stand_in: OpenAIStandIn, after: int | None) -> None:
    stand_in.script(Script("one two three", fault=Cut(after)))
    heard = await ask("Hi")
    assert isinstance(heard.error, openai.APIConnectionError)
    assert heard.text == {0: "", 2: "one two", None: "one two three"}[after]
    assert stand_in.streams[0].finished_at is not None
    assert stand_in.streams[0].closed_by_client_at is None


@pytest.mark.parametrize("after", [0, 2, None])
async def test_a_silent_end_raises_nothing(ask: Ask, stand_in: OpenAIStandIn, api: str, after: int | None) -> None:
    stand_in.script(Script("one two three", fault=SilentEnd(after)))
    heard = await ask("Hi")
    assert heard.error is None
    assert heard.text == {0: "", 2: "one two", None: "one two three"}[after]
    last = heard.events[-1]
    match api:
        case "responses":
            assert not last.type.startswith(("response.completed", "response.failed", "response.incomplete"))
        case "chat":
            assert last.choices[0].finish_reason is None
        case _:
            assert last.event != "thread.run.completed"


async def test_a_request_can_be_lost_on_its_way(ask: Ask, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("never said", fault=NoAnswer()))
    heard = await ask("Hi")
    assert isinstance(heard.error, openai.APIConnectionError)
    assert stand_in.streams == []
    assert (await ask("Hello")).error is None


async def test_a_stream_can_become_unreadable(client: AsyncOpenAI, api: str, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("one two three", fault=NotJson(after=2)))
    async with await _open(client, api, "Hi") as stream:
        text = ""

        async def read() -> None:
            nonlocal text
            async for event in stream:
                text += _text(api, event)

        with pytest.raises(json.JSONDecodeError):
            await read()
    assert text == "one two"


async def test_a_nested_error_event_raises(ask: Ask, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("one two three", fault=ErrorEvent(nested=True, code="server_error", message="Oh.", after=2)))
    heard = await ask("Hi")
    assert type(heard.error) is openai.APIError
    assert (heard.error.code, heard.error.message) == ("server_error", "Oh.")
    assert heard.text == "one two"


async def test_a_flat_error_event_is_only_an_event(ask: Ask, stand_in: OpenAIStandIn, api: str) -> None:
    stand_in.script(Script("one two three", fault=ErrorEvent(code="server_error", message="Oh.", after=2)))
    heard = await ask("Hi")
    assert heard.error is None
    assert heard.text == "one two"
    error: Any = next(
        event
        for event in heard.events
        if "error" in (getattr(event, "type", ""), getattr(event, "event", ""), getattr(event, "object", ""))
    )
    assert (error.data if api == "assistants" else error).message == "Oh."
    assert error is heard.events[-1] or (api == "assistants" and heard.events[-1].event == "done")


async def test_a_stalled_answer_goes_on(ask: Ask, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("one two three", fault=Stall(0.05, after=1)))
    heard = await ask("Hi")
    assert heard.text == "one two three"
    times = [at for at, _ in stand_in.streams[0].deltas]
    assert times[1] - times[0] >= 0.03  # a run's first piece may have been sent a little late


async def test_json_instead_of_a_stream_is_an_empty_stream(ask: Ask, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("one two three", fault=JsonInstead()))
    heard = await ask("Hi")
    assert heard.events == []
    assert heard.error is None


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (errors.RATE_LIMITED, openai.RateLimitError, "rate_limit_exceeded"),
        (errors.NO_CREDIT, openai.RateLimitError, "credit_balance_exhausted"),
        (errors.SLOW_DOWN, openai.RateLimitError, "slow_down"),
        (errors.SERVER_ERROR, openai.InternalServerError, None),
        (errors.OVERLOADED, openai.InternalServerError, "server_is_overloaded"),
        (errors.TOO_LONG, openai.BadRequestError, "context_length_exceeded"),
        (errors.NOT_ALLOWED, openai.PermissionDeniedError, "insufficient_permissions"),
        (errors.unknown_model("gpt-0"), openai.NotFoundError, "model_not_found"),
        (errors.wrong_key("sk-123456789"), openai.AuthenticationError, "invalid_api_key"),
    ],
)
async def test_an_http_error_comes_before_anything_else(
    ask: Ask, stand_in: OpenAIStandIn, fault: Fault, kind: type[openai.APIStatusError], code: str | None
) -> None:
    stand_in.script(Script("never said", fault=fault))
    heard = await ask("Hi")
    assert isinstance(heard.error, openai.APIStatusError)
    assert type(heard.error) is kind
    assert heard.error.code == code
    assert stand_in.requests[-1].status == heard.error.status_code
    assert stand_in.streams == []
    assert (heard.error.response.headers.get("retry-after") == "2") is (fault is errors.RATE_LIMITED)
    assert (await ask("Hello")).error is None


async def test_a_cut_also_meets_those_who_want_no_stream(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("one", fault=Cut()))
    with pytest.raises(openai.APIConnectionError):
        await client.responses.create(model=MODEL, input="Hi")


@pytest.mark.parametrize(
    ("wish", "kind"),
    [
        ("fault: 429", openai.RateLimitError),
        ("Please fail: cut", openai.APIConnectionError),
        ("/fault nested error", openai.APIError),
        ("Ada: fault: 503", openai.InternalServerError),
    ],
)
async def test_a_person_can_ask_for_trouble(ask: Ask, wish: str, kind: type[Exception]) -> None:
    assert isinstance((await ask(wish)).error, kind)


def test_the_words_for_trouble_are_understood() -> None:
    assert wished("fault: silent end") == SilentEnd(after=12)
    assert wished("/fault STALL please") == Stall(15, after=12)
    assert wished("Fault: error") == ErrorEvent(after=12)
    assert wished("fault: nested error") == ErrorEvent(nested=True, after=12)
    assert wished("fault: refusal") == "refusal"
    assert wished("whose fault is that?") is None
    assert wished("by default: cut the rope") is None
