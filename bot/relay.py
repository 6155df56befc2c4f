"""Drives one turn: Backend -> Reply (or StreamedReply) -> Platform.

    reading   the model's stream -> the reply, whatever the platform does (see `asking`)
    writing   the reply -> the platform, until there is nothing more to show
    busy      until the first page is there; what it leaves is taken back at the end

Reading never waits for writing and writing never waits for reading. Neither waits for the database: what becomes known
meanwhile is noted in its order, behind their backs, and before the end is stored (see `notes`).

An attempt that is cut short, by the end of the process or by a stream that broke, leaves the turn to another one: its
messages are filled again, with the answer that went on at the server or with a new one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from hashlib import sha256

from bot.asking import Asking, Outcome
from bot.core.model import Began, Delta, End, Ending, Progress, Prompt, Request, Turn, Working
from bot.gate import Gate
from bot.leaving import end_at_server, end_stream
from bot.notes import Notes, at_last, insist, to_its_end
from bot.ports import Backend, Platform, Running, Store
from bot.rules import Rules
from bot.strays import find_strays
from bot.writing import Writing

log = logging.getLogger(__name__)

_ATTEMPTS = 3  # that may be cut short; then the turn ends with what there is


class Relay:
    """One turn on its way. Run it once; `stop` may come at any time, also before."""

    def __init__(
        self,
        running: Running,
        *,
        platform: Platform,
        backend: Backend,
        store: Store,
        gate: Gate,
        rules: Rules,
    ) -> None:
        self._turn = turn = running.turn
        self._conversation = running.conversation
        self._platform = platform
        self._backend = backend
        self._store = store
        self._ask_again = rules.ask_again and not platform.dialect.append_only  # what is shown there can't be replaced
        request = Request(
            turn.prompt.for_model(),
            running.conversation.remote,
            tuple(running.history),
            _opaque(turn.prompt),
            asked_before=turn.cut_short > 0 or turn.progress.asked,
            mark=turn.progress.mark,
        )
        self._asking = Asking(backend, request, rules.timeouts, turn=turn.id)
        self._notes = Notes(store, turn)
        self._writing = Writing(turn, platform, gate, self._notes, rules.attaching)
        self._reading: asyncio.Task[None] | None = None
        self._waits: Progress | None = None  # another attempt is to answer it, and this is how far it has come
        self._counts = True  # as in `Store.requeue`
        self.quiet = True  # nothing tells any more that an answer is coming
        self.withdrawn = False  # nobody wants the answer any more
        self.asked_anew = ""  # the question as it was edited meanwhile: another attempt will answer that

    @property
    def turn(self) -> Turn:
        return self._turn

    @property
    def messages(self) -> tuple[str, ...]:
        """The ids of the pages that are there, in order."""
        return self._writing.messages

    @property
    def files(self) -> tuple[str, ...]:
        """The ids of the messages with files that are there."""
        return self._writing.files

    @property
    def waits(self) -> bool:
        """Whether it has ended without an answer, and the turn is queued again."""
        return self._waits is not None

    @property
    def another_follows(self) -> bool:
        """Whether another attempt at the turn comes after this one."""
        return (self.waits or bool(self.asked_anew)) and not self.withdrawn

    # What may end it, at any time

    def stop(self, ending: Ending) -> None:
        """Ends the answer here: what is shown stays, and the model's stream is closed at once."""
        self._writing.finish(ending)
        self._stop_reading()

    def suspend(self) -> None:
        """Ends this attempt because the process ends: the next one goes on where this has stopped."""
        if self._writing.ending is not None or not (self._asking.mark or self._ask_again):
            self.stop(Ending(End.INTERRUPTED))
            return
        self._wait_for_another(counts=False)
        if self._writing.visible:
            self.stop(Ending(End.SHUTDOWN))
        else:
            self._abandon()

    def withdraw(self) -> None:
        """Ends the answer and removes its messages."""
        self.withdrawn = True
        self._writing.withdraw()
        self._stop_reading()

    def ask_anew(self, text: str) -> None:
        """Ends this attempt: its messages stay as they are, for another to fill, and no end of the turn is stored."""
        self.asked_anew = text
        self._abandon()

    # From the beginning to the end

    async def run(self) -> Ending:
        """Answers the question, and returns how it ended when the last state is shown and stored.

        Raises Missing if the turn is not in the database any more.
        """
        turn, writing = self._turn, self._writing
        log.info("turn.started", extra={"turn": turn.id, "channel": str(turn.prompt.channel)})
        try:
            if turn.attempts > 1:
                known = (*writing.messages, *writing.files)
                writing.adopt(await find_strays(turn, self._platform, writing.place, known))
            self._take_up()
            async with asyncio.TaskGroup() as group:
                works = self._read, writing.busy.give, partial(self._notes.keep, self._progress)
                tasks = [group.create_task(_until_cancelled(work)) for work in works]
                self._reading = tasks[0]
                await writing.run(self._reading)
                for task in tasks:
                    task.cancel()
        except asyncio.CancelledError:
            await at_last(self._break_off())
            raise
        except BaseException:
            await to_its_end(self._break_off())
            raise
        await to_its_end(self._end())
        ending = writing.ending or Ending(End.STOPPED)
        log.info("turn.finished", extra={"turn": turn.id, "end": ending.end.value, "calls": writing.calls})
        return ending

    async def insist_on_quiet(self) -> None:
        """If it has not become quiet by its end: goes on trying."""
        await self._writing.busy.insist()

    async def store_failure(self) -> None:
        """One try to store that it is broken, without an answer. Raises StoreError."""
        await self._notes.settle()
        await self._store.finish(self._turn, "", Ending(End.FAILED))

    def _take_up(self) -> None:
        """Shows what an earlier attempt had, where this one goes on with it or ends with it."""
        turn = self._turn
        if turn.progress.mark:
            self._writing.show_earlier()
        cannot_go_on = bool(turn.progress.text) and not (turn.progress.mark or self._ask_again)
        if turn.cut_short >= _ATTEMPTS or cannot_go_on:
            log.warning("turn.given_up", extra={"turn": turn.id, "cut_short": turn.cut_short})
            self._writing.finish(Ending(End.INTERRUPTED))

    async def _break_off(self) -> None:
        """The platform takes the last state too late for the end of the process, or something is broken."""
        await self._leave()
        if self._is_left_to_another:
            await insist(self._store_end, self._turn)

    async def _end(self) -> None:
        await self._leave()  # first: who finds the turn open after a crash looks after that, too
        await insist(self._store_end, self._turn)

    async def _leave(self) -> None:
        """Leaves nothing that goes on, or looks as if it did, however the answer ended."""
        writing = self._writing
        self.quiet, *_ = await asyncio.gather(
            writing.busy.take_back(),
            end_stream(self._turn, writing.streaming, writing.growing),
            self._end_answer(),
        )

    async def _end_answer(self) -> None:
        """At the server, unless another attempt takes it up there."""
        if (mark := self._asking.mark) and not self._is_left_to_another:
            await end_at_server(self._turn, mark.response, self._backend, self._conversation.remote)

    async def _store_end(self) -> None:
        await self._notes.settle()
        if self.withdrawn or self.asked_anew:
            return  # that is stored by who has ended it so
        if self._waits is not None:
            await self._store.requeue(self._turn, self._waits, counts=self._counts)
        else:
            await self._store.finish(self._turn, self._writing.text, self._writing.ending or Ending(End.STOPPED))

    # Another attempt

    @property
    def _is_left_to_another(self) -> bool:
        """Whether another attempt goes on with what this one has."""
        return self.waits and not (self.withdrawn or self.asked_anew)

    def _wait_for_another(self, *, counts: bool) -> None:
        self._counts = counts
        self._waits = self._progress()

    def _progress(self) -> Progress:
        if mark := self._asking.mark:  # of its text the reply may have nothing yet
            return Progress(mark.text, self._writing.settled, mark.response, mark.cursor, asked=True)
        return Progress(self._writing.text or self._turn.progress.text, asked=self._asking.asked)

    def _abandon(self) -> None:
        """Nothing more is shown by this attempt."""
        self._writing.abandon()
        self._stop_reading()

    # Reading

    async def _read(self) -> None:
        if self._writing.ending is not None:
            return  # stopped before it began
        try:
            outcome = await self._asking.run(self._hear)
        except Exception:
            log.exception("model.broken", extra={"turn": self._turn.id})
            outcome = Outcome(Ending(End.FAILED))
        if outcome.cut_short and self._ask_again and self._turn.cut_short + 1 < _ATTEMPTS:
            self._wait_for_another(counts=True)
            self._writing.abandon()
        else:
            self._writing.finish(outcome.ending)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    def _hear(self, event: Began | Working | Delta) -> None:
        match event:
            case Began(remote, response):
                if remote and remote != self._conversation.remote:
                    self._conversation = replace(self._conversation, remote=remote)
                    self._notes.asked_in(self._conversation)
                if response:
                    self._notes.begun(self._progress())
            case Working(doing):
                self._writing.work(doing)
            case Delta(text):
                self._writing.feed(text)
                self._notes.advanced()


async def _until_cancelled(work: Callable[[], Awaitable[None]]) -> None:
    """Then it ends as if it were done: a task keeps its error, and with that all that the answer took."""
    with suppress(asyncio.CancelledError):
        await work()


def _opaque(prompt: Prompt) -> str:
    """An id of the person that tells nothing about them, as OpenAI asks for (safety_identifier, <= 128 characters)."""
    return sha256(f"{prompt.channel.platform}:{prompt.author.id}".encode()).hexdigest()[:32]
