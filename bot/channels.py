"""One turn at a time in a channel, many channels at once.

The table of turns is the queue: a channel's worker takes the oldest queued turn from the store. There are only so many
workers; the other channels stand in line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from weakref import WeakValueDictionary

from bot.core.endings import sentence
from bot.core.line import Line
from bot.core.model import Channel, End, Ending, Status, Turn
from bot.doubts import Doubts
from bot.errands import Errands
from bot.errors import StoreError
from bot.forgetting import Forgetting
from bot.notes import insist
from bot.ports import Backend, Running, Store
from bot.relay import Relay
from bot.rules import Rules
from bot.stations import Stations

log = logging.getLogger(__name__)

_STORE_PAUSE = 5.0  # seconds before a channel is tried again whose next turn could not be read
_SEALING = 5.0  # seconds that the last states may take when the grace is over


class Channels:
    """`doubts`: for calls of the store that may have their effect and fail. `forgetting`: for what is closed."""

    def __init__(self, store: Store, backend: Backend, stations: Stations, errands: Errands, rules: Rules) -> None:
        self._store = store
        self._backend = backend
        self._stations = stations
        self._errands = errands
        self._rules = rules
        self._line = Line(rules.capacity.running)
        self._workers: dict[Channel, asyncio.Task[None]] = {}  # of the channels that have a place
        self._running: dict[Channel, Relay] = {}
        self._beginning: WeakValueDictionary[Channel, asyncio.Lock] = WeakValueDictionary()  # see `begins`
        self._stopping: set[Channel] = set()  # channels whose next turn is to be stopped as it begins
        self._draining = False
        self.doubts = Doubts(self._look_after, errands.begin)
        self.forgetting = Forgetting(store, backend, errands, lambda: bool(self._workers) or not self._line.is_empty)

    @property
    def draining(self) -> bool:
        """Whether nothing new is begun any more."""
        return self._draining

    def wake(self, turn: Turn) -> None:
        """The turn is queued: its channel answers it after those before it, and when the channel has a place."""
        channel = turn.prompt.channel
        if self._draining or channel.platform not in self._stations:
            return  # it stays queued in the store, for the next start
        self._line.ask(channel, turn.id)
        self._seat()

    def stop(self, channel: Channel) -> bool:
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

    def begins(self, channel: Channel) -> asyncio.Lock:
        """While it is held no turn of the channel begins: its queued ones are queued, and its running one is known."""
        return self._beginning.setdefault(channel, asyncio.Lock())

    def answers(self, channel: Channel) -> bool:
        """Whether a turn of the channel is running here."""
        return channel in self._running

    def relay_of(self, turn: Turn) -> Relay | None:
        relay = self._running.get(turn.prompt.channel)
        return relay if relay is not None and relay.turn.id == turn.id else None

    async def reword(self, turn: Turn, text: str, status: Status) -> bool:
        """As `Store.reword`."""
        with self.doubts.about(turn.prompt.channel):
            return await self._store.reword(turn, text, status)

    async def quiet(self, channel: Channel) -> None:
        """Returns when no turn of the channel is queued or running."""
        while channel in self._workers or channel in self._line:
            worker = self._workers.get(channel)
            # who stands in line gets a place when one of the others ends
            await asyncio.wait([worker] if worker else self._workers.values(), return_when=asyncio.FIRST_COMPLETED)

    async def drain(self, grace: float) -> None:
        """Begins no more turns; running ones may finish for `grace` seconds, then they wait for the next start as well.

        What is queued stays so. Errands are ended, too.
        """
        self._draining = True
        self._line.close()
        await _wait(self._workers.values(), grace)
        for relay in self._running.values():
            relay.suspend()
        await _wait([*self._workers.values(), *self._errands], _SEALING)
        for task in [*self._workers.values(), *self._errands]:
            task.cancel()
        await asyncio.gather(*self._workers.values(), *self._errands, return_exceptions=True)

    # Workers

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

    async def _begin(self, channel: Channel) -> Relay | None:
        """The channel's next turn; None where there is none, or it may not begin any more. Raises StoreError."""
        async with self.begins(channel):
            if not self._may_begin(channel):
                return None
            with self.doubts.about(channel):
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
                self._errands.begin(relay.insist_on_quiet())
        self.forgetting.go_on()

    async def _go_on(self, relay: Relay) -> None:
        """What becomes of a turn whose attempt has ended, if that was not its end. Raises StoreError."""
        turn = relay.turn
        async with self.begins(turn.prompt.channel):
            if relay.withdrawn:
                await self._store.erase(turn)
                # it may have ended just before
                self._stations.remove(replace(turn, messages=relay.messages, files=relay.files))
            elif relay.asked_anew:
                await self._ask_anew(turn, relay.asked_anew)
            elif relay.waits:
                self.wake(turn)

    async def _give_up(self, relay: Relay) -> None:
        """Ends a turn that broke, and says so in place of its last page, which looks unfinished. Raises Missing."""
        page = relay.messages[-1] if relay.messages else ""
        await self._stations.say(relay.turn.prompt, sentence(Ending(End.FAILED)), message=page)
        await insist(relay.store_failure, relay.turn)

    async def _ask_anew(self, turn: Turn, text: str) -> None:
        """The question of a turn whose attempt was ended for that. Raises StoreError."""
        for status in Status:  # it may have been cut short, or have ended, just before
            if await self.reword(turn, text, status):
                self._line.ask(turn.prompt.channel, turn.id)
                return

    async def _look_after(self, channels: frozenset[Channel]) -> None:
        """Goes on with what is open in these channels without our knowing. Raises StoreError."""
        for turn in await self._store.open_turns():
            channel = turn.prompt.channel
            if channel not in channels:
                continue
            if turn.status is Status.RUNNING:
                async with self.begins(channel):
                    now = await self._store.find(turn.prompt.key)  # it may have ended meanwhile
                    if self.relay_of(turn) or now is None or now.status is not Status.RUNNING:
                        continue
                    log.info("turn.recovered", extra={"turn": turn.id})
                    await self._store.requeue(turn, counts=False)
                    self.forgetting.begin()  # while it seemed to run, its conversation had to stay
            if turn.prompt.text:
                self.wake(turn)
            else:
                self._stations.remove(turn)


async def _wait(tasks: Iterable[asyncio.Task[None]], seconds: float) -> None:
    if pending := list(tasks):
        await asyncio.wait(pending, timeout=seconds)
