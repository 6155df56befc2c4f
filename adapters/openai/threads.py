"""Threads on the server: what is said in them, and the runs that hold them."""

# The SDK marks all of this API as deprecated; other servers than OpenAI still have it.
# pyright: reportDeprecated=false

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from openai import AsyncOpenAI, AsyncStream, BadRequestError, omit
from openai.types.beta import AssistantStreamEvent
from openai.types.beta.thread_create_params import Message as FirstMessage
from openai.types.beta.threads.run_submit_tool_outputs_params import ToolOutput

from adapters.openai.fields import many, one, text
from adapters.openai.memory import Message
from bot.core.model import End, Ending
from bot.errors import BackendError

log = logging.getLogger(__name__)

T = TypeVar("T")
Stream = AsyncStream[AssistantStreamEvent]


def quietly(call: Callable[[], T]) -> T:
    """Begins a call without the SDK's DeprecationWarning: people are told of the removal where it matters."""
    with warnings.catch_warnings():  # safe with asyncio: nothing is awaited in here
        warnings.simplefilter("ignore", DeprecationWarning)
        return call()


class Threads:
    """Errors of the SDK pass through. A thread that is busy is freed by cancelling the runs in it."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self._threads = client.beta.threads

    async def create(self, said: Sequence[Message]) -> str:
        first = [FirstMessage(role=message.role, content=message.text) for message in said]
        made = await quietly(lambda: self._threads.create(messages=first or omit))
        return made.id

    async def delete(self, thread: str) -> None:
        await quietly(lambda: self._threads.delete(thread))

    async def say(self, thread: str, message: Message) -> str:
        """Adds a message; returns its id."""
        made = await self._unless_busy(
            thread, lambda: self._threads.messages.create(thread, role=message.role, content=message.text)
        )
        return made.id

    async def take_back(self, thread: str, message: str) -> None:
        """Removes a message."""
        await quietly(lambda: self._threads.messages.delete(message, thread_id=thread))

    async def newest(self, thread: str) -> list[Message]:
        """The newest messages that the server holds, oldest first."""
        page = await quietly(lambda: self._threads.messages.list(thread, limit=_NEWEST, order="desc"))
        return [
            Message(message.role, "\n\n".join(text(one(part, "text"), "value") for part in many(message, "content")))
            for message in reversed(page.data)
        ]

    async def run(self, thread: str, assistant: str, settings: Mapping[str, Any]) -> Stream:
        """Starts an answer."""
        return await self._unless_busy(
            thread, lambda: self._threads.runs.create(thread, assistant_id=assistant, stream=True, **settings)
        )

    async def submit(self, thread: str, run: str, outputs: Mapping[str, str]) -> Stream:
        """Goes on with an answer that waited for the outputs of these calls, by their ids."""
        given = [ToolOutput(tool_call_id=call, output=output) for call, output in outputs.items()]
        return await quietly(
            lambda: self._threads.runs.submit_tool_outputs(run, thread_id=thread, tool_outputs=given, stream=True)
        )

    async def cancel(self, thread: str, run: str) -> None:
        """Asks the server to end a run; one that is over is no error."""
        try:
            await quietly(lambda: self._threads.runs.cancel(run, thread_id=thread))
        except BadRequestError:
            log.debug("openai.run.already_over", extra={"run": run})

    async def _unless_busy(self, thread: str, call: Callable[[], Awaitable[T]]) -> T:
        """Makes a call that the thread refuses while a run is active in it; such a run is ended first."""
        try:
            return await quietly(call)
        except BadRequestError as error:
            if not _is_busy(error):
                raise
        await self._end_runs(thread)
        try:
            return await quietly(call)
        except BadRequestError as error:
            if not _is_busy(error):
                raise
            detail = "The server is still busy with this conversation."
            raise BackendError(Ending(End.OVERLOADED, detail), again=True) from error

    async def _end_runs(self, thread: str) -> None:
        """Cancels what runs in a thread, and waits for its end a few seconds."""
        for run in await self._active(thread):
            await self.cancel(thread, run)
        for wait in _CANCEL_WAITS:
            if not await self._active(thread):
                return
            await asyncio.sleep(wait)

    async def _active(self, thread: str) -> list[str]:
        page = await quietly(lambda: self._threads.runs.list(thread, limit=_NEWEST, order="desc"))
        return [run.id for run in page.data if run.status in _ACTIVE]


_NEWEST = 100  # the most that one call lists
_CANCEL_WAITS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # seconds between looks at runs that are being cancelled

# Statuses of a run that holds its thread.
_ACTIVE = frozenset({"queued", "in_progress", "requires_action", "cancelling"})


def _is_busy(error: BadRequestError) -> bool:
    """It says "Thread … already has an active run …" or "… while a run … is active"; there is no code for it."""
    message = error.message.lower()
    return "run" in message and "active" in message
