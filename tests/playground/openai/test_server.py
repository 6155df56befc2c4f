from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from playground.openai import errors
from playground.openai.record import Stream
from playground.openai.script import Script
from playground.openai.server import OpenAIStandIn

MODEL = "gpt-6-luna"


async def closed(stream: Stream) -> None:
    async with asyncio.timeout(5):
        while stream.closed_by_client_at is None:  # noqa: ASYNC110 (the record has no event to wait for)
            await asyncio.sleep(0.002)


async def test_a_wrong_key_is_refused(base_url: str, stand_in: OpenAIStandIn) -> None:
    async with AsyncOpenAI(base_url=base_url, api_key="sk-wrong-key-1234", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError, match=r"Incorrect API key provided: sk-\*+1234") as refused:
            await client.models.list()
        assert refused.value.code == "invalid_api_key"
        stand_in.api_key = ""
        assert (await client.models.list()).data


async def test_models_are_listed_and_retrieved(client: AsyncOpenAI) -> None:
    listed = {model.id: model async for model in client.models.list()}
    assert MODEL in listed
    assert listed["gpt-4o-mini"].shutdown_date == "2027-01-14"
    assert (await client.models.retrieve(MODEL)).id == MODEL
    with pytest.raises(openai.NotFoundError) as refused:
        await client.models.retrieve("gpt-0")
    assert refused.value.code == "model_not_found"


async def test_an_unknown_model_is_refused_when_it_is_to_answer(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    for call in (
        client.responses.create(model="gpt-0", input="Hi"),
        client.chat.completions.create(model="gpt-0", messages=[{"role": "user", "content": "Hi"}]),
    ):
        with pytest.raises(openai.NotFoundError) as refused:
            await call
        assert refused.value.code == "model_not_found"
    stand_in.models = ["gpt-0"]
    assert (await client.responses.create(model="gpt-0", input="Hi")).model == "gpt-0"


async def test_an_unknown_address_is_404(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match=r"Invalid URL \(POST /v1/embeddings\)"):
        await client.embeddings.create(model=MODEL, input="Hi")


async def test_a_body_that_is_no_json_object_is_refused(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="could not parse the JSON body"):
        await client.post("/responses", cast_to=object, content=b"[1]")


async def test_any_call_can_be_refused_once(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.refuse_next("/conversations", errors.SERVER_ERROR)
    await client.models.list()
    with pytest.raises(openai.InternalServerError):
        await client.conversations.create()
    await client.conversations.create()


async def test_the_record_tells_what_was_asked(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    await client.conversations.create()
    await client.responses.create(model=MODEL, input="Hi", stream=False)
    first, second = stand_in.requests
    assert (first.api, first.method, first.path, first.status) == ("conversations", "POST", "/conversations", 200)
    assert (second.api, second.body["input"], second.status) == ("responses", "Hi", 200)
    assert first.at <= second.at


async def test_closing_a_stream_is_noticed_while_the_model_is_silent(
    client: AsyncOpenAI, stand_in: OpenAIStandIn
) -> None:
    stand_in.script(Script("one", first_token=60))
    stand_in.script(Script("one", first_token=60))
    opened: list[Any] = [
        await client.responses.create(model=MODEL, input="Hi", stream=True),
        await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}], stream=True),
    ]
    for stream, record in zip(opened, stand_in.streams, strict=True):
        await stream.close()
        await closed(record)
        assert record.finished_at is None
        assert record.deltas == []


async def test_closing_a_stream_ends_the_answer_at_once(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("word " * 1000, tokens_per_second=200))
    async with await client.responses.create(model=MODEL, input="Hi", stream=True) as stream:
        async for event in stream:
            if event.type == "response.output_text.delta":
                break
    await closed(stand_in.streams[0])
    said = len(stand_in.streams[0].deltas)
    await asyncio.sleep(0.02)
    assert len(stand_in.streams[0].deltas) == said < 100
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(stand_in.streams[0].id)


async def test_streams_at_the_same_time_do_not_mix(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    async def hear(number: int) -> str:
        text = ""
        async with await client.responses.create(model=MODEL, input=f"Number {number}", stream=True) as stream:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    text += event.delta
        return text

    stand_in.tokens_per_second = 2000
    heard = await asyncio.gather(*(hear(number) for number in range(8)))
    assert all(f"> Number {number}\n" in text for number, text in enumerate(heard))
