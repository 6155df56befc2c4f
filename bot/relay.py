"""Drives one turn: Backend -> Reply (or StreamedReply) -> Platform.

    reading   the model's stream -> reply.feed, whatever the platform does
    writing   a permit -> reply.next_action -> the call -> reply.done, until the reply is done
    typing    until the first page is there; what it leaves is taken back at the end

Reading never waits for writing and writing never waits for reading; both know only the reply. Neither waits for the
database: what becomes known meanwhile is noted in its order, behind their backs, and before the end is stored.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from hashlib import sha256

from bot.calls import make, make_streamed
from bot.core.actions import Append, Attach, Delete, Edit, Post, Start, Stop, Streamed, Write
from bot.core.attaching import Attaching
from bot.core.model import Began, Delta, End, Ended, Ending, Prompt, Request, Turn, Working
from bot.core.pacing import Call, Done, Idle, Need, Receipt
from bot.core.reply import Reply
from bot.core.streamed_reply import Showing, StreamedReply
from bot.errors import BackendError, Gone, PlatformError, Refused, Rejected, StreamEnded, Unreachable
from bot.gate import Gate, Permit, Writer
from bot.notes import Notes, finish, to_its_end
from bot.ports import Backend, Platform, Running, Store

log = logging.getLogger(__name__)

_TRIES = 3  # of asking the model, while nothing has been shown
_LONGEST_WAIT = 10.0  # seconds that a person is left waiting for a retry without being told
_LONGEST_PAUSE = 15.0  # seconds between two tries of a call to an unreachable platform
_LEAVING = 5.0  # seconds for taking back what would look as if the answer went on


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the model may be silent, in seconds."""

    first_token: float = 180.0  # models that reason think for minutes before the first word
    idle: float = 60.0  # between two deltas
    total: float = 1200.0


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
        timeouts: Timeouts,
        attaching: Attaching = Attaching(),  # noqa: B008  (frozen)
    ) -> None:
        self._turn = turn = running.turn
        self._conversation = running.conversation
        self._history = running.history
        self._platform = platform
        self._backend = backend
        self._store = store
        self._gate = gate
        self._timeouts = timeouts
        streaming = platform.streaming(turn.prompt.place)
        self._place = streaming.place if streaming else turn.prompt.place
        resumed = turn.attempts > 1 or bool(turn.messages)
        self._streaming = None if resumed else streaming
        self._streamed = StreamedReply(self._streaming.dialect, attaching) if self._streaming else None
        self._reply: Showing = self._streamed or Reply(
            platform.dialect, turn.messages, resumed=turn.attempts > 1, attaching=attaching
        )
        self._reading: asyncio.Task[None] | None = None
        self._writer: Writer | None = None
        self._showing = asyncio.Event()  # the first page is there, or on its way
        self._calls = 0
        self._quiet: Permit | None = None  # kept for taking back that an answer is coming
        self.withdrawn = False  # nobody wants the answer any more
        self.asked_anew = ""  # the question as it was edited meanwhile: another attempt will answer that
        self._typed = turn.attempts > 1  # this process, or one before it, has said that an answer is coming

    @property
    def turn(self) -> Turn:
        return self._turn

    @property
    def messages(self) -> tuple[str, ...]:
        """The ids of the pages that are there, in order."""
        return self._reply.messages

    def stop(self, ending: Ending) -> None:
        """Ends the answer here: what is shown stays, and the model's stream is closed at once."""
        self._finish(ending)
        if self._reading is not None:
            self._reading.cancel()

    def withdraw(self) -> None:
        """Ends the answer and removes its messages."""
        self.withdrawn = True
        self._reply.withdraw()
        self.stop(Ending(End.STOPPED))

    def ask_anew(self, text: str) -> None:
        """Ends this attempt: its messages stay as they are, for another to fill, and no end of the turn is stored."""
        self.asked_anew = text
        self._reply.lost()
        self.stop(Ending(End.STOPPED))

    async def run(self) -> Ending:
        """Answers the question, and returns how it ended when the last state is shown and stored.

        Raises StoreError if its end cannot be stored.
        """
        log.info("turn.started", extra={"turn": self._turn.id, "channel": str(self._turn.prompt.channel)})
        later = (Call.STOP, Call.APPEND) if self._streamed else (Call.EDIT,)
        try:
            with self._gate.writer(self._place, self._need, later) as self._writer:
                async with asyncio.TaskGroup() as group:
                    self._notes = Notes(group, self._turn)
                    self._reading = group.create_task(self._read())
                    typing = group.create_task(self._type())
                    await self._write(self._writer)
                    self._reading.cancel()
                    typing.cancel()
            ending = self._reply.ending or Ending(End.STOPPED)
            if not self.asked_anew:
                await to_its_end(finish(self._store, self._turn, self._reply.text, ending))
        finally:
            await to_its_end(self._leave())
        log.info("turn.finished", extra={"turn": self._turn.id, "end": ending.end.value, "calls": self._calls})
        return ending

    def _finish(self, ending: Ending) -> None:
        self._reply.finish(ending, asyncio.get_running_loop().time())
        if self._writer is not None:
            self._writer.changed()

    # Reading

    async def _read(self) -> None:
        if self._reply.ending is not None:
            return  # stopped before it began
        deadline = asyncio.get_running_loop().time() + self._timeouts.total
        tries = 0
        while True:
            tries += 1
            try:
                ending = await self._stream(deadline)
            except BackendError as error:
                pause = error.ending.retry_after or 0.5 * 2**tries
                if error.again and not self._reply.text and tries < _TRIES and pause <= _LONGEST_WAIT:
                    log.info("model.retry", extra={"turn": self._turn.id, "end": error.ending.end.value, "in": pause})
                    await asyncio.sleep(pause)
                    continue
                ending = error.ending
                log.warning(
                    "model.failed",
                    extra={"turn": self._turn.id, "end": ending.end.value, "detail": ending.detail},
                )
            except Exception:
                log.exception("model.broken", extra={"turn": self._turn.id})
                ending = Ending(End.FAILED)
            self._finish(ending)
            return

    async def _stream(self, deadline: float) -> Ending:
        """Feeds the reply from one request to the model until it ends."""
        prompt, loop = self._turn.prompt, asyncio.get_running_loop()
        request = Request(prompt.for_model(), self._conversation.remote, tuple(self._history), _opaque(prompt))
        patience = asyncio.timeout_at(min(deadline, loop.time() + self._timeouts.first_token))
        try:
            async with patience, self._backend.stream(request) as events:
                async for event in events:
                    match event:
                        case Began():
                            self._began(event)
                        case Working(doing):
                            self._work(doing, loop.time())
                        case Delta(text):
                            self._feed(text, loop.time())
                            patience.reschedule(min(deadline, loop.time() + self._timeouts.idle))
                        case Ended(ending):
                            return ending
        except TimeoutError:
            if not patience.expired():
                raise
            raise BackendError(self._timed_out(loop.time() >= deadline)) from None
        raise BackendError(Ending(End.UNFINISHED))

    def _feed(self, text: str, now: float) -> None:
        self._reply.feed(text, now)
        if self._writer is not None and (self._writer.idle or not self._reply.visible):
            self._writer.changed()

    def _work(self, doing: str, now: float) -> None:
        self._reply.work(doing, now)
        if self._writer is not None and self._writer.idle:
            self._writer.changed()

    def _began(self, event: Began) -> None:
        if event.remote and event.remote != self._conversation.remote:
            self._conversation = replace(self._conversation, remote=event.remote)
            self._notes.add(self._store.set_remote(self._conversation, event.remote))
        if event.response:
            self._notes.add(self._store.set_response(self._turn, event.response))

    def _timed_out(self, at_all: bool) -> Ending:
        if at_all:
            return Ending(End.TIMED_OUT, f"An answer may take {self._timeouts.total:.0f} seconds")
        silence = self._timeouts.idle if self._reply.text else self._timeouts.first_token
        return Ending(End.TIMED_OUT, f"It was silent for {silence:.0f} seconds")

    # Writing

    async def _write(self, writer: Writer) -> None:
        pause = 0.5
        while (permit := await writer.permit()) is not None:
            action = self._reply.next_action()
            if not isinstance(action, Write | Streamed):
                permit.unused()
                continue
            if action.call is not permit.call:  # the text has moved on to another page since the permit was chosen
                permit.unused()
                self._reply.failed()
                continue
            try:
                await self._perform(action, permit)
                pause = 0.5
            except Unreachable as error:
                log.warning("platform.unreachable", extra={"turn": self._turn.id, "detail": str(error)})
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _need(self) -> Need | Idle | Done:
        """What the reply needs; where streams are scarce now, what it needs without."""
        need = self._reply.need()
        if self._streamed is None or not isinstance(need, Need):
            return need
        if need.call is Call.START and not self._gate.spares((Call.START, Call.STOP), self._place):
            self._edit_instead()
        elif need.call is Call.STOP and not self._gate.free(Call.STOP, self._place):
            self._streamed.append_first()
        else:
            return need
        return self._streamed.need()

    def _edit_instead(self) -> None:
        if self._streamed is not None and self._writer is not None:
            self._streamed.edit_instead()
            self._writer.will_need(Call.EDIT)

    async def _perform(self, action: Write | Streamed, permit: Permit) -> None:
        """Makes one call, and tells the reply what became of it. Raises Unreachable."""
        self._calls += 1
        self._showing.set()
        try:
            receipt = await permit.spend(self._call(action))
        except Refused as error:
            log.warning("platform.refused", extra={"turn": self._turn.id, "retry_after": error.retry_after})
            self._reply.failed()
        except Unreachable:
            self._reply.unknown(action)
            raise
        except StreamEnded as error:
            assert self._streamed is not None
            log.info("stream.ended", extra={"turn": self._turn.id, "detail": str(error)})
            self._streamed.ended(action, by_person=error.by_person)
            if error.by_person:
                self.stop(Ending(End.STOPPED))
        except (Gone, Rejected) as error:
            if isinstance(error, Rejected) and self._reply.rejected(action):
                log.warning("call.rejected", extra={"turn": self._turn.id, "detail": str(error)})
                self._edit_instead()
                return
            if isinstance(action, Delete) and isinstance(error, Gone) and error.message:
                self._made(action, action.message)  # somebody was faster, or an earlier try had its effect
                return
            if isinstance(error, Gone) and error.message and self._reply.vanished(action):
                log.info("page.deleted", extra={"turn": self._turn.id})
                assert isinstance(action, Edit | Append | Stop)
                self._notes.add(self._store.drop_message(self._turn, action.message))
                return
            log.warning("reply.abandoned", extra={"turn": self._turn.id, "detail": str(error)})
            self._reply.lost()
            self.stop(Ending(End.STOPPED, "The message, the channel or the permission is gone."))
        else:
            self._made(action, receipt.message)

    async def _call(self, action: Write | Streamed) -> Receipt:
        prompt = replace(self._turn.prompt, place=self._place)
        if isinstance(action, Write):
            return await make(self._platform, prompt, action)
        assert self._streaming is not None
        if isinstance(action, Stop):
            self._typed = self._typed or action.more
        return await make_streamed(self._streaming, prompt, action)

    def _made(self, action: Write | Streamed, message: str) -> None:
        self._reply.done(action, message)
        match action:
            case Post() | Start():
                self._notes.add(self._store.add_message(self._turn, message))
            case Delete():
                self._notes.add(self._store.drop_message(self._turn, message))
            case Edit() | Append() | Stop() | Attach():  # files are no page: a second attempt must not write into them
                pass

    # Typing

    async def _type(self) -> None:
        place = self._place
        if self._platform.limits(Call.QUIET, place):  # first, so that taking it back never has to wait
            self._quiet = await self._gate.side_call(Call.QUIET, place)
        while not (self._showing.is_set() or self._reply.visible or self._reply.ending):
            permit = await self._gate.side_call(Call.TYPING, place)
            if self._showing.is_set():
                permit.unused()
                return
            self._typed = True
            try:
                again = await permit.spend(self._platform.typing(place))
            except PlatformError as error:
                log.info("typing.failed", extra={"turn": self._turn.id, "detail": str(error)})
                return
            if not again:
                return
            try:
                async with asyncio.timeout(again):
                    await self._showing.wait()
            except TimeoutError:
                pass

    async def _leave(self) -> None:
        """Leaves nothing that looks as if the answer went on, however it ended."""
        try:
            async with asyncio.timeout(_LEAVING):
                if self._streaming and self._streamed and (message := self._streamed.streaming):
                    await self._streaming.stop(message, "", more=False)
        except Gone as error:  # so it looks like nothing any more, or nobody can help it
            log.info("stream.gone", extra={"turn": self._turn.id, "detail": str(error)})
        except (PlatformError, TimeoutError) as error:
            log.warning("stream.left_open", extra={"turn": self._turn.id, "detail": str(error)})
        if not self._typed:
            if self._quiet is not None:
                self._quiet.unused()
            return
        if not self._platform.limits(Call.QUIET, self._place):
            return
        try:
            async with asyncio.timeout(_LEAVING):
                permit = self._quiet or await self._gate.side_call(Call.QUIET, self._place)
                await permit.spend(self._platform.quiet(self._place))
        except (PlatformError, TimeoutError) as error:
            log.info("typing.left", extra={"turn": self._turn.id, "detail": str(error)})


def _opaque(prompt: Prompt) -> str:
    """An id of the person that tells nothing about them, as OpenAI asks for (safety_identifier, <= 128 characters)."""
    return sha256(f"{prompt.channel.platform}:{prompt.author.id}".encode()).hexdigest()[:32]
