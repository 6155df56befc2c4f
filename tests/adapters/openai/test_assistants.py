"""The assistants backend: the assistant itself, functions, and runs that must not be left running."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest
from aiohttp import web
from openai import AsyncOpenAI

from adapters.openai.assistants import AssistantsBackend
from adapters.openai.client import open_client
from adapters.openai.fields import many, text
from bot.core.model import Began, Delta, End, Request
from bot.errors import BackendError
from playground.openai import errors
from playground.openai.faults import Stall
from playground.openai.script import FunctionCall, Script
from playground.openai.server import OpenAIStandIn
from tests.adapters.openai.asking import MemoryNotebook, ask
from tests.adapters.openai.tape import Tape


class House:
    """A server, a notebook, and backends that share them, as processes do one after the other."""

    def __init__(self, server: OpenAIStandIn, url: str) -> None:
        self.server = server
        self.notebook = MemoryNotebook()
        self._url = url
        self._backends: list[AssistantsBackend] = []

    def client(self) -> AsyncOpenAI:
        client = open_client(api_key=self.server.api_key, base_url=self._url)
        return client.with_options(default_headers={"OpenAI-Beta": "assistants=v2"})

    def backend(self, **more: object) -> AssistantsBackend:
        settings = {"model": "gpt-6-luna", "instructions": "Be brief.", **more}
        client = open_client(api_key=self.server.api_key, base_url=self._url)
        backend = AssistantsBackend(client, self.notebook, **settings)  # pyright: ignore[reportArgumentType] -- each test names what it changes
        self._backends.append(backend)
        return backend

    def calls(self, *methods: str, path: str = "/assistants") -> list[str]:
        return [
            f"{request.method} {request.status}"
            for request in self.server.requests
            if request.path.startswith(path) and (not methods or request.method in methods)
        ]

    async def statuses(self, thread: str) -> list[str]:
        """Of every run in a thread."""
        async with self.client() as client:
            page = await client.get(f"/threads/{thread}/runs", cast_to=object)
            return [text(run, "status") for run in many(page, "data")]

    async def close(self) -> None:
        for backend in self._backends:
            await backend.close()


@pytest.fixture
async def house() -> AsyncGenerator[House]:
    server = OpenAIStandIn(tokens_per_second=0, first_token=0)
    app = web.Application()
    server.mount(app)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    house = House(server, f"http://127.0.0.1:{runner.addresses[0][1]}/openai/v1")
    yield house
    await house.close()
    await server.close()
    await runner.cleanup()


async def leave_after_first_words(backend: AssistantsBackend, request: Request) -> str:
    """Returns the id of the run."""
    run = ""
    async with backend.stream(request) as events:
        async for event in events:
            match event:
                case Began(response=run):
                    pass
                case Delta():
                    break
                case _:
                    pass
    return run


async def test_an_assistant_is_made_once_and_found_again_after_a_restart(house: House) -> None:
    first = house.backend()
    await asyncio.gather(ask(first, "One?"), ask(first, "Two?"))
    await ask(house.backend(), "Three?")
    assert house.calls() == ["POST 200"]


async def test_an_assistant_is_updated_when_its_settings_change(house: House) -> None:
    await ask(house.backend(), "One?")
    assert (await ask(house.backend(instructions="Be long."), "Two?")).end is End.COMPLETED
    assert house.server.requests[-1].whole.startswith("system: Be long.")
    await ask(house.backend(instructions="Be long."), "Three?")
    assert house.calls() == ["POST 200", "POST 200"]


@pytest.mark.parametrize("instructions", ["Be brief.", "Be long."])
async def test_an_assistant_that_was_deleted_elsewhere_is_made_again(house: House, instructions: str) -> None:
    await ask(house.backend(), "One?")
    made = json.loads(house.notebook.notes["openai.assistant"])["id"]
    async with house.client() as client:
        await client.delete(f"/assistants/{made}", cast_to=object)
    backend = house.backend(instructions=instructions)
    assert (await ask(backend, "Two?")).end is End.COMPLETED
    assert (await ask(backend, "Three?")).end is End.COMPLETED
    assert house.calls("POST").count("POST 200") == 2


async def test_a_configured_assistant_is_used_as_it_is(house: House) -> None:
    async with house.client() as client:
        body = {"model": "gpt-6-luna", "instructions": "Be kind."}
        theirs = text(await client.post("/assistants", body=body, cast_to=object), "id")
    backend = house.backend(assistant_id=theirs)
    await backend.probe()
    await ask(backend, "One?")
    assert house.server.requests[-1].whole.startswith("system: Be kind.")
    await backend.leave_nothing()
    assert house.calls("POST", "DELETE") == ["POST 200"]


async def test_a_configured_assistant_that_is_not_there_is_named(house: House) -> None:
    backend = house.backend(assistant_id="asst_nobody")
    outcome = await ask(backend, "One?")
    assert (outcome.end, outcome.again) == (End.BAD_REQUEST, False)
    assert "asst_nobody" in outcome.ending.detail
    with pytest.raises(BackendError) as raised:
        await backend.probe()
    assert "asst_nobody" in raised.value.ending.detail


@pytest.mark.parametrize("what", ["assistants", "threads", "threads/thread_1/messages"])
async def test_a_server_that_answers_anything_to_everything_is_told_apart(
    tape: Tape, client: AsyncOpenAI, what: str
) -> None:
    """Pages of the web do, with a 200."""
    for path in {"assistants", "threads", "threads/thread_1/messages"} - {what}:
        tape.plays(f"POST /{path}", {"id": "thread_1"})
    tape.plays(f"POST /{what}", "<html>Welcome</html>", content_type="text/html")
    backend = AssistantsBackend(client, MemoryNotebook(), model="gpt-6-luna", instructions="")
    outcome = await ask(backend, "Hello")
    assert (outcome.end, outcome.again) == (End.API_GONE, False)


async def test_nothing_is_left_of_an_assistant_that_an_earlier_process_made(house: House) -> None:
    await ask(house.backend(), "One?")
    await house.backend().leave_nothing()
    assert house.calls() == ["POST 200", "DELETE 200"]
    assert house.notebook.notes == {}


async def test_a_note_that_cannot_be_read_means_that_there_is_no_assistant(house: House) -> None:
    house.notebook.notes["openai.assistant"] = '["not", "ours"]'
    assert (await ask(house.backend(), "One?")).end is End.COMPLETED


async def test_a_function_is_called_and_its_output_answered(house: House) -> None:
    async def weather(arguments: str) -> str:
        return f"Sunny, {json.loads(arguments)['city']}!"

    house.server.script(Script("Let me see.", calls=[FunctionCall("weather", '{"city": "Oslo"}')]))
    house.server.script("It is sunny.")
    outcome = await ask(house.backend(tools={"weather": weather}), "How is Oslo?")
    assert outcome.text == "Let me see.\n\nIt is sunny."
    assert outcome.end is End.COMPLETED
    assert house.server.requests[-1].whole.endswith("tool: Sunny, Oslo!")


async def test_an_unknown_function_is_answered_with_a_word(house: House) -> None:
    house.server.script(Script(calls=[FunctionCall("teleport")]))
    house.server.script("I cannot.")
    assert (await ask(house.backend(), "Beam me up")).text == "I cannot."
    assert "no function 'teleport'" in house.server.requests[-1].whole


async def test_a_model_that_asks_for_functions_without_end_is_stopped(house: House) -> None:
    house.server.answer = lambda seen: Script(calls=[FunctionCall("teleport")])
    backend = house.backend()
    outcome = await ask(backend, "Beam me up")
    assert outcome.end is End.FAILED
    assert "functions" in outcome.ending.detail
    await backend.close()
    assert await house.statuses(outcome.began.remote) == ["cancelled"]


async def test_a_run_that_is_left_goes_on_until_it_is_cancelled(house: House) -> None:
    backend = house.backend()
    thread = (await ask(backend, "Hello")).began.remote
    house.server.script(Script("one two three", fault=Stall(30, after=2)))
    run = await leave_after_first_words(backend, Request("Count", thread))
    assert await house.statuses(thread) == ["in_progress", "completed"]
    await backend.cancel(thread, run)
    assert await house.statuses(thread) == ["cancelled", "completed"]
    await backend.cancel(thread, run)


async def test_a_run_that_a_crash_left_running_is_cancelled_before_the_next_question(house: House) -> None:
    backend = house.backend()
    thread = (await ask(backend, "Hello")).began.remote
    house.server.script(Script("one two three", fault=Stall(30, after=2)))
    async with house.client() as client:
        assistant = json.loads(house.notebook.notes["openai.assistant"])["id"]
        await client.post(f"/threads/{thread}/runs", body={"assistant_id": assistant}, cast_to=object)
    outcome = await ask(house.backend(), Request("Go on", thread))
    assert outcome.end is End.COMPLETED
    assert await house.statuses(thread) == ["completed", "cancelled", "completed"]


async def test_where_the_question_cannot_be_taken_back_asking_again_is_not_safe(house: House) -> None:
    backend = house.backend()
    thread = (await ask(backend, "Hello")).began.remote
    house.server.script(Script(fault=errors.RATE_LIMITED))
    messages = f"/threads/{thread}/messages/"
    house.server.refuse_next(messages, errors.SERVER_ERROR)
    outcome = await ask(backend, Request("Hello again", thread))
    assert (outcome.end, outcome.again) == (End.RATE_LIMITED, False)


async def test_against_openai_itself_the_removal_and_the_alternative_are_named(tape: Tape, client: AsyncOpenAI) -> None:
    """OpenAI answers 404 to everything below /assistants and /threads since 2026-08-26."""
    backend = AssistantsBackend(client, MemoryNotebook(), model="gpt-6-luna", instructions="")
    for request in (Request("Hello"), Request("Hello", remote="thread_1")):
        outcome = await ask(backend, request)
        assert (outcome.end, outcome.again) == (End.API_GONE, False)
        assert "removed on 2026-08-26" in outcome.ending.detail
        assert 'api = "responses"' in outcome.ending.detail
    with pytest.raises(BackendError) as raised:
        await backend.probe()
    assert raised.value.ending.end is End.API_GONE
    await backend.forget("thread_1")
    await backend.leave_nothing()
