from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.conversations import Conversation, ConversationItem
from pydantic import TypeAdapter

from playground.openai.faults import Failed, Incomplete
from playground.openai.script import Script
from playground.openai.server import OpenAIStandIn

MODEL = "gpt-6-luna"
ITEM: TypeAdapter[ConversationItem] = TypeAdapter(ConversationItem)


def said(role: str, text: str) -> Any:
    return {"role": role, "content": text}


async def texts(client: AsyncOpenAI, conversation: str, **query: Any) -> list[str]:
    rows: Any = (await client.conversations.items.list(conversation, **query)).data
    return [row.content[0].text for row in rows]


async def test_a_conversation_remembers(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    conversation = await client.conversations.create(metadata={"channel": "discord:1"})
    Conversation.model_validate(conversation.to_dict())
    first = await client.responses.create(model=MODEL, input="My name is Ada", conversation=conversation.id)
    assert first.conversation is not None
    assert first.conversation.id == conversation.id
    await client.responses.create(model=MODEL, input="Hm.", conversation={"id": conversation.id})
    third = await client.responses.create(model=MODEL, input="What is my name?", conversation=conversation.id)
    assert "Ada" in third.output_text
    assert len(stand_in.requests[-1].seen) == 5


async def test_items_are_listed_newest_first_unless_asked_otherwise(client: AsyncOpenAI) -> None:
    conversation = await client.conversations.create(items=[said("user", "one"), said("assistant", "two")])
    added = await client.conversations.items.create(conversation.id, items=[said("user", "three")])
    for item in added.data:
        ITEM.validate_python(item.to_dict())
    assert await texts(client, conversation.id) == ["three", "two", "one"]
    assert await texts(client, conversation.id, order="asc") == ["one", "two", "three"]


async def test_long_lists_come_in_pages(client: AsyncOpenAI) -> None:
    conversation = await client.conversations.create(items=[said("user", str(n)) for n in range(20)])
    await client.conversations.items.create(conversation.id, items=[said("user", "20"), said("user", "21")])
    first: Any = await client.conversations.items.list(conversation.id, order="asc")
    assert len(first.data) == 20
    assert first.has_more
    assert await texts(client, conversation.id, order="asc", after=first.last_id) == ["20", "21"]
    walked = [item async for item in client.conversations.items.list(conversation.id, limit=5)]
    assert len(walked) == 22


async def test_more_than_twenty_items_at_once_are_refused(client: AsyncOpenAI) -> None:
    many = [said("user", str(n)) for n in range(21)]
    with pytest.raises(openai.BadRequestError) as refused:
        await client.conversations.create(items=many)
    assert refused.value.code == "array_above_max_length"
    conversation = await client.conversations.create()
    with pytest.raises(openai.BadRequestError):
        await client.conversations.items.create(conversation.id, items=many)
    assert await texts(client, conversation.id) == []


async def test_items_can_be_retrieved_and_deleted(client: AsyncOpenAI) -> None:
    conversation = await client.conversations.create(items=[said("user", "one"), said("user", "two")])
    newest: Any = (await client.conversations.items.list(conversation.id)).data[0]
    found: Any = await client.conversations.items.retrieve(newest.id, conversation_id=conversation.id)
    assert found.content[0].text == "two"
    await client.conversations.items.delete(newest.id, conversation_id=conversation.id)
    assert await texts(client, conversation.id) == ["one"]


async def test_a_conversation_can_be_updated_and_deleted(client: AsyncOpenAI) -> None:
    conversation = await client.conversations.create()
    await client.conversations.update(conversation.id, metadata={"a": "b"})
    assert (await client.conversations.retrieve(conversation.id)).metadata == {"a": "b"}
    assert (await client.conversations.delete(conversation.id)).deleted
    with pytest.raises(openai.NotFoundError):
        await client.conversations.retrieve(conversation.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.create(model=MODEL, input="Hi", conversation=conversation.id)


async def test_a_second_response_at_once_finds_the_conversation_locked(
    client: AsyncOpenAI, stand_in: OpenAIStandIn
) -> None:
    conversation = await client.conversations.create()
    stand_in.script(Script("one two three", first_token=30))
    async with await client.responses.create(model=MODEL, input="a", conversation=conversation.id, stream=True):
        with pytest.raises(openai.BadRequestError) as refused:
            await client.responses.create(model=MODEL, input="b", conversation=conversation.id)
    assert refused.value.code == "conversation_locked"
    assert refused.value.param == "conversation"
    assert "Another process is currently operating on this conversation." in refused.value.message


async def test_the_lock_is_gone_when_the_last_event_arrives(client: AsyncOpenAI) -> None:
    conversation = await client.conversations.create()
    async with await client.responses.create(
        model=MODEL, input="a", conversation=conversation.id, stream=True
    ) as stream:
        async for event in stream:
            if event.type == "response.completed":
                await client.responses.create(model=MODEL, input="b", conversation=conversation.id)
    assert len(await texts(client, conversation.id)) == 4


async def test_an_aborted_response_leaves_nothing_and_can_hold_the_lock_for_a_while(
    client: AsyncOpenAI, stand_in: OpenAIStandIn
) -> None:
    stand_in.lock_after_abort = 0.05
    stand_in.script(Script("one two three four", tokens_per_second=20))
    conversation = await client.conversations.create()
    async with await client.responses.create(
        model=MODEL, input="a", conversation=conversation.id, stream=True
    ) as stream:
        async for event in stream:
            if event.type == "response.output_text.delta":
                break
    async with asyncio.timeout(5):
        refusals = 0
        while True:
            try:
                await client.responses.create(model=MODEL, input="b", conversation=conversation.id)
                break
            except openai.BadRequestError:
                refusals += 1
                await asyncio.sleep(0.005)
    assert refusals
    assert "b" in (await texts(client, conversation.id))[-1]


async def test_items_are_added_once_the_response_has_completed_only(
    client: AsyncOpenAI, stand_in: OpenAIStandIn
) -> None:
    conversation = await client.conversations.create()
    stand_in.script(Script("one two", fault=Failed(after=1)))
    failed = await client.responses.create(model=MODEL, input="a", conversation=conversation.id)
    assert failed.status == "failed"
    assert await texts(client, conversation.id) == []
    stand_in.script(Script("one two", fault=Incomplete(after=1)))
    await client.responses.create(model=MODEL, input="a", conversation=conversation.id)
    assert await texts(client, conversation.id) == ["one", "a"]


async def test_a_server_without_conversations_says_404(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.conversations = "off"
    with pytest.raises(openai.NotFoundError):
        await client.conversations.create()
    with pytest.raises(openai.BadRequestError):
        await client.responses.create(model=MODEL, input="Hi", conversation="conv_1")


async def test_a_server_can_ignore_conversations(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.conversations = "ignored"
    conversation = await client.conversations.create()
    response = await client.responses.create(model=MODEL, input="My name is Ada", conversation=conversation.id)
    assert response.conversation is None
    again = await client.responses.create(model=MODEL, input="What is my name?", conversation=conversation.id)
    assert "Ada" not in again.output_text


async def test_a_server_without_responses_says_404(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.responses = "off"
    with pytest.raises(openai.NotFoundError):
        await client.responses.create(model=MODEL, input="Hi")
