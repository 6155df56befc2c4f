"""The Assistants API: a thread for each conversation, a run for each answer. OpenAI removed it; others speak it still.

    assistant (once) -> thread (once a conversation) -> message (the question) -> run, streamed
                                                              run wants functions -> their outputs -> streamed on

A run goes on when nobody listens, so it can be taken up; and it holds its thread, so one that nobody has taken up is
cancelled before the next question.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress

from openai import APIStatusError, AsyncOpenAI, BadRequestError, NotFoundError

from adapters.openai.assistant import Assistant
from adapters.openai.assistant_events import Calls, Filtered, FunctionCall, Said, Started, to_event
from adapters.openai.cancel import cancel
from adapters.openai.client import address, given
from adapters.openai.errors import FAULTS, Server, model_is_unknown, no_rest, sentence, translate, unfinished
from adapters.openai.making import Making
from adapters.openai.memory import Message, messages, missing, unsettled
from adapters.openai.probe import probe
from adapters.openai.runs_resumed import Run, reread
from adapters.openai.streams import Stream
from adapters.openai.threads import Threads
from adapters.openai.tokens import trim
from bot.core.model import Began, End, Ended, Ending, Event, Request, Working
from bot.errors import BackendError
from bot.ports import Notebook

log = logging.getLogger(__name__)

# The arguments of a call as JSON -> its output for the model, which also says what went wrong, if anything did.
Tool = Callable[[str], Awaitable[str]]


class AssistantsBackend:
    """`assistant_id`: use this assistant, with its own model and instructions. `tools`: our functions by name.

    `poll`: seconds between two looks at a run whose stream broke.
    """

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
        poll: float = 1.0,
    ) -> None:
        self._client = client = client.with_options(default_headers={"OpenAI-Beta": "assistants=v2"})
        self._server = Server("assistants", address(client), model)
        self._threads = Threads(client, self._server)
        self._making = Making()
        self._assistant = Assistant(client, notebook, self._server, instructions=instructions, configured=assistant_id)
        self._history_tokens = history_tokens
        self._tools = tools or {}
        self._run_settings = given(max_completion_tokens=max_output_tokens, reasoning_effort=reasoning_effort)
        self._poll = poll

    @property
    def name(self) -> str:
        return "assistants"

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncGenerator[AsyncIterator[Event]]:
        async with aclosing(self._events(request)) as events:
            yield events

    async def cancel(self, remote: str, response: str) -> None:
        if response:
            await cancel(self._client, self._server, "threads", remote, "runs", response)

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
        await self._making.close()
        await self._client.close()

    async def _events(self, request: Request) -> AsyncGenerator[Event]:
        run, mark = Run(request.remote), request.mark
        try:
            if mark:
                run.id = mark.response
                events = reread(self._threads, self._server, run, mark.text, self._poll)
            else:
                assistant = await self._assistant.ready()
                found = await self._go_on(run.thread, request) if run.thread else None
                if found is None:
                    making = self._threads.create(messages(trim(request.history, self._history_tokens)))
                    run.thread = await self._making.make(making, self._threads.delete)
                    yield Began(run.thread)  # now: if the question is refused, nobody else would know of it
                    found = await self._threads.say(run.thread, Message("user", request.text)), ""
                question, run.id = found
                if run.id:
                    yield Began(run.thread, run.id)
                    events = reread(self._threads, self._server, run, "", self._poll)
                else:
                    events = self._heard(await self._start(run.thread, question, assistant), run)
            for _ in range(_ROUNDS):
                calls: Calls | None = None
                async with aclosing(events):
                    async for event in events:
                        if isinstance(event, Calls):
                            calls = event
                            break
                        yield event
                        if isinstance(event, Ended):
                            return
                if calls is None:
                    raise unfinished(kept=True, goes_on=bool(run.id))
                outputs = {call.id: await self._output(call) for call in calls.calls}
                events = self._heard(await self._submit(run, outputs), run)
            with suppress(BackendError):
                await self.cancel(run.thread, run.id)
            detail = f"The model asked for functions {_ROUNDS} times without answering."
            raise BackendError(Ending(End.FAILED, detail))
        except FAULTS as error:
            if mark and isinstance(error, NotFoundError):
                raise no_rest(self._server) from error
            raise translate(error, self._server, kept=True, goes_on=bool(run.id)) from error

    async def _heard(self, stream: Stream, run: Run) -> AsyncGenerator[Event | Calls]:
        """What a stream tells, until the run ends or waits for functions."""
        async with stream:
            stream.check(self._server)
            async for name, data in stream:
                match to_event(name, data, self._server):
                    case Started(identity):
                        if not run.id:
                            run.id = identity
                            yield Began(run.thread, identity)
                    case Said(pieces):
                        for piece in pieces:
                            if delta := run.answer.add(piece):
                                yield delta
                    case Working() as working:
                        yield working
                    case Filtered():
                        run.filtered = True
                    case Calls() as calls:
                        await stream.drain()
                        yield calls
                        return
                    case Ending() as ending:
                        yield run.end(ending)
                        await stream.drain()
                        return
                    case None:
                        pass

    async def _go_on(self, thread: str, request: Request) -> tuple[str, str] | None:
        """Puts the question into a thread that has some. Its id there, and that of a run that answers it already, if
        any; None where the thread is not there any more."""
        try:
            if request.asked_before:
                question, run = await self._threads.attempt(thread, request.history, request.text)
                if question:
                    return question, run
            if unsettled(request.history):
                held = await self._threads.newest(thread)
                for message in missing(request.history, held):
                    await self._threads.say(thread, message)
            return await self._threads.say(thread, Message("user", request.text)), ""
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

    async def _submit(self, run: Run, outputs: Mapping[str, str]) -> Stream:
        try:
            return await self._threads.submit(run.thread, run.id, outputs)
        except BadRequestError as error:  # it has got them by another stream, which broke
            log.info("openai.run.goes_on", extra={"run": run.id, "detail": sentence(error.body)})
            raise unfinished(kept=True, goes_on=True) from error

    async def _output(self, call: FunctionCall) -> str:
        tool = self._tools.get(call.name)
        return await tool(call.arguments) if tool else f"There is no function {call.name!r} here. Answer without it."


_ROUNDS = 8  # streams of one answer; a model that still asks for functions then will not stop by itself
