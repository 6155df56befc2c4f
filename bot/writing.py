"""Brings one answer onto its platform.

    a permit -> reply.next_action -> the call -> reply.done, or what else became of it, until the reply is done

Whoever feeds it never waits for the platform, nor does it wait for the database.
"""

from __future__ import annotations

import asyncio
import logging

from bot.busy import Busy
from bot.calls import Calls
from bot.core.actions import Append, Attach, Delete, Edit, Post, Start, Stop, Streamed, Write
from bot.core.attaching import Attaching
from bot.core.model import End, Ending, Turn
from bot.core.pacing import Call, Done, Idle, Need
from bot.core.reply import Reply
from bot.core.showing import Showing
from bot.core.streamed_reply import StreamedReply
from bot.errors import Gone, Refused, Rejected, StreamEnded, Unreachable
from bot.gate import Gate, Permit, Writer
from bot.notes import Notes
from bot.ports import Platform, Strays

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 15.0  # seconds between two tries of a call to an unreachable platform


class Writing:
    """One attempt's messages. `place` is where they are; `busy` shows that they are coming."""

    def __init__(self, turn: Turn, platform: Platform, gate: Gate, notes: Notes, attaching: Attaching) -> None:
        self._turn = turn
        self._gate = gate
        self._notes = notes
        streaming = platform.streaming(turn.prompt.place)
        self.place = streaming.place if streaming else turn.prompt.place
        resumed = turn.attempts > 1 or bool(turn.messages)
        self.streaming = None if resumed else streaming
        self._streamed = StreamedReply(self.streaming.dialect, attaching) if self.streaming else None
        self._reply: Showing = self._streamed or Reply(
            platform.dialect,
            turn.messages,
            resumed=turn.attempts > 1,
            settled=turn.progress.settled if turn.progress.mark else 0,
            files=turn.files,
            attaching=attaching,
        )
        self.busy = Busy(platform, gate, self.place, turn=turn.id, shown=turn.attempts > 1)
        self._calls = Calls(platform, self.streaming, turn.prompt, self.place, self.busy)
        self._writer: Writer | None = None

    @property
    def text(self) -> str:
        """What the model has written, as it wrote it."""
        return self._reply.text

    @property
    def messages(self) -> tuple[str, ...]:
        """The ids of the pages that are there, in order."""
        return self._reply.messages

    @property
    def files(self) -> tuple[str, ...]:
        """The ids of the messages with files that are there."""
        return self._reply.files

    @property
    def settled(self) -> int:
        """So many of its pages show what they will always show."""
        return self._reply.settled

    @property
    def growing(self) -> str:
        """The message whose stream is open, if there is one."""
        return self._streamed.streaming if self._streamed else ""

    @property
    def calls(self) -> int:
        """How many were made."""
        return self._calls.made

    @property
    def visible(self) -> bool:
        """Whether a reader may see anything of it."""
        return self._reply.visible or self._calls.made > 0

    @property
    def ending(self) -> Ending | None:
        return self._reply.ending

    def adopt(self, strays: Strays) -> None:
        """Before anything else: these are messages of an earlier attempt, too."""
        for messages, file in ((strays.pages, False), (strays.files, True)):
            for message in messages:
                assert isinstance(self._reply, Reply), "an earlier attempt's messages are edited"
                log.info("message.found", extra={"turn": self._turn.id})
                self._reply.adopt(message, file=file)
                self._notes.posted(message, file=file)

    def show_earlier(self) -> None:
        """What an earlier attempt had, unless this one has something."""
        if not self._reply.text:
            self._reply.feed(self._turn.progress.text, _now())

    def feed(self, text: str) -> None:
        self._reply.feed(text, _now())
        if self._writer is not None and (self._writer.idle or not self._reply.visible):
            self._writer.changed()

    def work(self, doing: str) -> None:
        self._reply.work(doing, _now())
        if self._writer is not None and self._writer.idle:
            self._writer.changed()

    def finish(self, ending: Ending) -> None:
        """No more text will come; what an answer that broke off had before stays. The first ending counts."""
        self.busy.enough()
        if not ending.settled:
            self.show_earlier()
        self._reply.finish(ending, _now())
        if self._writer is not None:
            self._writer.changed()

    def abandon(self, detail: str = "") -> None:
        """Nothing more is shown."""
        self._reply.lost()
        self.finish(Ending(End.STOPPED, detail))

    def withdraw(self) -> None:
        """Nobody wants it any more: its messages are removed."""
        self._reply.withdraw()
        self.finish(Ending(End.STOPPED))

    async def run(self, reading: asyncio.Task[None]) -> None:
        """Returns when there is nothing more to show. Where the platform ends the answer, `reading` is cancelled."""
        later = (Call.STOP, Call.APPEND) if self._streamed else (Call.EDIT,)
        pause = 0.5
        with self._gate.writer(self.place, self._need, later) as self._writer:
            while (permit := await self._writer.permit()) is not None:
                action = self._reply.next_action()
                if not isinstance(action, Write | Streamed):
                    permit.unused()
                    continue
                if action.call is not permit.call:  # the text has moved on to another page since the permit was chosen
                    permit.unused()
                    self._reply.failed()
                    continue
                try:
                    if not await self._perform(action, permit):
                        reading.cancel()
                    pause = 0.5
                except Unreachable as error:
                    log.warning("platform.unreachable", extra={"turn": self._turn.id, "detail": str(error)})
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
        self._writer = None

    def _need(self) -> Need | Idle | Done:
        """What the reply needs; where streams are scarce now, what it needs without."""
        need = self._reply.need()
        if self._streamed is None or not isinstance(need, Need):
            return need
        if need.call is Call.START and not self._gate.spares((Call.START, Call.STOP), self.place):
            self._edit_instead()
        elif need.call is Call.STOP and not self._gate.free(Call.STOP, self.place):
            self._streamed.append_first()
        else:
            return need
        return self._streamed.need()

    def _edit_instead(self) -> None:
        if self._streamed is not None and self._writer is not None:
            self._streamed.edit_instead()
            self._writer.will_need(Call.EDIT)

    async def _perform(self, action: Write | Streamed, permit: Permit) -> bool:
        """Makes one call, and tells the reply what became of it; returns whether the answer goes on.

        Raises Unreachable.
        """
        self.busy.enough()
        try:
            receipt = await permit.spend(self._calls.make(action, self.messages))
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
                self.finish(Ending(End.STOPPED))
                return False
        except Rejected as error:
            if not self._reply.rejected(action, str(error)):
                return self._give_up(error)
            log.warning("call.rejected", extra={"turn": self._turn.id, "detail": str(error)})
            self._edit_instead()
            if self._reply.ending:
                self.finish(self._reply.ending)
                return False
        except Gone as error:
            if not error.message or not self._miss(action):
                return self._give_up(error)
        else:
            self._made(action, receipt.message)
        return True

    def _miss(self, action: Write | Streamed) -> bool:
        """The message that it was for is not there. Returns whether the answer goes on without it."""
        if isinstance(action, Delete):
            self._made(action, action.message)  # somebody was faster, or an earlier try had its effect
            return True
        if not self._reply.vanished(action):
            return False
        log.info("page.deleted", extra={"turn": self._turn.id})
        assert isinstance(action, Edit | Append | Stop)
        self._notes.removed(action.message)
        return True

    def _give_up(self, error: Gone | Rejected) -> bool:
        log.warning("reply.abandoned", extra={"turn": self._turn.id, "detail": str(error)})
        self.abandon("The message, the channel or the permission is gone.")
        return False

    def _made(self, action: Write | Streamed, message: str) -> None:
        self._reply.done(action, message)
        match action:
            case Post() | Start():
                self._notes.posted(message)
            case Attach():
                self._notes.posted(message, file=True)
            case Delete(message=removed):
                self._notes.removed(removed)
            case Edit() | Append() | Stop():
                pass


def _now() -> float:
    return asyncio.get_running_loop().time()
