from __future__ import annotations

import asyncio
import time
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from playground.openai.faults import Cut
from playground.openai.script import Script
from playground.openai.server import OpenAIStandIn

MODEL = "gpt-6-luna"


async def hear(stream: Any, seen: list[Any]) -> None:
    async with stream:
        async for event in stream:
            seen.append(event)  # noqa: PERF401 (what came before a break is wanted too)


async def test_a_cut_stream_is_resumed_where_it_broke_off(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    text = "one two three four five six"
    stand_in.script(Script(text, tokens_per_second=500, fault=Cut(after=2)))
    seen: list[Any] = []
    stream = await client.responses.create(model=MODEL, input="Hi", stream=True, background=True)
    with pytest.raises(openai.APIConnectionError):
        await hear(stream, seen)
    assert seen[1].type == "response.queued"
    resumed = await client.responses.retrieve(seen[0].response.id, stream=True, starting_after=seen[-1].sequence_number)
    await hear(resumed, seen)
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert "".join(event.delta for event in seen if event.type == "response.output_text.delta") == text
    assert seen[-1].type == "response.completed"


async def test_without_a_stream_it_is_polled(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("one two", tokens_per_second=200))
    response = await client.responses.create(model=MODEL, input="Hi", background=True)
    assert response.status == "queued"
    async with asyncio.timeout(5):
        while response.status != "completed":
            await asyncio.sleep(0.005)
            response = await client.responses.retrieve(response.id)
    assert response.output_text == "one two"


async def test_it_goes_on_when_the_client_leaves_until_it_is_cancelled(
    client: AsyncOpenAI, stand_in: OpenAIStandIn
) -> None:
    conversation = await client.conversations.create()
    stand_in.script(Script("one two", first_token=60))
    async with await client.responses.create(
        model=MODEL, input="Hi", stream=True, background=True, conversation=conversation.id
    ) as stream:
        created: Any = await anext(aiter(stream))
    assert (await client.responses.retrieve(created.response.id)).status == "in_progress"
    with pytest.raises(openai.BadRequestError):
        await client.responses.create(model=MODEL, input="Hi", conversation=conversation.id)
    assert (await client.responses.cancel(created.response.id)).status == "cancelled"
    assert (await client.responses.cancel(created.response.id)).status == "cancelled"
    stand_in.script("free again")
    again = await client.responses.create(model=MODEL, input="Hi", conversation=conversation.id)
    assert again.output_text == "free again"


async def test_a_foreground_response_can_be_neither_cancelled_nor_resumed(client: AsyncOpenAI) -> None:
    response = await client.responses.create(model=MODEL, input="Hi")
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        await client.responses.cancel(response.id)
    with pytest.raises(openai.BadRequestError):
        await client.responses.retrieve(response.id, stream=True)


async def test_a_server_may_refuse_or_ignore_it(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.background = "off"
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model=MODEL, input="Hi", background=True)
    assert refused.value.param == "background"
    stand_in.background = "ignored"
    response = await client.responses.create(model=MODEL, input="Hi", background=True)
    assert (response.background, response.status) == (False, "completed")


async def test_it_may_begin_later_than_a_synchronous_one(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.background_delay = 0.2
    began = time.monotonic()
    async with await client.responses.create(model=MODEL, input="Hi", stream=True, background=True) as stream:
        async for event in stream:
            if event.type == "response.output_text.delta":
                break
    assert time.monotonic() - began >= 0.2


async def test_it_can_be_streamed_again_for_a_while_only(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.streamable = 0.0
    async with await client.responses.create(model=MODEL, input="Hi", stream=True, background=True) as stream:
        created: Any = await anext(aiter(stream))
    with pytest.raises(openai.BadRequestError, match="more than 5 minutes old"):
        await client.responses.retrieve(created.response.id, stream=True)
    assert (await client.responses.retrieve(created.response.id)).id == created.response.id


async def test_a_stream_that_is_taken_up_may_break_too(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script("one two three four")
    stand_in.break_resumed(Cut(after=2))
    seen: list[Any] = []
    await hear(await client.responses.create(model=MODEL, input="Hi", stream=True, background=True), seen)
    again: list[Any] = []
    with pytest.raises(openai.APIConnectionError):
        await hear(await client.responses.retrieve(seen[0].response.id, stream=True), again)
    assert len([event for event in again if event.type == "response.output_text.delta"]) == 2
    whole: list[Any] = []
    await hear(await client.responses.retrieve(seen[0].response.id, stream=True), whole)
    assert [event.sequence_number for event in whole] == [event.sequence_number for event in seen]
