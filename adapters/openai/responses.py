"""The Responses API, with the Conversations API as its memory, or the local history where a server has none.

    conversation known? -> ask in it, first telling it what an aborted turn may have kept from it
    none yet?           -> create one, seeded with the history
    server has none?    -> send the history each time and have nothing stored; learnt once for the process

A server that takes `conversation` and silently ignores it is found out by the first event, which names none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from openai import APIStatusError, AsyncOpenAI, AsyncStream, NotFoundError, omit
from openai.types.responses import EasyInputMessageParam, ResponseInputParam, ResponseStreamEvent

from adapters.openai.answer import Answer, Piece
from adapters.openai.client import address
from adapters.openai.errors import FAULTS, Server, model_is_unknown, translate, unfinished
from adapters.openai.fields import many, text
from adapters.openai.memory import Message, messages, missing, unsettled
from adapters.openai.probe import probe
from adapters.openai.responses_events import Created, Finished, to_event
from adapters.openai.streams import check, drain
from adapters.openai.tokens import trim
from bot.core.model import Began, End, Ending, Event, Exchange, Request
from bot.errors import BackendError

log = logging.getLogger(__name__)


class ResponsesBackend:
    """Remembers on the server where it can.

    `locked_waits`: seconds before asking again in a conversation that is busy; OpenAI's own Agents SDK waits so.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        *,
        model: str,
        instructions: str,
        max_output_tokens: int | None = None,
        reasoning_effort: str = "",
        history_tokens: int = 8000,
        locked_waits: Sequence[float] = (1.0, 2.0, 4.0),
    ) -> None:
        self._client = client
        self._locked_waits = locked_waits
        self._server = Server("responses", address(client), model)
        self._history_tokens = history_tokens
        self._local = False  # this server has no conversations
        self._settings: dict[str, Any] = {
            "model": model,
            "instructions": instructions or omit,
            "max_output_tokens": max_output_tokens or omit,
            "reasoning": {"effort": reasoning_effort} if reasoning_effort else omit,
        }

    @property
    def name(self) -> str:
        return "responses"

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncGenerator[AsyncIterator[Event]]:
        async with aclosing(self._events(request)) as events:
            yield events

    async def forget(self, remote: str) -> None:
        if not remote:
            return
        try:
            await self._client.conversations.delete(remote)
        except NotFoundError:
            log.info("openai.conversation.gone")
        except FAULTS as error:
            raise translate(error, self._server, kept=False) from error

    async def leave_nothing(self) -> None:
        """Nothing: a conversation is all that this API makes."""

    async def probe(self) -> None:
        await probe(self._client, self._server)

    async def close(self) -> None:
        await self._client.close()

    async def _events(self, request: Request) -> AsyncGenerator[Event]:
        conversation = request.remote
        try:
            stream, conversation = await self._open(request)
            while True:
                async with stream:
                    check(stream, self._server)
                    answer, began = Answer(), False
                    async for raw in stream:
                        event = to_event(raw, self._server, kept=bool(conversation))
                        if event is None:
                            continue
                        if conversation and not isinstance(event, Piece) and not event.conversation:
                            log.info("openai.conversations.ignored", extra={"address": self._server.address})
                            self._local, conversation = True, ""
                            if request.history and not began:
                                break  # it would answer without knowing what was said
                        if not began:
                            began = True
                            yield Began(conversation, event.response if isinstance(event, Created) else "")
                        match event:
                            case Created():
                                pass
                            case Piece():
                                if delta := answer.add(event):
                                    yield delta
                            case Finished():
                                if answer.empty and (delta := answer.add(Piece((), event.text))):
                                    yield delta
                                yield answer.end(event.ending)
                                await drain(stream)
                                return
                    else:
                        raise unfinished(kept=bool(conversation))
                stream = await self._ask_with_history(request)
        except FAULTS as error:
            raise translate(error, self._server, kept=bool(conversation)) from error

    async def _open(self, request: Request) -> tuple[AsyncStream[ResponseStreamEvent], str]:
        """Asks; also says in which conversation, if in any."""
        conversation = "" if self._local else request.remote
        try:
            if conversation:
                try:
                    return await self._ask_in(conversation, request, request.history), conversation
                except NotFoundError as error:
                    if model_is_unknown(error):
                        raise
                    log.info("openai.conversation.gone")
            if not self._local and (conversation := await self._create(request.history)):
                return await self._ask_in(conversation, request), conversation
        except APIStatusError as error:
            if not _is_refused(error):
                raise
            self._local = True
        return await self._ask_with_history(request), ""

    async def _create(self, history: Sequence[Exchange]) -> str:
        """A new conversation that knows the history; empty where the server has no conversations."""
        items = _input(messages(trim(history, self._history_tokens)))
        try:
            made = await self._client.conversations.create(
                items=items[:_CHUNK] or omit, metadata={"made_by": "rivulet"}
            )
        except APIStatusError as error:
            if error.status_code not in _NONE_HERE:
                raise
            made = None
        conversation = text(made, "id")  # empty also where a catch-all page answers 200
        if not conversation:
            log.info("openai.conversations.none", extra={"address": self._server.address})
            self._local = True
            return ""
        for start in range(_CHUNK, len(items), _CHUNK):
            await self._client.conversations.items.create(conversation, items=items[start : start + _CHUNK])
        return conversation

    async def _ask_in(
        self, conversation: str, request: Request, history: Sequence[Exchange] = ()
    ) -> AsyncStream[ResponseStreamEvent]:
        """Asks; before the question it says what the conversation lacks of the history."""
        for wait in (*self._locked_waits, None):
            # looked up each time: what holds the lock may be an aborted answer that is being added
            before = missing(history, await self._newest(conversation)) if unsettled(history) else []
            try:
                return await self._client.responses.create(
                    **self._settings,
                    input=_input([*before, Message("user", request.text)]),
                    conversation=conversation,
                    store=True,
                    stream=True,
                    stream_options={"include_obfuscation": False},  # padding that only costs bandwidth
                    truncation="auto",
                    safety_identifier=request.person or omit,
                )
            except APIStatusError as error:
                if error.code != "conversation_locked":
                    raise
            if wait is not None:
                log.info("openai.conversation.locked", extra={"wait": wait})
                await asyncio.sleep(wait)
        detail = "The server is still busy with this conversation."
        raise BackendError(Ending(End.OVERLOADED, detail), again=True)

    async def _newest(self, conversation: str) -> list[Message]:
        """The newest messages that the server holds, oldest first."""
        page = await self._client.conversations.items.list(conversation, limit=_NEWEST, order="desc")
        held = [message for item in page.data or [] if (message := _message(item))]
        return held[::-1]

    async def _ask_with_history(self, request: Request) -> AsyncStream[ResponseStreamEvent]:
        # no field here that only OpenAI has: this is for all the others
        said = messages(trim(request.history, self._history_tokens), request.text)
        return await self._client.responses.create(**self._settings, input=_input(said), store=False, stream=True)


_CHUNK = 20  # items: OpenAI's limit for one call
_NEWEST = 100  # items: the most that one call lists; reasoning and tool calls are items too

# How servers without an API answer to it; 400: some say so for every path that they do not know.
_NONE_HERE = {400, 404, 405, 501}


def _is_refused(error: APIStatusError) -> bool:
    """The server knows the field `conversation` well enough to refuse it."""
    about = error.param == "conversation" or "'conversation'" in error.message
    return error.status_code in {400, 422, 501} and about and error.code != "conversation_locked"


def _input(said: Sequence[Message]) -> ResponseInputParam:
    return [EasyInputMessageParam(role=message.role, content=message.text) for message in said]


def _message(item: Any) -> Message | None:
    role = text(item, "role")
    if text(item, "type") != "message" or role not in ("user", "assistant"):
        return None
    texts = [text(part, "text") or text(part, "refusal") for part in many(item, "content")]
    return Message(role, "\n\n".join(filter(None, texts)))
