"""Drives one turn: Backend -> Reply (or StreamedReply) -> Platform.

    reading   the model's stream -> reply.feed, whatever the platform does
    writing   a permit -> reply.next_action -> the call -> reply.done, until the reply is done
    busy      until the first page is there; what it leaves is taken back at the end

Reading never waits for writing and writing never waits for reading; both know only the reply. Neither waits for the
database: what becomes known meanwhile is noted in its order, behind their backs, and before the end is stored.

An attempt that is cut short, by the end of the process or by a stream that broke, leaves the turn to another one: its
messages are filled again, with the answer that went on at the server or with a new one.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from hashlib import sha256

from bot.asking import Asking, Outcome
from bot.busy import Busy
from bot.calls import make, make_streamed, nonces_of
from bot.core.actions import Append, Attach, Delete, Edit, Post, Start, Stop, Streamed, Write
from bot.core.model import Began, Delta, End, Ending, Progress, Prompt, Request, Turn, Working
from bot.core.pacing import Call, Done, Idle, Need, Receipt
from bot.core.reply import Reply
from bot.core.showing import Showing
from bot.core.streamed_reply import StreamedReply
from bot.errors import Gone, PlatformError, Refused, Rejected, StreamEnded, Unreachable
from bot.gate import Gate, Permit, Writer
from bot.leaving import LEAVING, end_at_server
from bot.notes import Notes, insist, to_its_end
from bot.ports import Backend, Platform, Running, Store
from bot.rules import Rules

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 15.0  # seconds between two tries of a call to an unreachable platform
_PAUSES = (1.0, 4.0, 15.0)  # seconds after each try of looking for a page
_IN_VAIN = 600.0  # seconds of failing at the calls of an answer, while others are answered, that are trouble enough
_CUT_SHORT = 3  # attempts, after which the turn ends so


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
        self._gate = gate
        self._ask_again = rules.ask_again and not platform.dialect.append_only  # what is shown there can't be replaced
        streaming = platform.streaming(turn.prompt.place)
        self._place = streaming.place if streaming else turn.prompt.place
        resumed = turn.attempts > 1 or bool(turn.messages)
        self._streaming = None if resumed else streaming
        self._streamed = StreamedReply(self._streaming.dialect, rules.attaching) if self._streaming else None
        mark = turn.progress.mark
        self._reply: Showing = self._streamed or Reply(
            platform.dialect,
            turn.messages,
            resumed=turn.attempts > 1,
            settled=turn.progress.settled if mark else 0,
            files=turn.files,
            attaching=rules.attaching,
        )
        request = Request(
            turn.prompt.for_model(),
            running.conversation.remote,
            tuple(running.history),
            _opaque(turn.prompt),
            asked_before=turn.cut_short > 0 or turn.progress.asked,
            mark=mark,
        )
        self._asking = Asking(backend, request, rules.timeouts, self._hear, turn=turn.id)
        self._notes = Notes(store, turn, self._progress)
        self._reading: asyncio.Task[None] | None = None
        self._writer: Writer | None = None
        self._calls = 0
        self._failing_since: float | None = None  # the platform has not answered any call since
        self._waits: Progress | None = None  # another attempt is to answer it, and this is how far it has come
        self._cut_short = True  # by something else than the end of this process
        self.quiet = True  # nothing tells any more that an answer is coming
        self.withdrawn = False  # nobody wants the answer any more
        self.asked_anew = ""  # the question as it was edited meanwhile: another attempt will answer that
        self._busy = Busy(platform, gate, self._place, turn=turn.id, shown=turn.attempts > 1)

    @property
    def turn(self) -> Turn:
        return self._turn

    @property
    def messages(self) -> tuple[str, ...]:
        """The ids of the pages that are there, in order."""
        return self._reply.messages

    @property
    def files(self) -> tuple[str, ...]:
        """The ids of the messages with files that are there."""
        return self._reply.files

    @property
    def waits(self) -> bool:
        """Whether it has ended without an answer, and the turn is queued again."""
        return self._waits is not None

    @property
    def another_follows(self) -> bool:
        """Whether another attempt at the turn comes after this one."""
        return (self.waits or bool(self.asked_anew)) and not self.withdrawn

    async def insist_on_quiet(self) -> None:
        """If it has not become quiet by its end: goes on trying."""
        await self._busy.insist()

    def stop(self, ending: Ending) -> None:
        """Ends the answer here: what is shown stays, and the model's stream is closed at once."""
        self._finish(ending)
        if self._reading is not None:
            self._reading.cancel()

    def suspend(self) -> None:
        """Ends this attempt because the process ends: the next one goes on where this has stopped."""
        if self._reply.ending is not None or not (self._asking.mark or self._ask_again):
            self.stop(Ending(End.INTERRUPTED))
            return
        self._wait_for_another(cut_short=False)
        if self._reply.visible or self._calls:
            self.stop(Ending(End.SHUTDOWN))
        else:
            self._abandon()

    def withdraw(self) -> None:
        """Ends the answer and removes its messages."""
        self.withdrawn = True
        self._reply.withdraw()
        self.stop(Ending(End.STOPPED))

    def ask_anew(self, text: str) -> None:
        """Ends this attempt: its messages stay as they are, for another to fill, and no end of the turn is stored."""
        self.asked_anew = text
        self._abandon()

    async def run(self) -> Ending:
        """Answers the question, and returns how it ended when the last state is shown and stored.

        Raises Missing if the turn is not in the database any more.
        """
        log.info("turn.started", extra={"turn": self._turn.id, "channel": str(self._turn.prompt.channel)})
        later = (Call.STOP, Call.APPEND) if self._streamed else (Call.EDIT,)
        try:
            if self._turn.attempts > 1 and isinstance(self._reply, Reply):
                await self._adopt_strays(self._reply)
            self._take_up()
            with self._gate.writer(self._place, self._need, later) as self._writer:
                async with asyncio.TaskGroup() as group:
                    self._reading = group.create_task(self._read())
                    behind = [group.create_task(work) for work in (self._busy.give(), self._notes.keep())]
                    await self._write(self._writer)
                    for task in (self._reading, *behind):
                        task.cancel()
        except BaseException:
            await to_its_end(self._break_off())
            raise
        ending = self._reply.ending or Ending(End.STOPPED)
        await to_its_end(self._end())
        log.info("turn.finished", extra={"turn": self._turn.id, "end": ending.end.value, "calls": self._calls})
        return ending

    async def _break_off(self) -> None:
        """The platform takes the last state too late for the end of the process, or something is broken."""
        await self._leave()
        if self._is_left_to_another:
            await insist(self._store_end, self._turn)

    async def _end(self) -> None:
        await self._leave()  # first: who finds the turn open after a crash looks after that, too
        await insist(self._store_end, self._turn)

    async def _store_end(self) -> None:
        await self._notes.settle()
        if self.withdrawn or self.asked_anew:
            return  # that is stored by who has ended it so
        if self._waits is not None:
            await self._store.requeue(self._turn, self._waits, counts=self._cut_short)
        else:
            await self._store.finish(self._turn, self._reply.text, self._reply.ending or Ending(End.STOPPED))

    async def store_failure(self) -> None:
        """One try to store that it is broken, without an answer. Raises StoreError."""
        await self._notes.settle()
        await self._store.finish(self._turn, "", Ending(End.FAILED))

    async def _adopt_strays(self, reply: Reply) -> None:
        """An earlier attempt may have ended between a call and its answer."""
        for pause in _PAUSES:
            try:
                known = (*reply.messages, *reply.files)
                strays = await self._platform.strays(self._place, nonces_of(self._turn.prompt), known)
                for messages, file in ((strays.pages, False), (strays.files, True)):
                    for found in messages:
                        log.info("message.found", extra={"turn": self._turn.id})
                        reply.adopt(found, file=file)
                        self._notes.add(partial(self._store.add_message, self._turn, found, file=file))
                return
            except (Refused, Unreachable) as error:
                log.warning("messages.not_looked_for", extra={"turn": self._turn.id, "detail": str(error)})
                await asyncio.sleep(max(pause, error.retry_after) if isinstance(error, Refused) else pause)
            except PlatformError as error:  # then the page it belongs to is posted with the same nonce
                log.warning("messages.not_looked_for", extra={"turn": self._turn.id, "detail": str(error)})
                return

    def _take_up(self) -> None:
        """Shows what an earlier attempt had, where this one goes on with it or ends with it."""
        turn = self._turn
        if turn.progress.mark:
            self._show_earlier()
        cannot_go_on = bool(turn.progress.text) and not (turn.progress.mark or self._ask_again)
        if turn.cut_short >= _CUT_SHORT or cannot_go_on:
            log.warning("turn.given_up", extra={"turn": turn.id, "cut_short": turn.cut_short})
            self._finish(Ending(End.INTERRUPTED))

    def _wait_for_another(self, *, cut_short: bool) -> None:
        self._cut_short = cut_short
        self._waits = self._progress()

    def _progress(self) -> Progress:
        if mark := self._asking.mark:  # of its text the reply may have nothing yet
            return Progress(mark.text, self._reply.settled, mark.response, mark.cursor, asked=True)
        return Progress(self._reply.text or self._turn.progress.text, asked=self._asking.asked)

    def _show_earlier(self) -> None:
        """What an earlier attempt had, unless this one has something."""
        if not self._reply.text:
            self._reply.feed(self._turn.progress.text, asyncio.get_running_loop().time())

    def _finish(self, ending: Ending) -> None:
        self._busy.enough()
        if not ending.settled:
            self._show_earlier()
        self._reply.finish(ending, asyncio.get_running_loop().time())
        if self._writer is not None:
            self._writer.changed()

    def _abandon(self) -> None:
        """Nothing more is shown by this attempt."""
        self._reply.lost()
        self.stop(Ending(End.STOPPED))

    @property
    def _is_left_to_another(self) -> bool:
        """Whether another attempt goes on with what this one has."""
        return self.waits and not (self.withdrawn or self.asked_anew)

    # Reading

    async def _read(self) -> None:
        if self._reply.ending is not None:
            return  # stopped before it began
        try:
            outcome = await self._asking.run()
        except Exception:
            log.exception("model.broken", extra={"turn": self._turn.id})
            outcome = Outcome(Ending(End.FAILED))
        if outcome.cut_short and self._ask_again and self._turn.cut_short + 1 < _CUT_SHORT:
            self._wait_for_another(cut_short=True)
            self._abandon()
            return
        self._finish(outcome.ending)

    def _hear(self, event: Began | Working | Delta) -> None:
        now = asyncio.get_running_loop().time()
        match event:
            case Began():
                self._began(event)
            case Working(doing):
                self._reply.work(doing, now)
                if self._writer is not None and self._writer.idle:
                    self._writer.changed()
            case Delta(text):
                self._reply.feed(text, now)
                self._notes.advanced()
                if self._writer is not None and (self._writer.idle or not self._reply.visible):
                    self._writer.changed()

    def _began(self, event: Began) -> None:
        if event.remote and event.remote != self._conversation.remote:
            conversation = self._conversation = replace(self._conversation, remote=event.remote)
            self._notes.add(lambda: self._store.set_remote(conversation, conversation.remote))
        if event.response:
            progress = self._progress()
            self._notes.add(lambda: self._store.set_progress(self._turn, progress))

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
        self._busy.enough()
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
            if isinstance(error, Rejected) and self._reply.rejected(action, str(error)):
                log.warning("call.rejected", extra={"turn": self._turn.id, "detail": str(error)})
                self._edit_instead()
                if self._reply.ending:
                    self.stop(self._reply.ending)
                return
            if isinstance(action, Delete) and isinstance(error, Gone) and error.message:
                self._made(action, action.message)  # somebody was faster, or an earlier try had its effect
                return
            if isinstance(error, Gone) and error.message and self._reply.vanished(action):
                log.info("page.deleted", extra={"turn": self._turn.id})
                assert isinstance(action, Edit | Append | Stop)
                gone = action.message
                self._notes.add(lambda: self._store.drop_message(self._turn, gone))
                return
            log.warning("reply.abandoned", extra={"turn": self._turn.id, "detail": str(error)})
            self._reply.lost()
            self.stop(Ending(End.STOPPED, "The message, the channel or the permission is gone."))
        else:
            self._made(action, receipt.message)

    async def _call(self, action: Write | Streamed) -> Receipt:
        """Raises PlatformError: Rejected also where the platform has been failing at this for long, and at no more."""
        try:
            receipt = await self._make(action)
        except Unreachable as error:
            if await self._is_in_vain():
                raise Rejected(str(error)) from error
            raise
        self._failing_since = None
        return receipt

    async def _is_in_vain(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._failing_since = self._failing_since or now
        if now - self._failing_since < _IN_VAIN:
            return False
        self._busy.show()
        try:
            await self._platform.typing(self._place)
            await self._platform.strays(self._place, nonces_of(self._turn.prompt), self.messages)
        except Unreachable:
            return False  # it is in trouble altogether
        except PlatformError:
            pass
        self._failing_since = None
        return True

    async def _make(self, action: Write | Streamed) -> Receipt:
        prompt = replace(self._turn.prompt, place=self._place)
        if isinstance(action, Write):
            return await make(self._platform, prompt, action)
        assert self._streaming is not None
        if isinstance(action, Stop) and action.more:
            self._busy.show()
        return await make_streamed(self._streaming, prompt, action)

    def _made(self, action: Write | Streamed, message: str) -> None:
        self._reply.done(action, message)
        match action:
            case Post() | Start():
                self._notes.add(lambda: self._store.add_message(self._turn, message))
            case Attach():
                self._notes.add(lambda: self._store.add_message(self._turn, message, file=True))
            case Delete(message=removed):
                self._notes.add(lambda: self._store.drop_message(self._turn, removed))
            case Edit() | Append() | Stop():
                pass

    # Leaving

    async def _leave(self) -> None:
        """Leaves nothing that goes on, or looks as if it did, however the answer ended."""
        self.quiet, *_ = await asyncio.gather(self._busy.take_back(), self._end_stream(), self._end_answer())

    async def _end_answer(self) -> None:
        """At the server, unless another attempt takes it up there."""
        if (mark := self._asking.mark) and not self._is_left_to_another:
            await end_at_server(self._turn, mark.response, self._backend, self._conversation.remote)

    async def _end_stream(self) -> None:
        try:
            async with asyncio.timeout(LEAVING):
                if self._streaming and self._streamed and (message := self._streamed.streaming):
                    await self._streaming.stop(message, "", more=False)
        except Gone as error:  # so it looks like nothing any more, or nobody can help it
            log.info("stream.gone", extra={"turn": self._turn.id, "detail": str(error)})
        except (PlatformError, TimeoutError) as error:
            log.warning("stream.left_open", extra={"turn": self._turn.id, "detail": str(error)})


def _opaque(prompt: Prompt) -> str:
    """An id of the person that tells nothing about them, as OpenAI asks for (safety_identifier, <= 128 characters)."""
    return sha256(f"{prompt.channel.platform}:{prompt.author.id}".encode()).hexdigest()[:32]
