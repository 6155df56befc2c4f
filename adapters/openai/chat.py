"""Chat Completions: the API that every compatible server has. It remembers nothing; the history goes along."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from openai import AsyncOpenAI

from adapters.openai.answer import THINKING, Answer
from adapters.openai.chat_events import to_event
from adapters.openai.client import address, given, path
from adapters.openai.errors import FAULTS, Server, no_rest, translate, unfinished
from adapters.openai.memory import as_json, messages
from adapters.openai.probe import probe
from adapters.openai.streams import Stream, open_stream
from adapters.openai.tokens import trim
from bot.core.model import Began, Event, Request, Working


class ChatBackend:
    """Remembers nothing. `identify`: tell the server the asking person's id, a field that some servers refuse."""

    def __init__(
        self,
        client: AsyncOpenAI,
        *,
        model: str,
        instructions: str,
        max_output_tokens: int | None = None,
        reasoning_effort: str = "",
        history_tokens: int = 8000,
        identify: bool = False,
    ) -> None:
        self._client = client
        self._server = Server("chat", address(client), model)
        self._instructions = instructions
        self._history_tokens = history_tokens
        self._identify = identify
        self._settings = given(model=model, max_completion_tokens=max_output_tokens, reasoning_effort=reasoning_effort)

    @property
    def name(self) -> str:
        return "chat"

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncGenerator[AsyncIterator[Event]]:
        async with aclosing(self._events(request)) as events:
            yield events

    async def cancel(self, remote: str, response: str) -> None:
        """Nothing goes on at the server."""

    async def forget(self, remote: str) -> None:
        """Nothing: there is no conversation on the server."""

    async def leave_nothing(self) -> None:
        """Nothing: this API makes nothing."""

    async def probe(self) -> None:
        await probe(self._client, self._server)

    async def close(self) -> None:
        await self._client.close()

    async def _events(self, request: Request) -> AsyncGenerator[Event]:
        if request.mark:
            raise no_rest(self._server)
        answer, began, thinking = Answer(), False, False
        try:
            async with await self._ask(request) as stream:
                stream.check(self._server)
                async for _, chunk in stream:
                    event = to_event(chunk, self._server)
                    if not began:
                        began = True
                        yield Began()
                    if event.thinks and not thinking:
                        yield Working(THINKING)
                    thinking = event.thinks
                    for piece in event.pieces:
                        if delta := answer.add(piece):
                            yield delta
                    if event.ending:
                        yield answer.end(event.ending)
                        await stream.drain()
                        return
                raise unfinished(kept=False)
        except FAULTS as error:
            raise translate(error, self._server, kept=False) from error

    async def _ask(self, request: Request) -> Stream:
        asked = messages(trim(request.history, self._history_tokens), request.text)
        system = [{"role": "system", "content": self._instructions}] if self._instructions else []
        person = request.person if self._identify else ""
        # no stream_options, which some servers refuse
        body = self._settings | {"messages": [*system, *map(as_json, asked)]} | given(safety_identifier=person)
        return await open_stream(self._client, path("chat", "completions"), body)
