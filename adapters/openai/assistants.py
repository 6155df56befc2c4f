"""The Assistants API: a thread for each conversation, a run for each answer. OpenAI removed it; others speak it still.

    assistant (once) -> thread (once a conversation) -> message (the question) -> run, streamed
                                                              run wants functions -> their outputs -> streamed on

A run goes on when nobody listens, and holds its thread: one that is left early is cancelled, and one that a crash left
running is cancelled before the next question.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress

from openai import APIStatusError, AsyncOpenAI, NotFoundError

from adapters.openai.answer import Answer
from adapters.openai.assistant import Assistant
from adapters.openai.assistant_events import RUN_IS_OVER, Calls, Filtered, FunctionCall, Said, Started, to_event
from adapters.openai.client import address, given
from adapters.openai.errors import FAULTS, Server, model_is_unknown, translate, unfinished
from adapters.openai.memory import Message, messages, missing, unsettled
from adapters.openai.probe import probe
from adapters.openai.streams import Stream
from adapters.openai.threads import Threads
from adapters.openai.tokens import trim
from bot.core.model import Began, End, Ending, Event, Request, Working
from bot.errors import BackendError
from bot.ports import Notebook

log = logging.getLogger(__name__)

# The arguments of a call as JSON -> its output for the model, which also says what went wrong, if anything did.
Tool = Callable[[str], Awaitable[str]]


class AssistantsBackend:
    """`assistant_id`: use this assistant, with its own model and instructions. `tools`: our functions by name."""

    def __init__(
        self,
        client: AsyncOpenAI,
        notebook: Notebook,
        *,
        model: str,
        instructions: str,
        assistant_id: str = "",
        max_output_tokens: int | None = None,
        reasoning_effort: str = "",
        history_tokens: int = 8000,
        tools: Mapping[str, Tool] | None = None,
    ) -> None:
        self._client = client = client.with_options(default_headers={"OpenAI-Beta": "assistants=v2"})
        self._server = Server("assistants", address(client), model)
        self._threads = Threads(client, self._server)
        self._assistant = Assistant(client, notebook, self._server, instructions=instructions, configured=assistant_id)
        self._history_tokens = history_tokens
        self._tools = tools or {}
        self._run_settings = given(max_completion_tokens=max_output_tokens, reasoning_effort=reasoning_effort)
        self._cancelling: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        return "assistants"

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncGenerator[AsyncIterator[Event]]:
        async with aclosing(self._events(request)) as events:
            yield events

    async def forget(self, remote: str) -> None:
        if not remote:
            return
        try:
            with suppress(NotFoundError):
                await self._threads.delete(remote)
        except FAULTS as error:
            raise translate(error, self._server, kept=False) from error

    async def leave_nothing(self) -> None:
        try:
            await self._assistant.delete()
        except FAULTS as error:
            raise translate(error, self._server, kept=False) from error

    async def probe(self) -> None:
        try:
            await self._assistant.look()
        except FAULTS as error:
            raise translate(error, self._server, kept=False) from error
        if not self._assistant.configured:
            await probe(self._client, self._server)

    async def close(self) -> None:
        if self._cancelling:
            await asyncio.wait(self._cancelling)
        await self._client.close()

    async def _events(self, request: Request) -> AsyncGenerator[Event]:
        thread, run = request.remote, ""
        answer, began, filtered = Answer(), False, False
        try:
            assistant = await self._assistant.ready()
            question = await self._go_on(thread, request) if thread else None
            if question is None:
                thread = await self._threads.create(messages(trim(request.history, self._history_tokens)))
                yield Began(thread)  # now: if the question is refused, nobody else would know of it
                question = await self._threads.say(thread, Message("user", request.text))
            stream = await self._start(thread, question, assistant)
            for _ in range(_ROUNDS):
                calls: Calls | None = None
                async with stream:
                    stream.check(self._server)
                    async for name, data in stream:
                        if name in RUN_IS_OVER:
                            run = ""
                        match to_event(name, data, self._server):
                            case Started(run):
                                if not began:
                                    began = True
                                    yield Began(thread, run)
                            case Said(pieces):
                                for piece in pieces:
                                    if delta := answer.add(piece):
                                        yield delta
                            case Working() as working:
                                yield working
                            case Filtered():
                                filtered = True
                            case Calls() as calls:
                                await stream.drain()
                                break
                            case Ending() as ending:
                                yield answer.end(Ending(End.FILTERED) if filtered else ending)
                                await stream.drain()
                                return
                            case None:
                                pass
                if calls is None:
                    raise unfinished(kept=True)
                outputs = {call.id: await self._output(call) for call in calls.calls}
                stream = await self._threads.submit(thread, calls.run, outputs)
            detail = f"The model asked for functions {_ROUNDS} times without answering."
            raise BackendError(Ending(End.FAILED, detail))
        except FAULTS as error:
            raise translate(error, self._server, kept=True) from error
        finally:
            if run:
                self._cancel_later(thread, run)

    async def _go_on(self, thread: str, request: Request) -> str | None:
        """Puts the question into a thread that has some; its id there, None where the thread is not there any more."""
        try:
            if unsettled(request.history):
                held = await self._threads.newest(thread)
                for message in missing(request.history, held):
                    await self._threads.say(thread, message)
            return await self._threads.say(thread, Message("user", request.text))
        except NotFoundError:
            log.info("openai.thread.gone")
            return None

    async def _start(self, thread: str, question: str, assistant: str) -> Stream:
        """Starts a run that answers the question."""
        try:
            return await self._run(thread, assistant)
        except (APIStatusError, BackendError) as error:
            fault = error if isinstance(error, BackendError) else translate(error, self._server, kept=True)
            # asking again must not put the question into the thread a second time
            taken_back = await self._take_back(thread, question)
            raise BackendError(fault.ending, again=fault.again and taken_back) from error

    async def _run(self, thread: str, assistant: str) -> Stream:
        try:
            return await self._threads.run(thread, assistant, self._run_settings)
        except NotFoundError as error:
            if model_is_unknown(error):
                raise
            if self._assistant.configured:
                raise self._assistant.missing() from error
        await self._assistant.gone(assistant)
        return await self._threads.run(thread, await self._assistant.ready(), self._run_settings)

    async def _take_back(self, thread: str, message: str) -> bool:
        try:
            await self._threads.take_back(thread, message)
        except FAULTS:
            return False
        return True

    async def _output(self, call: FunctionCall) -> str:
        tool = self._tools.get(call.name)
        return await tool(call.arguments) if tool else f"There is no function {call.name!r} here. Answer without it."

    def _cancel_later(self, thread: str, run: str) -> None:
        """Leaving a stream must not wait for this, and a cancelled task could not; `close` does."""
        task = asyncio.create_task(self._cancel_in_time(thread, run))
        self._cancelling.add(task)
        task.add_done_callback(self._cancelling.discard)

    async def _cancel_in_time(self, thread: str, run: str) -> None:
        try:
            async with asyncio.timeout(_CANCEL_TIME):
                await self._threads.cancel(thread, run)
        except (TimeoutError, *FAULTS) as error:
            log.warning("openai.run.not_cancelled", extra={"run": run, "error": type(error).__name__})


_ROUNDS = 8  # streams of one answer; a model that still asks for functions then will not stop by itself
_CANCEL_TIME = 5.0  # seconds for a cancel to be taken
