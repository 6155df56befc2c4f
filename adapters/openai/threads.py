"""Threads on the server: what is said in them, and the runs that hold them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from openai import AsyncOpenAI, BadRequestError

from adapters.openai.client import given, path
from adapters.openai.errors import Server, another_api
from adapters.openai.fields import many, one, text
from adapters.openai.memory import Message, answered, as_json
from adapters.openai.streams import Stream, open_stream
from bot.core.model import End, Ending, Exchange
from bot.errors import BackendError

log = logging.getLogger(__name__)

T = TypeVar("T")


class Threads:
    """Errors of the SDK pass through. A thread that is busy is freed by cancelling the runs in it."""

    def __init__(self, client: AsyncOpenAI, server: Server) -> None:
        self._client = client
        self._server = server

    async def create(self, said: Sequence[Message]) -> str:
        return await self._make(path("threads"), given(messages=[as_json(message) for message in said]))

    async def delete(self, thread: str) -> None:
        await self._client.delete(path("threads", thread), cast_to=object)

    async def say(self, thread: str, message: Message) -> str:
        """Adds a message; returns its id."""
        messages = path("threads", thread, "messages")
        return await self._unless_busy(thread, lambda: self._make(messages, as_json(message)))

    async def take_back(self, thread: str, message: str) -> None:
        """Removes a message."""
        await self._client.delete(path("threads", thread, "messages", message), cast_to=object)

    async def newest(self, thread: str) -> list[Message]:
        """The newest messages that the server holds, oldest first."""
        return [_message(message) for message in await self._held(thread)]

    async def attempt(self, thread: str, history: Sequence[Exchange], question: str) -> tuple[str, str]:
        """How far an earlier attempt to ask this after that came: the ids of the question and of a run that answers
        it, each empty where there is none."""
        held = await self._held(thread)
        answer = answered(history, question, list(map(_message, held)))
        if answer is None:
            return "", ""
        asked = next(place for place in reversed(range(len(held))) if text(held[place], "role") == "user")
        answering = {text(message, "run_id") for message in held[asked + 1 :]}
        for run in await self._list(path("threads", thread, "runs")):
            status, identity = text(run, "status"), text(run, "id")
            if status in _ACTIVE - {"cancelling"} or (identity in answering and status in _ANSWERED):
                return text(held[asked], "id"), identity
        return ("" if answer else text(held[asked], "id")), ""

    async def said(self, thread: str, run: str) -> list[Any]:
        """What a run has said, as the server's messages, oldest first."""
        params = {"run_id": run, "limit": _NEWEST, "order": "asc"}
        page = await self._client.get(path("threads", thread, "messages"), cast_to=object, options={"params": params})
        # a server that does not know `run_id` gives the messages of all runs
        return [message for message in many(page, "data") if text(message, "run_id") == run]

    async def look(self, thread: str, run: str) -> Any:
        """A run as it is now."""
        return await self._client.get(path("threads", thread, "runs", run), cast_to=object)

    async def run(self, thread: str, assistant: str, settings: Mapping[str, Any]) -> Stream:
        """Starts an answer."""
        runs = path("threads", thread, "runs")
        body = {"assistant_id": assistant, **settings}
        return await self._unless_busy(thread, lambda: open_stream(self._client, runs, body))

    async def submit(self, thread: str, run: str, outputs: Mapping[str, str]) -> Stream:
        """Goes on with an answer that waited for the outputs of these calls, by their ids."""
        body = {"tool_outputs": [{"tool_call_id": call, "output": output} for call, output in outputs.items()]}
        return await open_stream(self._client, path("threads", thread, "runs", run, "submit_tool_outputs"), body)

    async def cancel(self, thread: str, run: str) -> None:
        """Asks the server to end a run; one that is over is no error."""
        try:
            await self._client.post(path("threads", thread, "runs", run, "cancel"), cast_to=object)
        except BadRequestError:
            log.debug("openai.run.already_over", extra={"run": run})

    async def _held(self, thread: str) -> list[Any]:
        """The newest messages as the server gives them, oldest first."""
        return (await self._list(path("threads", thread, "messages")))[::-1]

    async def _make(self, where: str, body: Mapping[str, Any]) -> str:
        """The id of what was made."""
        made = text(await self._client.post(where, body=body, cast_to=object), "id")
        if not made:
            raise another_api(self._server)  # a page for everything that a server does not know
        return made

    async def _list(self, where: str) -> list[Any]:
        """The newest first."""
        params = {"limit": _NEWEST, "order": "desc"}
        return many(await self._client.get(where, cast_to=object, options={"params": params}), "data")

    async def _unless_busy(self, thread: str, call: Callable[[], Awaitable[T]]) -> T:
        """Makes a call that the thread refuses while a run is active in it; such a run is ended first."""
        try:
            return await call()
        except BadRequestError as error:
            if not _is_busy(error):
                raise
        await self._end_runs(thread)
        try:
            return await call()
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
        runs = await self._list(path("threads", thread, "runs"))
        return [text(run, "id") for run in runs if text(run, "status") in _ACTIVE]


_NEWEST = 100  # the most that one call lists
_CANCEL_WAITS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # seconds between looks at runs that are being cancelled

# Statuses of a run that holds its thread.
_ACTIVE = frozenset({"queued", "in_progress", "requires_action", "cancelling"})

# Statuses of a run that has given an answer.
_ANSWERED = frozenset({"completed", "incomplete"})


def _message(message: Any) -> Message:
    texts = [text(one(part, "text"), "value") for part in many(message, "content")]
    return Message("assistant" if text(message, "role") == "assistant" else "user", "\n\n".join(texts))


def _is_busy(error: BadRequestError) -> bool:
    """It says "Thread … already has an active run …" or "… while a run … is active"; there is no code for it."""
    message = error.message.lower()
    return "run" in message and "active" in message
