"""One turn at a time in a channel, many channels at once; commands; draining.

The table of turns is the queue: a question is stored before the platform is told that it was received, and a channel's
worker takes the oldest queued turn from the store. There are only so many workers; for the other channels there is a
line, and for the questions that would make it too long a sentence.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from bot.core.attaching import Attaching
from bot.core.changes import Changes
from bot.core.commands import HELP, Command, parse
from bot.core.endings import sentence
from bot.core.line import UNBOUNDED, Capacity, Line
from bot.core.model import Channel, End, Ending, Place, Prompt, Status, Turn
from bot.errors import BackendError, StoreError
from bot.gate import Gate
from bot.ports import Backend, Platform, Running, Store
from bot.refusals import Refusals
from bot.relay import Relay, Timeouts
from bot.removal import remove
from bot.saying import say

log = logging.getLogger(__name__)

_REMEMBERED_COMMANDS = 1000  # keys of text commands: a redelivered `!stop` must not stop the next answer
_STORE_PAUSE = 5.0  # seconds before a channel is tried again whose next turn could not be read
_SEALING = 5.0  # seconds that the last states may take when the grace is over
_ATTEMPTS = 3  # a turn that took the process down with it so often is ended


@dataclass(frozen=True, slots=True)
class Station:
    """A platform with its gate."""

    platform: Platform
    gate: Gate


class Dispatcher:
    """The inbox of all platforms."""

    def __init__(
        self,
        store: Store,
        backend: Backend,
        platforms: Iterable[Platform],
        timeouts: Timeouts | None = None,
        attaching: Attaching | None = None,
        changes: Changes | None = None,
        capacity: Capacity = UNBOUNDED,
    ) -> None:
        self._store = store
        self._backend = backend
        self._stations: Mapping[str, Station] = {
            platform.name: Station(platform, Gate(platform.limits)) for platform in platforms
        }
        self._timeouts = timeouts or Timeouts()
        self._attaching = attaching or Attaching()
        self._changes = changes or Changes()
        self._capacity = capacity
        self._line = Line(self._capacity.running)
        self._refusals = Refusals(self._say)
        self._workers: dict[Channel, asyncio.Task[None]] = {}  # of the channels that have a place
        self._running: dict[Channel, Relay] = {}
        self._beginning: WeakValueDictionary[Channel, asyncio.Lock] = WeakValueDictionary()  # see `_begins`
        self._fetching: dict[Channel, bool] = {}  # channels whose first turn is on its way; whether to stop it
        self._errands: set[asyncio.Task[None]] = set()
        self._forgetting = asyncio.Lock()
        self._unforgotten = False  # a closed conversation may be left on the server, to be looked for after a turn
        self._obeyed: OrderedDict[str, None] = OrderedDict()
        self._draining = False

    # The inbox

    async def receive(self, prompt: Prompt) -> None:
        if command := parse(prompt.text):
            if self._is_new_command(prompt.key):
                self._errand(self._obey_in_text(command, prompt))
            return
        match await self._store.accept(prompt, self._capacity):
            case None:
                log.info("prompt.repeated", extra={"channel": str(prompt.channel)})
            case Ending() as refusal:
                self._refuse(prompt, refusal)
            case turn:
                self.wake(turn)

    async def edited(self, prompt: Prompt) -> None:
        if self._changes.rerun_edited == "never" or parse(prompt.text):
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
                await self._store.reword(turn, prompt.text, Status.QUEUED)
            elif self._changes.rerun_edited == "last" and await self._store.is_last(turn):
                await self._store.reword(turn, prompt.text, turn.status)
                self.wake(turn)
            else:
                return
        log.info("prompt.edited", extra={"turn": turn.id, "status": turn.status.value})

    async def deleted(self, key: str) -> None:
        if (turn := await self._store.find(key)) is None:
            return
        async with self._begins(turn.prompt.channel):
            if relay := self._relay_of(turn):
                if not self._changes.delete_answers:
                    relay.stop(Ending(End.STOPPED))
                    return
                relay.withdraw()
                await self._store.erase(turn)
            else:
                turn = await self._store.find(key) or turn
                if not self._changes.delete_answers and turn.status is not Status.QUEUED:
                    return
                self._remove(await self._store.erase(turn))
        log.info("prompt.deleted", extra={"turn": turn.id, "status": turn.status.value})

    async def obey(self, command: Command, channel: Channel) -> str:
        match command:
            case Command.NEW:
                await self._store.close_conversations(channel)
                self.forget()
                return "Forgotten. The next question starts a new conversation."
            case Command.STOP:
                if relay := self._running.get(channel):
                    relay.stop(Ending(End.STOPPED))
                elif channel in self._fetching:
                    self._fetching[channel] = True
                elif channel in self._line:  # at once, since nothing is asked of the model
                    self._line.jump(channel)
                    self._begin_work(channel, stop=True)
                else:
                    return "There is no answer running here."
                return "Stopped."
            case Command.HELP:
                return HELP

    async def knows(self, channel: Channel, place: Place) -> bool:
        return await self._store.asked_in(channel, place)

    async def quiet(self, channel: Channel) -> None:
        while channel in self._workers or channel in self._line:
            worker = self._workers.get(channel)
            # who stands in line gets a place when one of the others ends
            await asyncio.wait([worker] if worker else self._workers.values(), return_when=asyncio.FIRST_COMPLETED)

    # Turns

    def wake(self, turn: Turn) -> None:
        """The turn is queued: its channel answers it after those before it, and when the channel has a place."""
        channel = turn.prompt.channel
        if self._draining or channel.platform not in self._stations:
            return  # it stays queued in the store, for the next start
        self._line.ask(channel, turn.id)
        self._seat()

    def forget(self) -> None:
        """Deletes closed conversations on the server, in the background.

        What fails, and what a turn is still running in, is tried again after the next turn.
        """
        self._unforgotten = True
        self._errand(self._forget())

    async def drain(self, grace: float) -> None:
        """Begins no more turns; running ones may finish for `grace` seconds, then they are sealed as they are.

        What is queued stays so, for the next start.
        """
        self._draining = True
        self._line.close()
        await _wait(self._workers.values(), grace)
        for relay in self._running.values():
            relay.stop(Ending(End.SHUTDOWN))
        await _wait([*self._workers.values(), *self._errands], _SEALING)
        for task in [*self._workers.values(), *self._errands]:
            task.cancel()
        await asyncio.gather(*self._workers.values(), *self._errands, return_exceptions=True)

    def _seat(self) -> None:
        """Everybody in line for whom there is a place begins."""
        while channel := self._line.seat():
            self._begin_work(channel)

    def _begin_work(self, channel: Channel, *, stop: bool = False) -> None:
        """For a channel that has a place. `stop`: somebody wants its first turn to be stopped."""
        self._fetching[channel] = stop
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
            self._fetching.pop(channel, None)
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
            if relay:
                await self._answer(relay)
            if not self._line.stays(channel):
                return

    def _begins(self, channel: Channel) -> asyncio.Lock:
        """While it is held no turn of the channel begins: its queued ones are queued, and its running one is known."""
        return self._beginning.setdefault(channel, asyncio.Lock())

    def _relay_of(self, turn: Turn) -> Relay | None:
        relay = self._running.get(turn.prompt.channel)
        return relay if relay is not None and relay.turn.id == turn.id else None

    async def _begin(self, channel: Channel) -> Relay | None:
        """The channel's next turn; None where there is none, and while draining. Raises StoreError."""
        async with self._begins(channel):
            if self._draining:
                return None
            running = await self._store.begin(channel, self._backend.name)
            if running is None:
                return None
            if self._draining:  # it was taken meanwhile; nobody has seen anything of it yet
                await self._store.requeue(running.turn)
                return None
            relay = self._running[channel] = self._relay(running)
            return relay

    def _relay(self, running: Running) -> Relay:
        station = self._stations[running.turn.prompt.channel.platform]
        return Relay(
            running,
            platform=station.platform,
            backend=self._backend,
            store=self._store,
            gate=station.gate,
            timeouts=self._timeouts,
            attaching=self._attaching,
        )

    async def _answer(self, relay: Relay) -> None:
        """Runs one turn. Whatever goes wrong in it stays in it. Raises StoreError."""
        turn = relay.turn
        channel = turn.prompt.channel
        if self._fetching.pop(channel, False):
            relay.stop(Ending(End.STOPPED))
        if turn.attempts > _ATTEMPTS:
            log.warning("turn.given_up", extra={"turn": turn.id, "attempts": turn.attempts})
            relay.stop(Ending(End.FAILED))
        try:
            try:
                await relay.run()
            except StoreError:
                raise
            except Exception:
                log.exception("turn.broken", extra={"turn": turn.id})
                if not relay.withdrawn:
                    await self._give_up(turn, relay)
            async with self._begins(channel):
                if relay.withdrawn:
                    await self._store.erase(turn)
                    self._remove(replace(turn, messages=relay.messages))  # it may have ended just before
                elif relay.asked_anew:
                    await self._store.reword(turn, relay.asked_anew, Status.RUNNING)
                    self._line.ask(channel, turn.id)
        finally:
            del self._running[channel]
        if self._unforgotten:
            self.forget()

    async def _give_up(self, turn: Turn, relay: Relay) -> None:
        """Ends a turn that broke, and says so in place of its last page, which looks unfinished. Raises StoreError."""
        ending = Ending(End.FAILED)
        await self._say(turn.prompt, sentence(ending), message=relay.messages[-1] if relay.messages else "")
        await self._store.finish(turn, "", ending)

    def _remove(self, turn: Turn) -> None:
        station = self._stations.get(turn.prompt.channel.platform)
        if turn.messages and station is not None:
            self._errand(remove(turn, station.platform, station.gate, self._store))

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
        stops_something = command is Command.STOP and any(
            prompt.channel in some for some in (self._running, self._fetching, self._line)
        )
        try:
            words = await self.obey(command, prompt.channel)
        except StoreError as error:
            log.error("command.failed", extra={"command": command.value, "detail": str(error)})
            words = "That did not work: the bot's database does not answer. Try again in a moment."
        if stops_something:
            return  # the answer itself says that it was stopped
        await self._say(prompt, words)

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


async def _wait(tasks: Iterable[asyncio.Task[None]], seconds: float) -> None:
    if pending := list(tasks):
        await asyncio.wait(pending, timeout=seconds)
