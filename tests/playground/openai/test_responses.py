from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from playground.openai.faults import Failed, Incomplete
from playground.openai.record import Said
from playground.openai.script import FunctionCall, Script
from playground.openai.server import OpenAIStandIn

MODEL = "gpt-6-luna"
EVENT: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)


async def events(client: AsyncOpenAI, **fields: Any) -> AsyncIterator[Any]:
    given: Any = {"model": MODEL, "input": "Hi", "stream": True, **fields}
    create: Any = client.responses.create
    stream: Any = await create(**given)
    async with stream:
        async for event in stream:
            yield event


async def names(client: AsyncOpenAI, **fields: Any) -> list[str]:
    return [event.type async for event in events(client, **fields)]


async def test_a_text_goes_through_the_whole_lifecycle_in_order(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script("Hello, world!")
    assert await names(client) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * 4,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


async def test_every_event_is_valid_for_the_sdk_and_numbered(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("It is 4.", reasoning="Two and two.", commentary="One moment.", calls=[FunctionCall("add")]))
    stand_in.script(Script(refusal="No."))
    stand_in.script(Script("Half of", fault=Incomplete()))
    stand_in.script(Script("Half of", fault=Failed("rate_limit_exceeded")))
    for _ in range(4):
        seen = [event async for event in events(client)]
        for event in seen:
            EVENT.validate_python(event.to_dict())
        assert [event.sequence_number for event in seen] == list(range(len(seen)))


async def test_the_text_comes_in_small_pieces_that_rejoin_exactly(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    text = "# Über *Flüsse*\n\n- eins 🌊\n\n```py\n  x = 'ä'\n```\n"
    stand_in.script(text)
    deltas = [event.delta async for event in events(client) if event.type == "response.output_text.delta"]
    assert "".join(deltas) == text
    assert max(map(len, deltas)) < 15
    assert stand_in.streams[0].text == text
    assert [delta for _, delta in stand_in.streams[0].deltas] == deltas


async def test_reasoning_commentary_and_calls_are_items_of_their_own(
    client: AsyncOpenAI, stand_in: OpenAIStandIn
) -> None:
    stand_in.script(
        Script("It is 4.", reasoning="Two and two.", commentary="One moment.", calls=[FunctionCall("add", '{"a":2}')])
    )
    seen = [event async for event in events(client)]
    output = seen[-1].response.output
    assert [item.type for item in output] == ["reasoning", "message", "message", "function_call"]
    assert [item.phase for item in output[1:3]] == ["commentary", "final_answer"]
    assert output[0].summary[0].text == "Two and two."
    assert (output[3].name, output[3].arguments) == ("add", '{"a":2}')
    assert "response.reasoning_summary_text.delta" in {event.type for event in seen}
    by_item = {event.output_index for event in seen if event.type == "response.output_text.delta"}
    assert by_item == {1, 2}


async def test_a_search_is_an_item_between_commentary_and_text(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("It is open.", commentary="I look.", search="lock 7"))
    seen = [event async for event in events(client)]
    output = seen[-1].response.output
    assert [item.type for item in output] == ["message", "web_search_call", "message"]
    assert output[1].action.query == "lock 7"
    searching = [event.type.rpartition(".")[2] for event in seen if "web_search_call" in event.type]
    assert searching == ["in_progress", "searching", "completed"]


async def test_a_refusal_is_a_part_of_another_kind(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script(refusal="I can't help with that."))
    seen = [event async for event in events(client)]
    assert "".join(e.delta for e in seen if e.type == "response.refusal.delta") == "I can't help with that."
    assert seen[-1].response.output[0].content[0].type == "refusal"
    assert seen[-1].type == "response.completed"


@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter"])
async def test_incomplete_closes_its_items_and_says_why(
    client: AsyncOpenAI, stand_in: OpenAIStandIn, reason: Any
) -> None:
    stand_in.script(Script("one two three four", fault=Incomplete(reason, after=2)))
    seen = [event async for event in events(client)]
    assert seen[-1].type == "response.incomplete"
    assert seen[-1].response.status == "incomplete"
    assert seen[-1].response.incomplete_details.reason == reason
    assert seen[-1].response.output_text == "one two"
    assert seen[-1].response.output[0].status == "incomplete"


async def test_the_limit_of_output_tokens_is_kept(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script("one two three four")
    response = await client.responses.create(model=MODEL, input="Hi", max_output_tokens=3)
    assert response.output_text == "one two three"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


async def test_failed_carries_its_code_and_nothing_is_closed_before(
    client: AsyncOpenAI, stand_in: OpenAIStandIn
) -> None:
    stand_in.script(Script("one two three", fault=Failed("rate_limit_exceeded", "Too many.", after=1)))
    seen = [event async for event in events(client)]
    assert [event.type for event in seen[-2:]] == ["response.output_text.delta", "response.failed"]
    assert seen[-1].response.error.code == "rate_limit_exceeded"
    assert seen[-1].response.error.message == "Too many."


async def test_without_a_stream_the_whole_response_comes(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script("Hello, world!")
    response = await client.responses.create(model=MODEL, input="Hi there", instructions="Be brief.")
    Response.model_validate(response.to_dict())
    assert response.output_text == "Hello, world!"
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (5, 4, 9)
    assert stand_in.streams == []


async def test_padding_can_be_turned_off(client: AsyncOpenAI) -> None:
    padded = [event async for event in events(client) if event.type == "response.output_text.delta"]
    assert {len(event.obfuscation + event.delta) % 16 for event in padded} == {0}
    plain = [event async for event in events(client, stream_options={"include_obfuscation": False})]
    assert not any("obfuscation" in event.to_dict() for event in plain)


async def test_a_chain_remembers_what_was_said_but_not_the_instructions(
    client: AsyncOpenAI, stand_in: OpenAIStandIn
) -> None:
    first = await client.responses.create(model=MODEL, input="My name is Ada", instructions="Be kind.")
    second = await client.responses.create(model=MODEL, input="Hm.", previous_response_id=first.id)
    third = await client.responses.create(model=MODEL, input="What is my name?", previous_response_id=second.id)
    assert "Ada" in third.output_text
    assert "Be kind." not in stand_in.requests[-1].whole
    assert [said.role for said in stand_in.requests[-1].seen] == ["user", "assistant", "user", "assistant", "user"]


async def test_what_is_not_stored_cannot_be_retrieved_or_chained(client: AsyncOpenAI) -> None:
    response = await client.responses.create(model=MODEL, input="Hi", store=False)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(response.id)
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model=MODEL, input="Hi", previous_response_id=response.id)
    assert refused.value.code == "previous_response_not_found"


async def test_a_stored_response_can_be_retrieved_and_deleted(client: AsyncOpenAI) -> None:
    response = await client.responses.create(model=MODEL, input="Hi")
    assert (await client.responses.retrieve(response.id)).output_text == response.output_text
    listed = await client.responses.input_items.list(response.id)
    assert [item.type for item in listed.data] == ["message"]
    await client.responses.delete(response.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(response.id)


async def test_local_history_is_read_as_it_was_said(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    history: Any = [
        {"role": "user", "content": "My name is Ada"},
        {"role": "assistant", "content": "Nice to meet you."},
        {"role": "user", "content": [{"type": "input_text", "text": "What is my name?"}]},
    ]
    response = await client.responses.create(model=MODEL, input=history, store=False, instructions="Be kind.")
    assert "Ada" in response.output_text
    assert stand_in.requests[-1].seen == (
        Said("system", "Be kind."),
        Said("user", "My name is Ada"),
        Said("assistant", "Nice to meet you."),
        Said("user", "What is my name?"),
    )
    assert stand_in.requests[-1].question == "What is my name?"


async def test_an_output_of_a_function_reaches_the_model(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script(calls=[FunctionCall("add")]))
    first = await client.responses.create(model=MODEL, input="2 + 2?")
    call: Any = first.output[0]
    given: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "4"}]
    second = await client.responses.create(model=MODEL, input=given, previous_response_id=first.id)
    assert stand_in.requests[-1].seen[-1] == Said("tool", "4")
    assert "4" in second.output_text


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"temprature": 1}, "unknown_parameter", "temprature"),
        ({"input": [{"role": "user", "content": [{"type": "output_text", "text": "x"}]}]}, "invalid_value", None),
        ({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]}, "invalid_value", None),
        ({"input": [{"role": "robot", "content": "x"}]}, "invalid_value", "input[0].role"),
        ({"input": [{"role": "user"}]}, "missing_required_parameter", "input[0].content"),
        ({"input": 7}, "invalid_type", "input"),
        ({"input": None}, "missing_required_parameter", "input"),
        ({"safety_identifier": "x" * 129}, "string_above_max_length", "safety_identifier"),
        ({"conversation": "conv_1", "previous_response_id": "resp_1"}, "mutually_exclusive_parameters", None),
        ({"metadata": {"key": "x" * 513}}, None, "metadata"),
    ],
)
async def test_a_wrong_request_is_refused_in_openais_words(
    client: AsyncOpenAI, fields: dict[str, Any], code: str | None, param: str | None
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model=MODEL, input="Hi", extra_body=fields)
    assert refused.value.code == code
    assert refused.value.type == "invalid_request_error"
    assert param is None or (refused.value.param or "").startswith(param)


async def test_the_input_can_be_counted(client: AsyncOpenAI) -> None:
    counted = await client.responses.input_tokens.count(model=MODEL, input="one two three")
    assert counted.input_tokens == 3
