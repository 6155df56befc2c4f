"""The Responses API, with the Conversations API as its memory, or the local history where a server has none.

    conversation known? -> ask in it, first telling it what an aborted turn may have kept from it
    none yet?           -> create one, seeded with the history
    server has none?    -> send the history each time and have nothing stored; learnt once for the process

A server that takes `conversation` and silently ignores it is found out by the first event, which names none. The same
event tells whether the server took `background`: then the answer goes on there whatever becomes of its stream, and can
be taken up. Only where a conversation holds the answer is it asked for in the background.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from openai import APIStatusError, AsyncOpenAI, NotFoundError

from adapters.openai.answer import Answer, Piece
from adapters.openai.background import Background, Setting
from adapters.openai.cancel import cancel
from adapters.openai.client import address, given, path
from adapters.openai.conversations import Conversations
from adapters.openai.cursor import cursor
from adapters.openai.errors import FAULTS, Server, model_is_unknown, translate, unfinished
from adapters.openai.fields import text
from adapters.openai.making import Making
from adapters.openai.memory import Message, answered, as_json, messages, missing, unsettled
from adapters.openai.probe import probe
from adapters.openai.responses_events import Created, Finished, to_event
from adapters.openai.responses_resumed import resumed
from adapters.openai.streams import Stream, open_stream
from adapters.openai.tokens import trim
from bot.core.model import Began, Delta, End, Ended, Ending, Event, Exchange, Mark, Request, Working
from bot.errors import BackendError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question on its way."""

    stream: Stream
    at: float  # seconds of the loop's clock
    background: bool  # asked for; whether the server does it, it tells


class ResponsesBackend:
    """Remembers on the server where it can.

    `locked_waits`: seconds before asking again in a conversation that is busy; OpenAI's own Agents SDK waits so.
    `patient_waits`: the same where it may be busy with the very question, by an attempt that was cut short.
    `poll`: seconds between two looks at an answer that cannot be streamed any more.
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
        background: Setting = "off",
        locked_waits: Sequence[float] = (1.0, 2.0, 4.0),
        patient_waits: Sequence[float] = (1.0, 2.0, 4.0, *[5.0] * 11),  # a minute in all
        poll: float = 1.0,
    ) -> None:
        self._client = client
        self._conversations = Conversations(client)
        self._making = Making()
        self._background = Background(background)
        self._locked_waits = locked_waits
        self._patient_waits = patient_waits
        self._poll = poll
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
        mark = request.mark
        answering = resumed(self._client, self._server, mark, self._poll) if mark else self._events(request)
        async with aclosing(answering) as events:
            yield events

    async def cancel(self, remote: str, response: str) -> None:
        if response:
            await cancel(self._client, self._server, "responses", response)

    async def forget(self, remote: str) -> None:
        if not remote:
            return
        try:
            await self._conversations.delete(remote)
        except NotFoundError:
            log.info("openai.conversation.gone")
        except FAULTS as error:
            raise translate(error, self._server, kept=False) from error

    async def leave_nothing(self) -> None:
        """Nothing: a conversation is all that this API makes."""

    async def probe(self) -> None:
        await probe(self._client, self._server)

    async def close(self) -> None:
        await self._making.close()
        await self._client.close()

    async def _events(self, request: Request) -> AsyncGenerator[Event]:
        conversation, response = "" if self._local else request.remote, ""  # the one that goes on without us
        try:
            asked = await self._go_on(conversation, request) if conversation else None
            if asked is None and not self._local and (conversation := await self._create(request.history)):
                yield Began(conversation)  # now: if the question is refused, nobody else would know of it
                asked = await self._ask_in(conversation, request)
            if isinstance(asked, str):
                yield Began(conversation)
                yield Delta(asked)
                yield Ended(Ending(End.COMPLETED))
                return
            if asked is None:
                conversation, asked = "", await self._ask_with_history(request)
            while True:
                async with asked.stream as stream:
                    # some servers take `background`, and tell of the answer in a document
                    if asked.background and (response := text(await stream.document(), "id")):
                        yield Began(conversation, response)
                        async with aclosing(resumed(self._client, self._server, Mark(response), self._poll)) as rest:
                            async for event in rest:
                                yield event
                        return
                    stream.check(self._server)
                    answer, began, writes = Answer(), False, False
                    async for _, data in stream:
                        event = to_event(data, self._server, kept=bool(conversation))
                        if event is None:
                            continue
                        if not writes and isinstance(event, Working | Piece):
                            writes = True
                            self._background.began(asked.background, _now() - asked.at)
                        if isinstance(event, Working):
                            yield event
                            continue
                        if conversation and not isinstance(event, Piece) and not event.conversation:
                            log.info("openai.conversations.ignored", extra={"address": self._server.address})
                            self._local, conversation = True, ""
                            if request.history and not began:
                                if isinstance(event, Created) and event.background:
                                    with suppress(BackendError):
                                        await self.cancel("", event.response)
                                break  # it would answer without knowing what was said
                        if not began:
                            began = True
                            if isinstance(event, Created) and event.background:
                                response = event.response
                            elif asked.background:
                                log.info("openai.background.ignored", extra={"address": self._server.address})
                                self._background.refused()
                            yield Began(conversation, response)
                        match event:
                            case Created():
                                pass
                            case Piece():
                                if delta := answer.add(event):
                                    yield Delta(delta.text, cursor(data, answer)) if response else delta
                            case Finished():
                                for piece in () if not answer.empty else event.pieces:
                                    if delta := answer.add(piece):
                                        yield delta
                                yield answer.end(event.ending)
                                await stream.drain()
                                return
                    else:
                        raise unfinished(kept=bool(conversation), goes_on=bool(response))
                asked = await self._ask_with_history(request)
        except FAULTS as error:
            raise translate(error, self._server, kept=bool(conversation), goes_on=bool(response)) from error

    async def _go_on(self, conversation: str, request: Request) -> _Asked | str | None:
        """Asks in a conversation of an earlier question; None also where it is not there any more. The answer, where it
        holds one to this question."""
        try:
            return await self._ask_in(conversation, request, request.history)
        except NotFoundError as error:
            if model_is_unknown(error):
                raise
        log.info("openai.conversation.gone")
        return None

    async def _create(self, history: Sequence[Exchange]) -> str:
        """A new conversation that knows the history; empty where the server has no conversations."""
        making = self._conversations.create(messages(trim(history, self._history_tokens)))
        conversation = await self._making.make(making, self._conversations.delete)
        if not conversation:
            log.info("openai.conversations.none", extra={"address": self._server.address})
            self._local = True
        return conversation

    async def _ask_in(
        self, conversation: str, request: Request, history: Sequence[Exchange] = ()
    ) -> _Asked | str | None:
        """Asks; before the question it says what the conversation lacks of the history. None where it is refused. The
        answer, where the conversation turns out to hold one to this question."""
        waits = self._patient_waits if request.asked_before else self._locked_waits
        for wait in (*waits, None):
            before: list[Message] = []
            if unsettled(history) or request.asked_before:
                # looked up each time: what holds the lock may be an aborted answer that is being added
                held = await self._conversations.newest(conversation)
                before = missing(history, held)
                if request.asked_before and (answer := answered(history, request.text, held)):
                    log.info("openai.conversation.answered")
                    return answer
            try:
                return await self._ask_there(conversation, [*before, Message("user", request.text)], request.person)
            except APIStatusError as error:
                if _is_refused(error, "conversation"):
                    self._local = True
                    return None
                if error.code != "conversation_locked":
                    raise
            if wait is not None:
                log.info("openai.conversation.locked", extra={"wait": wait})
                await asyncio.sleep(wait)
        detail = "The server is still busy with this conversation."
        raise BackendError(Ending(End.OVERLOADED, detail), again=True)

    async def _ask_there(self, conversation: str, said: Sequence[Message], person: str) -> _Asked:
        """Asks in the background if that is wanted, and if the server refuses only that, otherwise."""
        more = {
            "conversation": conversation,
            "store": True,
            "stream_options": {"include_obfuscation": False},  # padding that only costs bandwidth
            "truncation": "auto",
            **given(safety_identifier=person),
        }
        if self._background.choose():
            try:
                return await self._ask(said, background=True, **more)
            except APIStatusError as error:
                if not (self._background.may_do_without and _is_refused(error, "background")):
                    raise
            log.info("openai.background.none", extra={"address": self._server.address})
            self._background.refused()
        return await self._ask(said, **more)

    async def _ask_with_history(self, request: Request) -> _Asked:
        # no field here that only OpenAI has: this is for all the others
        return await self._ask(messages(trim(request.history, self._history_tokens), request.text), store=False)

    async def _ask(self, said: Sequence[Message], **more: Any) -> _Asked:
        body = {**self._settings, "input": [as_json(message) for message in said], **more}
        at = _now()
        return _Asked(await open_stream(self._client, path("responses"), body), at, "background" in more)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _is_refused(error: APIStatusError, field: str) -> bool:
    """The server knows this field well enough to refuse it."""
    about = error.param == field or f"'{field}'" in error.message or f"`{field}`" in error.message
    return error.status_code in {400, 422, 501} and about and error.code != "conversation_locked"
