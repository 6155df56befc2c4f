# The SDK marks every method of the Assistants API as deprecated; using them is what this file is for.
# pyright: reportDeprecated=false
from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, get_args

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.beta import AssistantStreamEvent
from openai.types.beta.threads import Message, Run
from openai.types.beta.threads.runs import RunStep
from pydantic import TypeAdapter

from playground.openai.faults import ErrorEvent, Expired, Failed, Incomplete
from playground.openai.script import FunctionCall, Script
from playground.openai.server import OpenAIStandIn

# At run time too: assistants.* warn with this single word.
pytestmark = [
    pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The Assistants API is deprecated:DeprecationWarning"),
]
MODEL = "gpt-6-luna"
EVENT: TypeAdapter[AssistantStreamEvent] = TypeAdapter(AssistantStreamEvent)


@dataclass
class Desk:
    """An assistant and a thread, and what is usually done with them."""

    client: AsyncOpenAI
    assistant: str
    thread: str

    async def say(self, text: str) -> Message:
        return await self.client.beta.threads.messages.create(self.thread, role="user", content=text)

    async def open(self, **fields: Any) -> Any:
        return await self.client.beta.threads.runs.create(
            self.thread, assistant_id=self.assistant, stream=True, **fields
        )

    async def run(self, **fields: Any) -> list[Any]:
        async with await self.open(**fields) as stream:
            return [event async for event in stream]

    async def messages(self) -> list[tuple[str, str]]:
        rows: Any = (await self.client.beta.threads.messages.list(self.thread, order="asc")).data
        return [(row.role, "".join(block.text.value for block in row.content)) for row in rows]


@pytest.fixture
async def desk(client: AsyncOpenAI) -> Desk:
    assistant = await client.beta.assistants.create(model=MODEL, name="Rivulet", instructions="Be kind.")
    thread = await client.beta.threads.create()
    return Desk(client, assistant.id, thread.id)


async def test_a_run_streams_its_events_in_order(desk: Desk, stand_in: OpenAIStandIn) -> None:
    stand_in.script("Hello, world!")
    await desk.say("Hi")
    seen = await desk.run()
    assert [event.event for event in seen] == [
        "thread.run.created",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.message.created",
        "thread.message.in_progress",
        *["thread.message.delta"] * 4,
        "thread.message.completed",
        "thread.run.step.completed",
        "thread.run.completed",
    ]
    deltas = [event.data.delta.content[0].text.value for event in seen if event.event == "thread.message.delta"]
    assert "".join(deltas) == "Hello, world!"
    assert [event.data.status for event in seen[:3]] == ["queued", "queued", "in_progress"]
    assert seen[-1].data.usage.completion_tokens == 4
    assert await desk.messages() == [("user", "Hi"), ("assistant", "Hello, world!")]
    assert stand_in.streams[0].text == "Hello, world!"


async def test_every_event_that_the_sdk_knows_can_be_had_and_is_valid(desk: Desk, stand_in: OpenAIStandIn) -> None:
    seen: list[Any] = []
    stand_in.script("one two")
    async with await desk.client.beta.threads.create_and_run(
        assistant_id=desk.assistant, thread={"messages": [{"role": "user", "content": "Hi"}]}, stream=True
    ) as stream:
        seen += [event async for event in stream]
    for fault in (Incomplete(after=1), Failed(after=1), Expired(after=1), ErrorEvent(after=1)):
        stand_in.script(Script("one two", fault=fault))
        seen += await desk.run()
    stand_in.script(Script(calls=[FunctionCall("add", '{"a":2}')]))
    seen += await desk.run()
    await desk.client.beta.threads.runs.cancel(seen[-1].data.id, thread_id=desk.thread)
    stand_in.script(Script("one two", first_token=60))
    async with await desk.open() as stream:
        async for event in stream:
            seen.append(event)
            if event.event == "thread.message.in_progress":
                await desk.client.beta.threads.runs.cancel(event.data.run_id, thread_id=desk.thread)
    for event in seen:
        EVENT.validate_python(event.to_dict())
    union, _ = get_args(AssistantStreamEvent)
    known = {get_args(member.model_fields["event"].annotation)[0] for member in get_args(union)}
    assert len(known) == 24
    assert {event.event for event in seen} == known


async def test_a_thread_remembers(desk: Desk, stand_in: OpenAIStandIn) -> None:
    await desk.say("My name is Ada")
    await desk.run()
    await desk.say("What is my name?")
    await desk.run(additional_instructions="And brief.")
    assert "Ada" in (await desk.messages())[-1][1]
    assert stand_in.requests[-2].seen[0].text == "Be kind.\nAnd brief."
    assert stand_in.requests[-2].question == "What is my name?"


async def test_closing_the_stream_does_not_stop_the_run(desk: Desk, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("one two three four", tokens_per_second=100))
    async with await desk.open() as stream:
        created = await anext(aiter(stream))
    async with asyncio.timeout(5):
        run = created.data
        while run.status != "completed":
            await asyncio.sleep(0.005)
            run = await desk.client.beta.threads.runs.retrieve(run.id, thread_id=desk.thread)
    assert await desk.messages() == [("assistant", "one two three four")]
    assert stand_in.streams[0].closed_by_client_at is not None
    assert stand_in.streams[0].finished_at is None


async def test_a_thread_with_an_active_run_takes_neither_a_run_nor_a_message(
    desk: Desk, stand_in: OpenAIStandIn
) -> None:
    stand_in.script(Script("one", first_token=60))
    run = await desk.client.beta.threads.runs.create(desk.thread, assistant_id=desk.assistant)
    with pytest.raises(openai.BadRequestError, match=f"Thread {desk.thread} already has an active run {run.id}."):
        await desk.run()
    with pytest.raises(openai.BadRequestError, match=f"Can't add messages to {desk.thread} while a run {run.id} is"):
        await desk.say("Hi")
    await desk.client.beta.threads.runs.cancel(run.id, thread_id=desk.thread)
    stand_in.script("two")
    await desk.run()
    assert await desk.messages() == [("assistant", ""), ("assistant", "two")]


async def test_a_cancelled_run_keeps_what_it_has_said(desk: Desk, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("one two three", tokens_per_second=20))
    names: list[str] = []
    run: Any = None
    async with await desk.open() as stream:
        async for event in stream:
            names.append(event.event)
            if names.count("thread.message.delta") == 1 and event.event == "thread.message.delta":
                run = (await desk.client.beta.threads.runs.list(desk.thread)).data[0]
                cancelling = await desk.client.beta.threads.runs.cancel(run.id, thread_id=desk.thread)
                assert cancelling.status == "cancelling"
    assert names[-4:] == [
        "thread.run.cancelling",
        "thread.message.incomplete",
        "thread.run.step.cancelled",
        "thread.run.cancelled",
    ]
    message = (await desk.client.beta.threads.messages.list(desk.thread)).data[0]
    assert message.status == "incomplete"
    assert message.incomplete_details is not None
    assert message.incomplete_details.reason == "run_cancelled"
    assert await desk.messages() == [("assistant", "one")]
    with pytest.raises(openai.BadRequestError, match="Cannot cancel run with status 'cancelled'"):
        await desk.client.beta.threads.runs.cancel(run.id, thread_id=desk.thread)


async def test_outputs_of_functions_are_handed_in_and_the_run_goes_on(desk: Desk, stand_in: OpenAIStandIn) -> None:
    await desk.say("2 + 2?")
    stand_in.script(Script("Let me see.", calls=[FunctionCall("add", '{"a":2}'), FunctionCall("log")]))
    seen = await desk.run()
    action = seen[-1]
    assert action.event == "thread.run.requires_action"
    calls = action.data.required_action.submit_tool_outputs.tool_calls
    assert [(call.function.name, call.function.arguments) for call in calls] == [("add", '{"a":2}'), ("log", "{}")]
    pieces = [event.data.delta.step_details.tool_calls[0] for event in seen if event.event == "thread.run.step.delta"]
    assert "".join(piece.function.arguments for piece in pieces if piece.index == 0) == '{"a":2}'

    submit = desk.client.beta.threads.runs.submit_tool_outputs
    with pytest.raises(openai.BadRequestError, match="Expected tool outputs"):
        await submit(action.data.id, thread_id=desk.thread, tool_outputs=[])
    outputs: Any = [{"tool_call_id": calls[1].id, "output": ""}, {"tool_call_id": calls[0].id, "output": "4"}]
    stand_in.script("It is 4.")
    async with await submit(action.data.id, thread_id=desk.thread, tool_outputs=outputs, stream=True) as stream:
        rest: list[Any] = [event async for event in stream]
    assert [event.event for event in rest][:3] == [
        "thread.run.step.completed",
        "thread.run.queued",
        "thread.run.in_progress",
    ]
    assert rest[0].data.step_details.tool_calls[0].function.output == "4"
    assert rest[-1].event == "thread.run.completed"
    assert [said.text for said in stand_in.requests[-1].seen][-2:] == ["4", ""]
    assert (await desk.messages())[-1] == ("assistant", "It is 4.")
    with pytest.raises(openai.BadRequestError, match="do not accept tool outputs"):
        await submit(action.data.id, thread_id=desk.thread, tool_outputs=outputs)


@pytest.mark.parametrize(
    ("fault", "run", "message", "step"),
    [
        (Incomplete(after=1), "incomplete", "max_tokens", "completed"),
        (Incomplete("content_filter", after=1), "incomplete", "content_filter", "completed"),
        (Failed("rate_limit_exceeded", after=1), "failed", "run_failed", "failed"),
        (Expired(after=1), "expired", "run_expired", "expired"),
    ],
)
async def test_a_run_that_ends_badly_closes_its_message_and_step(
    desk: Desk, stand_in: OpenAIStandIn, fault: Any, run: str, message: str, step: str
) -> None:
    stand_in.script(Script("one two three", fault=fault))
    seen = await desk.run()
    assert seen[-1].event == f"thread.run.{run}"
    assert seen[-2].event == f"thread.run.step.{step}"
    assert seen[-3].event == "thread.message.incomplete"
    assert seen[-3].data.incomplete_details.reason == message
    assert await desk.messages() == [("assistant", "one")]
    if isinstance(fault, Failed):
        assert seen[-1].data.last_error.code == "rate_limit_exceeded"


async def test_a_refusal_is_a_block_of_another_kind(desk: Desk, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script(refusal="I won't."))
    seen = await desk.run()
    said = [event.data.delta.content[0].refusal for event in seen if event.event == "thread.message.delta"]
    assert "".join(said) == "I won't."
    assert seen[-1].event == "thread.run.completed"


async def test_commentary_is_a_message_of_its_own(desk: Desk, stand_in: OpenAIStandIn) -> None:
    stand_in.script(Script("It is 4.", commentary="One moment."))
    await desk.run()
    assert await desk.messages() == [("assistant", "One moment."), ("assistant", "It is 4.")]


async def test_without_a_stream_the_run_is_polled(desk: Desk, stand_in: OpenAIStandIn) -> None:
    stand_in.script("one two")
    run = await desk.client.beta.threads.runs.create_and_poll(
        thread_id=desk.thread, assistant_id=desk.assistant, poll_interval_ms=5, max_completion_tokens=1
    )
    Run.model_validate(run.to_dict())
    assert run.status == "incomplete"
    steps = (await desk.client.beta.threads.runs.steps.list(run.id, thread_id=desk.thread)).data
    RunStep.model_validate(steps[0].to_dict())
    again = await desk.client.beta.threads.runs.steps.retrieve(steps[0].id, thread_id=desk.thread, run_id=run.id)
    assert again.status == "completed"


async def test_assistants_are_kept(client: AsyncOpenAI) -> None:
    first = await client.beta.assistants.create(model=MODEL, name="one")
    second = await client.beta.assistants.create(model=MODEL, name="two")
    await client.beta.assistants.update(first.id, instructions="Be brief.")
    assert (await client.beta.assistants.retrieve(first.id)).instructions == "Be brief."
    assert [assistant.id for assistant in (await client.beta.assistants.list()).data] == [second.id, first.id]
    assert (await client.beta.assistants.delete(first.id)).deleted
    with pytest.raises(openai.NotFoundError, match="No assistant found with id"):
        await client.beta.assistants.retrieve(first.id)


async def test_threads_and_messages_are_kept(desk: Desk) -> None:
    message = await desk.say("Hi")
    Message.model_validate(message.to_dict())
    found = await desk.client.beta.threads.messages.retrieve(message.id, thread_id=desk.thread)
    assert found.content == message.content
    assert (await desk.client.beta.threads.retrieve(desk.thread)).id == desk.thread
    assert (await desk.client.beta.threads.delete(desk.thread)).deleted
    with pytest.raises(openai.NotFoundError, match="No thread found with id"):
        await desk.run()


async def test_the_beta_header_is_required(desk: Desk) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await desk.client.beta.threads.create(extra_headers={"OpenAI-Beta": "assistants=v1"})
    assert refused.value.code == "invalid_beta"


async def test_without_this_api_everything_is_404(client: AsyncOpenAI, stand_in: OpenAIStandIn) -> None:
    stand_in.assistants = "off"
    with pytest.raises(openai.NotFoundError):
        await client.beta.assistants.create(model=MODEL)
    with pytest.raises(openai.NotFoundError):
        await client.beta.threads.create()
    with pytest.raises(openai.NotFoundError):
        await client.beta.threads.runs.create("thread_1", assistant_id="asst_1", stream=True)


async def test_an_unknown_model_is_refused(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        await client.beta.assistants.create(model="gpt-0")
    assert refused.value.code == "model_not_found"
