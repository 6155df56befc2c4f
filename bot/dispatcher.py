"""One turn at a time in a channel, many channels at once; commands; draining.

The table of turns is the queue: a question is stored before the platform is told that it was received, and a channel's
worker takes the oldest queued turn from the store. There are only so many workers; for the other channels there is a
line, and for the questions that would make it too long a sentence.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from bot.catching_up import CatchingUp
from bot.core.commands import HELP, Command, parse
from bot.core.endings import sentence
from bot.core.line import Capacity, Line
from bot.core.model import Channel, End, Ending, Place, Prompt, Status, Turn
from bot.doubts import Doubts
from bot.errors import BackendError, StoreError
from bot.gate import Gate
from bot.leaving import end_at_server
from bot.notes import insist
from bot.ports import Backend, Platform, Running, Store
from bot.refusals import Refusals
from bot.relay import Relay
from bot.removal import remove
from bot.rules import Rules
from bot.saying import say

log = logging.getLogger(__name__)

_STOPPED = "Stopped."
_ASKING = "Asking again."
_REMEMBERED_COMMANDS = 1000  # keys of text commands: a redelivered `!stop` must not stop the next answer
_STORE_PAUSE = 5.0  # seconds before a channel is tried again whose next turn could not be read
_SEALING = 5.0  # seconds that the last states may take when the grace is over


@dataclass(frozen=True, slots=True)
class Station:
    """A platform with its gate, and what was asked there while it did not deliver."""

    platform: Platform
    gate: Gate
    catching_up: CatchingUp


class Dispatcher:
    """The inbox of all platforms."""

    def __init__(
        self,
        store: Store,
        backend: Backend,
        platforms: Iterable[Platform],
        rules: Rules = Rules(),  # noqa: B008  (frozen)
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._backend = backend
        self._stations: Mapping[str, Station] = {
            platform.name: Station(
                platform,
                Gate(platform.limits),
                CatchingUp(platform, store, self._take_missed, max_age=rules.catch_up_max_age, clock=clock),
            )
            for platform in platforms
        }
        self._rules = rules
        self._line = Line(rules.capacity.running)
        self._refusals = Refusals(self._say)
        self._workers: dict[Channel, asyncio.Task[None]] = {}  # of the channels that have a place
        self._running: dict[Channel, Relay] = {}
        self._beginning: WeakValueDictionary[Channel, asyncio.Lock] = WeakValueDictionary()  # see `_begins`
        self._stopping: set[Channel] = set()  # channels whose next turn is to be stopped as it begins
        self._errands: set[asyncio.Task[None]] = set()
        self._forgetting = asyncio.Lock()
        self._unforgotten = False  # a closed conversation may be left on the server, to be looked for after a turn
        self._obeyed: OrderedDict[str, None] = OrderedDict()
        self._draining = False
        self._doubts = Doubts(self._look_after, self._errand)

    # The inbox

    async def receive(self, prompt: Prompt) -> None:
        if command := parse(prompt.text):
            if self._is_new_command(prompt.key):
                self._errand(self._obey_in_text(command, prompt))
            return
        await self._take(prompt, self._rules.capacity)

    async def edited(self, prompt: Prompt) -> None:
        if self._rules.changes.rerun_edited == "never" or parse(prompt.text):
            return
        if (turn := await self._store.find(prompt.key)) is None:
            return
        async with self._begins(turn.prompt.channel):
            turn = await self._store.find(prompt.key)
            if turn is None or turn.prompt.text in {prompt.text, ""}:  # "": it was deleted
                return
            if relay := self._relay_of(turn):
                relay.ask_anew(prompt.text)
            elif turn.status is Status.QUEUED:
                await self._reword(turn, prompt.text, Status.QUEUED)
                await self._end_at_server(turn)
            elif self._rules.changes.rerun_edited == "last" and await self._store.is_last(turn):
                await self._reword(turn, prompt.text, turn.status)
                self.wake(turn)
            else:
                return
        log.info("prompt.edited", extra={"turn": turn.id, "status": turn.status.value})

    async def deleted(self, key: str) -> None:
        if (turn := await self._store.find(key)) is None:
            return
        async with self._begins(turn.prompt.channel):
            if relay := self._relay_of(turn):
                if not self._rules.changes.delete_answers:
                    self._stop(turn.prompt.channel)
                    return
                relay.withdraw()
                await self._store.erase(turn)
            else:
                turn = await self._store.find(key) or turn
                if not self._rules.changes.delete_answers:
                    if turn.status is not Status.QUEUED:
                        return
                    if turn.messages and self._stop(turn.prompt.channel):  # what was begun is the next to begin
                        return
                with self._doubts.about(turn.prompt.channel):
                    before = await self._store.erase(turn)
                self.remove(before)
                await self._end_at_server(before)
        log.info("prompt.deleted", extra={"turn": turn.id, "status": turn.status.value})

    async def obey(self, command: Command, channel: Channel) -> str:
        match command:
            case Command.NEW:
                await self._store.close_conversations(channel)
                self.forget()
                return "Forgotten. The next question starts a new conversation."
            case Command.STOP:
                return _STOPPED if self._stop(channel) else "There is no answer running here."
            case Command.RETRY:
                return await self._retry(channel)
            case Command.HELP:
                return HELP

    async def knows(self, channel: Channel, place: Place) -> bool:
        return await self._store.asked_in(channel, place)

    async def quiet(self, channel: Channel) -> None:
        while channel in self._workers or channel in self._line:
            worker = self._workers.get(channel)
            # who stands in line gets a place when one of the others ends
            await asyncio.wait([worker] if worker else self._workers.values(), return_when=asyncio.FIRST_COMPLETED)

    async def expect(self) -> None:
        """Before the platforms are connected: who asks from now on is to be answered. Raises StoreError."""
        for station in self._stations.values():
            await station.catching_up.expect()

    def heard(self, platform: str, at: float) -> None:
        if station := self._stations.get(platform):
            station.catching_up.heard(at)

    def back(self, platform: str) -> None:
        if station := self._stations.get(platform):
            station.catching_up.back()

    # Turns

    def wake(self, turn: Turn) -> None:
        """The turn is queued: its channel answers it after those before it, and when the channel has a place."""
        channel = turn.prompt.channel
        if self._draining or channel.platform not in self._stations:
            return  # it stays queued in the store, for the next start
        self._line.ask(channel, turn.id)
        self._seat()

    def remove(self, turn: Turn) -> None:
        """Its messages, in the background: nobody waits for the answer any more."""
        station = self._stations.get(turn.prompt.channel.platform)
        if (turn.messages or turn.files) and station is not None:
            self._errand(remove(turn, station.platform, station.gate, self._store))

    def forget(self) -> None:
        """Deletes closed conversations on the server, in the background.

        What fails, and what a turn is still running in, is tried again after the next turn.
        """
        self._unforgotten = True
        self._errand(self._forget())

    async def drain(self, grace: float) -> None:
        """Begins no more turns; running ones may finish for `grace` seconds, then they wait for the next start as well.

        What is queued stays so.
        """
        self._draining = True
        self._line.close()
        for station in self._stations.values():
            station.catching_up.stop()
        await _wait(self._workers.values(), grace)
        for relay in self._running.values():
            relay.suspend()
        await _wait([*self._workers.values(), *self._errands], _SEALING)
        for task in [*self._workers.values(), *self._errands]:
            task.cancel()
        await asyncio.gather(*self._workers.values(), *self._errands, return_exceptions=True)
        for station in self._stations.values():
            await station.catching_up.end()

    async def _take_missed(self, prompt: Prompt) -> bool:
        return await self._take(prompt, self._rules.capacity.for_missed)

    async def _take(self, prompt: Prompt, capacity: Capacity) -> bool:
        """A question is stored, or refused for good; returns whether it is new. Raises StoreError."""
        with self._doubts.about(prompt.channel):
            accepted = await self._store.accept(prompt, capacity)
        match accepted:
            case None:
                log.info("prompt.repeated", extra={"channel": str(prompt.channel)})
                return False
            case Ending() as refusal:
                self._refuse(prompt, refusal)
            case turn:
                self.wake(turn)
        return True

    def _seat(self) -> None:
        """Everybody in line for whom there is a place begins."""
        while channel := self._line.seat():
            self._begin_work(channel)

    def _begin_work(self, channel: Channel) -> None:
        """For a channel that has a place."""
        self._workers[channel] = asyncio.create_task(self._work(channel), name=f"channel {channel}")

    async def _work(self, channel: Channel) -> None:
        again = False
        try:
            await self._take_turns(channel)
            again = True
        except StoreError as error:
            log.error("queue.unreadable", extra={"channel": str(channel), "detail": str(error)})
            asyncio.get_running_loop().call_later(_STORE_PAUSE, self._stand, channel)
        finally:
            del self._workers[channel]
            self._line.leave(channel)
            if again:
                self._line.stand(channel)
            self._seat()

    def _stand(self, channel: Channel) -> None:
        """The channel stands in line if it has a queued turn."""
        self._line.stand(channel)
        self._seat()

    async def _take_turns(self, channel: Channel) -> None:
        """Answers one turn, and more of them while nobody waits for the place. Raises StoreError."""
        while True:
            newest = self._line.newest(channel)  # what is asked while the store looks may come too late for it
            relay = await self._begin(channel)
            self._line.begun(channel, relay.turn.id if relay else newest)
            stop = channel in self._stopping
            self._stopping.discard(channel)
            if relay:
                if stop:
                    relay.stop(Ending(End.STOPPED))
                await self._answer(relay)
            if not (self._line.stays(channel) or channel in self._stopping):
                return

    def _stop(self, channel: Channel) -> bool:
        """Ends the channel's answer with what is shown, also between two attempts; returns whether there was one."""
        relay = self._running.get(channel)
        if relay:
            relay.stop(Ending(End.STOPPED))
        if relay is None or relay.another_follows:
            if channel in self._line:  # at once, since nothing is asked of the model
                self._line.jump(channel)
                self._begin_work(channel)
            elif channel not in self._workers and not self._line.newest(channel):
                return False
            self._stopping.add(channel)
        return True

    def _begins(self, channel: Channel) -> asyncio.Lock:
        """While it is held no turn of the channel begins: its queued ones are queued, and its running one is known."""
        return self._beginning.setdefault(channel, asyncio.Lock())

    def _relay_of(self, turn: Turn) -> Relay | None:
        relay = self._running.get(turn.prompt.channel)
        return relay if relay is not None and relay.turn.id == turn.id else None

    async def _begin(self, channel: Channel) -> Relay | None:
        """The channel's next turn; None where there is none, or it may not begin any more. Raises StoreError."""
        async with self._begins(channel):
            if not self._may_begin(channel):
                return None
            with self._doubts.about(channel):
                running = await self._store.begin(channel, self._backend.name)
            if running is None:
                return None
            if not self._may_begin(channel):  # it was taken meanwhile; nobody has seen anything of it yet
                await self._store.requeue(running.turn, counts=False)
                return None
            relay = self._running[channel] = self._relay(running)
            return relay

    def _may_begin(self, channel: Channel) -> bool:
        """While draining, only to be stopped: that asks nothing of the model."""
        return not self._draining or channel in self._stopping

    def _relay(self, running: Running) -> Relay:
        station = self._stations[running.turn.prompt.channel.platform]
        return Relay(
            running,
            platform=station.platform,
            backend=self._backend,
            store=self._store,
            gate=station.gate,
            rules=self._rules,
        )

    async def _answer(self, relay: Relay) -> None:
        """Runs one turn. Whatever goes wrong in it stays in it. Raises Missing."""
        turn = relay.turn
        try:
            try:
                await relay.run()
            except StoreError:
                raise
            except Exception:
                log.exception("turn.broken", extra={"turn": turn.id})
                if not relay.withdrawn:
                    await self._give_up(relay)
            await insist(lambda: self._go_on(relay), turn)
        finally:
            del self._running[turn.prompt.channel]
            if not relay.quiet and not self._draining:
                self._errand(relay.insist_on_quiet())
        if self._unforgotten:
            self.forget()

    async def _go_on(self, relay: Relay) -> None:
        """What becomes of a turn whose attempt has ended, if that was not its end. Raises StoreError."""
        turn = relay.turn
        async with self._begins(turn.prompt.channel):
            if relay.withdrawn:
                await self._store.erase(turn)
                # it may have ended just before
                self.remove(replace(turn, messages=relay.messages, files=relay.files))
            elif relay.asked_anew:
                await self._ask_anew(turn, relay.asked_anew)
            elif relay.waits:
                self.wake(turn)

    async def _end_at_server(self, turn: Turn) -> None:
        """What goes on there of an answer that nobody takes up, before anything else is asked in its conversation."""
        if not turn.progress.response:
            return
        try:
            conversation = await self._store.conversation_of(turn)
        except StoreError as error:
            log.warning("model.left_running", extra={"turn": turn.id, "detail": str(error)})
            return
        if conversation is not None and conversation.backend == self._backend.name:
            await end_at_server(turn, turn.progress.response, self._backend, conversation.remote)

    async def _give_up(self, relay: Relay) -> None:
        """Ends a turn that broke, and says so in place of its last page, which looks unfinished. Raises Missing."""
        page = relay.messages[-1] if relay.messages else ""
        await self._say(relay.turn.prompt, sentence(Ending(End.FAILED)), message=page)
        await insist(relay.store_failure, relay.turn)

    async def _ask_anew(self, turn: Turn, text: str) -> None:
        """The question of a turn whose attempt was ended for that. Raises StoreError."""
        for status in Status:  # it may have been cut short, or have ended, just before
            if await self._reword(turn, text, status):
                self._line.ask(turn.prompt.channel, turn.id)
                return

    async def _reword(self, turn: Turn, text: str, status: Status) -> bool:
        """As the store does it."""
        with self._doubts.about(turn.prompt.channel):
            return await self._store.reword(turn, text, status)

    async def _look_after(self, channels: frozenset[Channel]) -> None:
        """Goes on with what is open in these channels without our knowing. Raises StoreError."""
        for turn in await self._store.open_turns():
            channel = turn.prompt.channel
            if channel not in channels:
                continue
            if turn.status is Status.RUNNING:
                async with self._begins(channel):
                    if self._relay_of(turn):
                        continue
                    log.info("turn.recovered", extra={"turn": turn.id})
                    await self._store.requeue(turn, counts=False)
            if turn.prompt.text:
                self.wake(turn)
            else:
                self.remove(turn)

    async def _forget(self) -> None:
        async with self._forgetting:  # one at a time, so each conversation is deleted once
            try:
                conversations = await self._store.forgotten(self._backend.name)
                self._unforgotten = bool(self._workers)  # theirs may be closed and not forgotten yet
                for conversation in conversations:
                    try:
                        await self._backend.forget(conversation.remote)
                    except BackendError as error:
                        self._unforgotten = True
                        log.warning("conversation.not_deleted", extra={"detail": str(error)})
                    else:
                        await self._store.set_remote(conversation, "")
            except StoreError as error:
                self._unforgotten = True
                log.warning("conversation.not_deleted", extra={"detail": str(error)})

    # Questions beyond the capacity

    def _refuse(self, prompt: Prompt, refusal: Ending) -> None:
        """Says so, or, where that was said just now, nothing: either way the question is dealt with."""
        if self._draining or not self._refusals.due(prompt.channel):
            log.info("prompt.refused", extra={"channel": str(prompt.channel), "end": refusal.end.value})
            return
        log.warning("prompt.refused", extra={"channel": str(prompt.channel), "end": refusal.end.value})
        self._errand(self._refusals.tell(prompt, sentence(refusal)))

    # Commands as text

    def _is_new_command(self, key: str) -> bool:
        if key in self._obeyed:
            return False
        self._obeyed[key] = None
        if len(self._obeyed) > _REMEMBERED_COMMANDS:
            self._obeyed.popitem(last=False)
        return True

    async def _obey_in_text(self, command: Command, prompt: Prompt) -> None:
        try:
            if command is Command.RETRY:
                words = await self._retry(prompt.channel, prompt.place)
            else:
                words = await self.obey(command, prompt.channel)
        except StoreError as error:
            log.error("command.failed", extra={"command": command.value, "detail": str(error)})
            words = "That did not work: the bot's database does not answer. Try again in a moment."
        if words not in {_STOPPED, _ASKING}:  # those the answer itself shows
            await self._say(prompt, words)

    async def _retry(self, channel: Channel, place: Place | None = None) -> str:
        """Asks the channel's last question again, into the messages of its answer; returns the sentence to show.

        The model is not told the answer that is replaced, unless its server keeps the conversation: there the old
        question and what there was of an answer stay before the new one, as after an edit. In a thread with questions
        of its own (`place`), nobody wants an answer in another thread to be replaced. Raises StoreError.
        """
        async with self._begins(channel):
            turn = await self._store.latest(channel)
            if turn is None:
                return "There is nothing to ask again here."
            if turn.status in {Status.QUEUED, Status.RUNNING}:
                return "An answer is still running here."
            if place and not _same_thread(turn.prompt.place, place) and await self._store.asked_in(channel, place):
                return "The last question was asked in another thread."
            await self._reword(turn, turn.prompt.text, turn.status)
            self.wake(turn)
        log.info("prompt.asked_again", extra={"turn": turn.id})
        return _ASKING

    async def _say(self, prompt: Prompt, words: str, *, message: str = "") -> None:
        if station := self._stations.get(prompt.channel.platform):  # else it is off now
            await say(prompt, words, station.platform, station.gate, message=message)

    def _errand(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errand_done)

    def _errand_done(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("errand.broken", exc_info=error)


def _same_thread(one: Place, other: Place) -> bool:
    return (one.room, one.thread) == (other.room, other.thread)


async def _wait(tasks: Iterable[asyncio.Task[None]], seconds: float) -> None:
    if pending := list(tasks):
        await asyncio.wait(pending, timeout=seconds)
