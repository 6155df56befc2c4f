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
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

from openai import APIStatusError, AsyncOpenAI, NotFoundError

from adapters.openai.answer import Answer, Piece
from adapters.openai.client import address, given, path
from adapters.openai.errors import FAULTS, Server, model_is_unknown, translate, unfinished
from adapters.openai.fields import many, text
from adapters.openai.memory import Message, as_json, messages, missing, unsettled
from adapters.openai.probe import probe
from adapters.openai.responses_events import Created, Finished, to_event
from adapters.openai.streams import Stream, open_stream
from adapters.openai.tokens import trim
from bot.core.model import Began, End, Ending, Event, Exchange, Request, Working
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
        self._settings = given(
            model=model,
            instructions=instructions,
            max_output_tokens=max_output_tokens,
            reasoning=given(effort=reasoning_effort),
        )

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
            await self._client.delete(path("conversations", remote), cast_to=object)
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
        conversation = "" if self._local else request.remote
        try:
            stream = await self._go_on(conversation, request) if conversation else None
            if stream is None and not self._local and (conversation := await self._create(request.history)):
                yield Began(conversation)  # now: if the question is refused, nobody else would know of it
                stream = await self._ask_in(conversation, request)
            if stream is None:
                conversation, stream = "", await self._ask_with_history(request)
            while True:
                async with stream:
                    stream.check(self._server)
                    answer, began = Answer(), False
                    async for _, data in stream:
                        event = to_event(data, self._server, kept=bool(conversation))
                        if event is None:
                            continue
                        if isinstance(event, Working):
                            yield event
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
                                await stream.drain()
                                return
                    else:
                        raise unfinished(kept=bool(conversation))
                stream = await self._ask_with_history(request)
        except FAULTS as error:
            raise translate(error, self._server, kept=bool(conversation)) from error

    async def _go_on(self, conversation: str, request: Request) -> Stream | None:
        """Asks in a conversation of an earlier question; None also where it is not there any more."""
        try:
            return await self._ask_in(conversation, request, request.history)
        except NotFoundError as error:
            if model_is_unknown(error):
                raise
        log.info("openai.conversation.gone")
        return None

    async def _create(self, history: Sequence[Exchange]) -> str:
        """A new conversation that knows the history; empty where the server has no conversations."""
        items = [as_json(message) for message in messages(trim(history, self._history_tokens))]
        body = {"metadata": {"made_by": "rivulet"}} | given(items=items[:_CHUNK])
        try:
            made = await self._client.post(path("conversations"), body=body, cast_to=object)
        except APIStatusError as error:
            if error.status_code not in _NONE_HERE:
                raise
            made = None
        conversation = text(made, "id")  # empty also where a catch-all page answers 200
        if not conversation:
            log.info("openai.conversations.none", extra={"address": self._server.address})
            self._local = True
            return ""
        try:
            for start in range(_CHUNK, len(items), _CHUNK):
                body = {"items": items[start : start + _CHUNK]}
                await self._client.post(path("conversations", conversation, "items"), body=body, cast_to=object)
        except FAULTS:
            with suppress(*FAULTS):  # one that knows a half of the history is of no use
                await self._client.delete(path("conversations", conversation), cast_to=object)
            raise
        return conversation

    async def _ask_in(self, conversation: str, request: Request, history: Sequence[Exchange] = ()) -> Stream | None:
        """Asks; before the question it says what the conversation lacks of the history. None where it is refused."""
        for wait in (*self._locked_waits, None):
            # looked up each time: what holds the lock may be an aborted answer that is being added
            before = missing(history, await self._newest(conversation)) if unsettled(history) else []
            try:
                return await self._ask(
                    [*before, Message("user", request.text)],
                    conversation=conversation,
                    store=True,
                    stream_options={"include_obfuscation": False},  # padding that only costs bandwidth
                    truncation="auto",
                    **given(safety_identifier=request.person),
                )
            except APIStatusError as error:
                if _is_refused(error):
                    self._local = True
                    return None
                if error.code != "conversation_locked":
                    raise
            if wait is not None:
                log.info("openai.conversation.locked", extra={"wait": wait})
                await asyncio.sleep(wait)
        detail = "The server is still busy with this conversation."
        raise BackendError(Ending(End.OVERLOADED, detail), again=True)

    async def _newest(self, conversation: str) -> list[Message]:
        """The newest messages that the server holds, oldest first."""
        newest = {"limit": _NEWEST, "order": "desc"}
        page = await self._client.get(
            path("conversations", conversation, "items"), cast_to=object, options={"params": newest}
        )
        held = [message for item in many(page, "data") if (message := _message(item))]
        return held[::-1]

    async def _ask_with_history(self, request: Request) -> Stream:
        # no field here that only OpenAI has: this is for all the others
        return await self._ask(messages(trim(request.history, self._history_tokens), request.text), store=False)

    async def _ask(self, said: Sequence[Message], **more: Any) -> Stream:
        body = {**self._settings, "input": [as_json(message) for message in said], **more}
        return await open_stream(self._client, path("responses"), body)


_CHUNK = 20  # items: OpenAI's limit for one call
_NEWEST = 100  # items: the most that one call lists; reasoning and tool calls are items too

# How servers without an API answer to it; 400: some say so for every path that they do not know.
_NONE_HERE = {400, 404, 405, 501}


def _is_refused(error: APIStatusError) -> bool:
    """The server knows the field `conversation` well enough to refuse it."""
    about = error.param == "conversation" or "'conversation'" in error.message
    return error.status_code in {400, 422, 501} and about and error.code != "conversation_locked"


def _message(item: Any) -> Message | None:
    role = text(item, "role")
    if text(item, "type") != "message" or role not in ("user", "assistant"):
        return None
    texts = [text(part, "text") or text(part, "refusal") for part in many(item, "content")]
    return Message(role, "\n\n".join(filter(None, texts)))
