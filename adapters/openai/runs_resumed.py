"""A run whose stream broke, or was never heard: no other stream of it can be had, so it is looked up with its messages.

    run, then its messages -> what they say beyond what is known
    it goes on?            -> look again after a while

The run is read first: once it has ended, its messages say all that they will ever say. Some servers show a message
while it is written, others only when it is whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from adapters.openai.answer import AnotherText, Answer, Beyond
from adapters.openai.assistant_events import Calls, is_filtered, pieces, to_event
from adapters.openai.errors import Server, another_answer
from adapters.openai.fields import text
from adapters.openai.threads import Threads
from bot.core.model import Delta, End, Ended, Ending


@dataclass(slots=True)
class Run:
    """A run, and the answer that it gives as far as it was heard or read."""

    thread: str
    id: str = ""  # empty until it is known
    answer: Answer = field(default_factory=Answer)
    filtered: bool = False  # a content filter has cut a message

    def end(self, ending: Ending) -> Ended:
        return self.answer.end(Ending(End.FILTERED) if self.filtered else ending)


async def reread(
    threads: Threads, server: Server, run: Run, known: str, poll: float
) -> AsyncGenerator[Delta | Calls | Ended]:
    """What the run says beyond the known text, until it ends or waits for functions. `poll`: seconds between two looks.

    Raises BackendError; errors of the SDK pass through.
    """
    while True:
        state = await threads.look(run.thread, run.id)
        messages = await threads.said(run.thread, run.id)
        run.answer = Answer()
        run.filtered = any(map(is_filtered, messages))
        deltas = [run.answer.add(piece) for message in messages for piece in pieces(message)]
        beyond = Beyond(known)
        try:
            if rest := "".join(beyond.add(delta.text) for delta in deltas if delta):
                known += rest
                yield Delta(rest)
            match to_event(f"thread.run.{text(state, 'status')}", state, server):
                case Ending() as ending:
                    beyond.end()
                    yield run.end(ending)
                    return
                case Calls() as calls:
                    yield calls
                    return
                case _:
                    await asyncio.sleep(poll)
        except AnotherText as error:
            raise another_answer(server) from error
