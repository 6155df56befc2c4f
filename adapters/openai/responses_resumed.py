"""An answer of the Responses API that goes on in the background, taken up where its stream broke.

    its stream, from the event after the mark's cursor on
    it cannot be streamed (any more)? -> it is looked up until it has ended

OpenAI streams a response only during the five minutes after its creation ("This response can no longer be streamed
because it is more than 5 minutes old", 400), others answer every GET with a document.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from openai import APIStatusError, AsyncOpenAI, NotFoundError

from adapters.openai.answer import AnotherText, Answer, Beyond, Piece
from adapters.openai.client import path
from adapters.openai.cursor import cursor, taken_up
from adapters.openai.errors import FAULTS, Server, another_answer, no_rest, translate, unfinished
from adapters.openai.responses_events import Finished, ended, said, to_event
from adapters.openai.streams import Stream, follow_stream
from bot.core.model import Delta, Ended, Event, Mark, Working


async def resumed(client: AsyncOpenAI, server: Server, mark: Mark, poll: float) -> AsyncGenerator[Event]:
    """What the answer has beyond the mark, and what comes then. `poll`: seconds between two looks. Raises BackendError.

    Text that comes from a document has no cursor: from there it goes on from the beginning, without what is known.
    """
    known, document = [mark.text], None
    try:
        stream = await _listen(client, mark)
        if stream is not None:
            async with stream, aclosing(_streamed(stream, server, mark)) as events:
                document = await stream.document()
                if document is None:
                    stream.check(server)
                    async for event in events:
                        if isinstance(event, Delta):
                            known.append(event.text)
                        yield event
                        if isinstance(event, Ended):
                            await stream.drain()
                            return
        if stream is not None and document is None:  # it ended without a word: perhaps cancelled, which no event tells
            document = await _look_up(client, mark)
            if ended(document, server) is None:
                raise unfinished(kept=True, goes_on=True)
        text = "".join(known)
        while True:
            if document is None:
                document = await _look_up(client, mark)
            answer, beyond = Answer(), Beyond(text)
            if rest := "".join(beyond.add(delta.text) for piece in said(document) if (delta := answer.add(piece))):
                text += rest
                yield Delta(rest)
            if ending := ended(document, server):
                beyond.end()
                yield answer.end(ending)
                return
            await asyncio.sleep(poll)
            document = None
    except AnotherText as error:
        raise another_answer(server) from error
    except NotFoundError as error:
        raise no_rest(server) from error
    except FAULTS as error:
        raise translate(error, server, kept=True, goes_on=True) from error


async def _listen(client: AsyncOpenAI, mark: Mark) -> Stream | None:
    """None where it cannot be streamed (any more)."""
    after, _ = taken_up(mark.cursor)
    params: dict[str, Any] = {"stream": "true", "include_obfuscation": "false"}
    if after is not None:
        params["starting_after"] = after
    try:
        return await follow_stream(client, path("responses", mark.response), params)
    except APIStatusError as error:
        if error.status_code not in {400, 405, 422, 501}:
            raise
        return None


async def _streamed(stream: Stream, server: Server, mark: Mark) -> AsyncGenerator[Event]:
    after, answer = taken_up(mark.cursor)
    beyond = Beyond(mark.text if after is None else "")
    async for _, data in stream:
        match to_event(data, server, kept=True):
            case Working() as working:
                yield working
            case Piece() as piece:
                if (delta := answer.add(piece)) and (text := beyond.add(delta.text)):
                    yield Delta(text, cursor(data, answer))
            case Finished(ending, pieces):
                if answer.empty:
                    deltas = [delta for piece in pieces if (delta := answer.add(piece))]
                    if text := "".join(beyond.add(delta.text) for delta in deltas):
                        yield Delta(text)
                beyond.end()
                yield answer.end(ending)
                return
            case _:
                pass


async def _look_up(client: AsyncOpenAI, mark: Mark) -> Any:
    return await client.get(path("responses", mark.response), cast_to=object)
