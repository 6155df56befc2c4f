from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from playground.openai.faults import Incomplete
from playground.openai.script import FunctionCall, Script
from playground.openai.server import OpenAIStandIn

MODEL = "gpt-6-luna"


async def chunks(client: AsyncOpenAI, text: str = "Hi", **fields: Any) -> list[Any]:
    given: Any = {"model": MODEL, "messages": [{"role": "user", "content": text}], "stream": True, **fields}
    create: Any = client.chat.completions.create
    stream: Any = await create(**given)
    async with stream:
        return [chunk async for chunk in stream]


def content(seen: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in seen if chunk.choices)


async def test_a_stream_has_a_role_first_a_finish_reason_last_and_usage_if_wanted(
    client: AsyncOpenAI, stand_in: OpenAIStandIn
) -> None:
    stand_in.script("Hello, world!")
    seen = await chunks(client, stream_options={"include_usage": True})
    for chunk in seen:
        ChatCompletionChunk.model_validate(chunk.to_dict())
    assert seen[0].choices[0].delta.role == "assistant"
    assert content(seen) == "Hello, world!"
    assert [chunk.choices[0].finish_reason for chunk in seen[:-1]] == [None] * 5 + ["stop"]
    assert seen[-1].choices == []
    assert (seen[-1].usage.prompt_tokens, seen[-1].usage.completion_tokens) == (1, 4)


async def test_usage_is_not_sent_unasked(client: AsyncOpenAI) -> None:
    seen = await chunks(client)
    assert all(chunk.usage is None and chunk.choices for chunk in seen)


@pytest.mark.parametrize(("reason", "finish"), [("max_output_tokens", "length"), ("content_filter", "content_filter")])
async def test_a_cut_text_says_why(client: AsyncOpenAI, stand_in: OpenAIStandIn, reason: Any, finish: str) -> None:
    stand_in.script(Script("one two three", fault=Incomplete(reason, after=1)))
    seen = await chunks(client)
    assert (content(seen), seen[-1].choices[0].finish_reason) == ("one", finish)


async def test_the_limit_of_output_tokens_is_kept(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script("one two three")
    seen = await chunks(client, max_completion_tokens=2)
    assert (content(seen), seen[-1].choices[0].finish_reason) == ("one two", "length")


async def test_a_refusal_is_not_content(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script(refusal="I won't."))
    seen = await chunks(client)
    assert content(seen) == ""
    assert "".join(chunk.choices[0].delta.refusal or "" for chunk in seen) == "I won't."


async def test_calls_come_in_pieces(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script(calls=[FunctionCall("add", '{"a":2}'), FunctionCall("stop")]))
    seen = await chunks(client)
    calls: list[Any] = []
    for chunk in seen:
        calls.extend(chunk.choices[0].delta.tool_calls or ())
    assert [call.function.name for call in calls if call.id] == ["add", "stop"]
    assert "".join(call.function.arguments for call in calls if call.index == 0) == '{"a":2}'
    assert seen[-1].choices[0].finish_reason == "tool_calls"


async def test_local_servers_show_their_reasoning_in_a_field_of_their_own(
    client: AsyncOpenAI, stand_in: OpenAIStandIn
) -> None:
    stand_in.script(Script("4", reasoning="Two and two."))
    seen = await chunks(client, model="llama3.3", max_tokens=100)
    assert content(seen) == "4"
    thought = [chunk.choices[0].delta.to_dict().get("reasoning_content", "") for chunk in seen]
    assert "".join(thought) == "Two and two."


async def test_without_a_stream_the_whole_completion_comes(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("Hello!", calls=[FunctionCall("add")]))
    completion = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}])
    ChatCompletion.model_validate(completion.to_dict())
    assert completion.choices[0].message.content == "Hello!"
    assert completion.choices[0].finish_reason == "tool_calls"
    assert completion.choices[0].message.tool_calls is not None


async def test_it_remembers_what_is_sent_along(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    completion = await client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "My name is Ada"},
            {"role": "assistant", "content": [{"type": "text", "text": "Hello."}]},
            {"role": "user", "content": [{"type": "text", "text": "What is my name?"}]},
        ],
    )
    assert "Ada" in (completion.choices[0].message.content or "")
    assert stand_in.requests[-1].whole == (
        "system: Be kind.\nuser: My name is Ada\nassistant: Hello.\nuser: What is my name?"
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"max_tokens": 10}, "unsupported_parameter"),
        ({"conversation": "conv_1"}, "unknown_parameter"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "unsupported_value"),
        ({"messages": []}, None),
        ({"messages": [{"role": "robot", "content": "x"}]}, "invalid_value"),
        ({"messages": [{"role": "user", "content": None}]}, None),
    ],
)
async def test_a_wrong_request_is_refused_in_openais_words(
    client: AsyncOpenAI, fields: dict[str, Any], code: str | None
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(model=MODEL, messages=[], extra_body=fields)
    assert refused.value.code == code


async def test_a_server_without_chat_says_404(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.chat = "off"
    with pytest.raises(openai.NotFoundError):
        await chunks(client)
