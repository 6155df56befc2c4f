"""The inbox of all platforms: questions, edits, deletions and commands, and who is sent away.

A question is stored before the platform is told that it was received. When its turn comes, `channels` answers it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from bot.catching_up import CatchingUp
from bot.channels import Channels
from bot.core.commands import HELP, Command, parse
from bot.core.endings import sentence
from bot.core.line import Capacity
from bot.core.model import Channel, Ending, Place, Prompt, Status, Turn
from bot.errands import Errands
from bot.errors import StoreError
from bot.leaving import end_left_over
from bot.ports import Backend, Platform, Store
from bot.refusals import Refusals
from bot.rereading import Rereading
from bot.rules import Rules
from bot.stations import Stations

log = logging.getLogger(__name__)

_STOPPED = "Stopped."
_ASKING = "Asking again."
_REMEMBERED_COMMANDS = 1000  # keys of text commands: a redelivered `!stop` must not stop the next answer


class Dispatcher:
    """As `Inbox`, and what a process does with it at its start and its end."""

    def __init__(
        self,
        store: Store,
        backend: Backend,
        platforms: Collection[Platform],
        rules: Rules = Rules(),  # noqa: B008  (frozen)
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._backend = backend
        self._rules = rules
        self._errands = Errands()
        self._stations = Stations(platforms, store, self._errands)
        self._channels = Channels(store, backend, self._stations, self._errands, rules)
        self._catching_up = {
            platform.name: CatchingUp(platform, store, self._take_missed, max_age=rules.catch_up_max_age, clock=clock)
            for platform in platforms
        }
        self._rereading = Rereading(store, self._stations, self)
        self._refusals = Refusals(self._stations.say)
        self._obeyed: OrderedDict[str, None] = OrderedDict()

    # The inbox

    async def receive(self, prompt: Prompt) -> None:
        if command := parse(prompt.text):
            if self._is_new_command(prompt.key):
                self._errands.begin(self._obey_in_text(command, prompt))
            return
        await self._take(prompt, self._rules.capacity)

    async def edited(self, prompt: Prompt) -> None:
        if self._rules.changes.rerun_edited == "never" or parse(prompt.text):
            return
        if (turn := await self._store.find(prompt.key)) is None:
            return
        async with self._channels.begins(turn.prompt.channel):
            turn = await self._store.find(prompt.key)
            if turn is None or turn.prompt.text in {prompt.text, ""}:  # "": it was deleted
                return
            if relay := self._channels.relay_of(turn):
                relay.ask_anew(prompt.text)
            elif turn.status is Status.QUEUED:
                await self._channels.reword(turn, prompt.text, Status.QUEUED)
                await end_left_over(turn, self._store, self._backend)
            elif self._rules.changes.rerun_edited == "last" and await self._store.is_last(turn):
                await self._channels.reword(turn, prompt.text, turn.status)
                self.wake(turn)
            else:
                return
        log.info("prompt.edited", extra={"turn": turn.id, "status": turn.status.value})

    async def deleted(self, key: str) -> None:
        if (turn := await self._store.find(key)) is None:
            return
        channel = turn.prompt.channel
        async with self._channels.begins(channel):
            if relay := self._channels.relay_of(turn):
                if not self._rules.changes.delete_answers:
                    self._channels.stop(channel)
                    return
                relay.withdraw()
                await self._store.erase(turn)
            else:
                turn = await self._store.find(key) or turn
                if not self._rules.changes.delete_answers:
                    if turn.status is not Status.QUEUED:
                        return
                    # what was begun is the next to begin
                    if turn.messages:
                        self.wake(turn)  # after a restart it is not in line yet
                        if self._channels.stop(channel):
                            return
                with self._channels.doubts.about(channel):
                    before = await self._store.erase(turn)
                if before.status is Status.QUEUED and before.attempts and not self._channels.answers(channel):
                    before = await self._stations.with_strays(before)
                self.remove(before)
                await end_left_over(before, self._store, self._backend)
        log.info("prompt.deleted", extra={"turn": turn.id, "status": turn.status.value})

    async def obey(self, command: Command, channel: Channel) -> str:
        match command:
            case Command.NEW:
                await self._store.close_conversations(channel)
                self.forget()
                return "Forgotten. The next question starts a new conversation."
            case Command.STOP:
                return _STOPPED if self._channels.stop(channel) else "There is no answer running here."
            case Command.RETRY:
                return await self._retry(channel)
            case Command.HELP:
                return HELP

    async def knows(self, channel: Channel, place: Place) -> bool:
        return await self._store.asked_in(channel, place)

    async def quiet(self, channel: Channel) -> None:
        await self._channels.quiet(channel)

    async def expect(self) -> None:
        """Before the platforms are connected: who asks from now on is to be answered. Raises StoreError."""
        for catching_up in self._catching_up.values():
            await catching_up.expect()

    def heard(self, platform: str, at: float) -> None:
        if catching_up := self._catching_up.get(platform):
            catching_up.heard(at)

    def back(self, platform: str) -> None:
        self._rereading.begin_all(platform)
        self.catch_up(platform)

    def catch_up(self, platform: str) -> None:
        """What was asked while it did not deliver is looked up, in the background."""
        if catching_up := self._catching_up.get(platform):
            catching_up.back()

    # Starting and ending

    def reread(self, turn: Turn) -> asyncio.Task[None]:
        """Its question may have been edited or deleted while nobody listened; done when that is known and obeyed."""
        return self._rereading.begin(turn)

    def wake(self, turn: Turn) -> None:
        """The turn is queued: its channel answers it after those before it, and when the channel has a place."""
        self._channels.wake(turn)

    def remove(self, turn: Turn) -> None:
        """Its messages, in the background: nobody waits for the answer any more."""
        self._stations.remove(turn)

    def forget(self) -> None:
        """Deletes closed conversations on the server, in the background."""
        self._channels.forgetting.begin()

    async def drain(self, grace: float) -> None:
        """Begins no more turns; running ones may finish for `grace` seconds, then they wait for the next start as well.

        What is queued stays so.
        """
        for catching_up in self._catching_up.values():
            catching_up.stop()
        await self._rereading.end()
        await self._channels.drain(grace)
        for catching_up in self._catching_up.values():
            await catching_up.end()

    # Questions

    async def _take_missed(self, prompt: Prompt) -> bool:
        return await self._take(prompt, self._rules.capacity.for_missed)

    async def _take(self, prompt: Prompt, capacity: Capacity) -> bool:
        """A question is stored, or refused for good; returns whether it is new. Raises StoreError."""
        with self._channels.doubts.about(prompt.channel):
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

    # Questions beyond the capacity

    def _refuse(self, prompt: Prompt, refusal: Ending) -> None:
        """Says so, or, where that was said just now, nothing: either way the question is dealt with."""
        if self._channels.draining or not self._refusals.due(prompt.channel):
            log.info("prompt.refused", extra={"channel": str(prompt.channel), "end": refusal.end.value})
            return
        log.warning("prompt.refused", extra={"channel": str(prompt.channel), "end": refusal.end.value})
        self._errands.begin(self._refusals.tell(prompt, sentence(refusal)))

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
            await self._stations.say(prompt, words)

    async def _retry(self, channel: Channel, place: Place | None = None) -> str:
        """Asks the channel's last question again, into the messages of its answer; returns the sentence to show.

        The model is not told the answer that is replaced, unless its server keeps the conversation: there the old
        question and what there was of an answer stay before the new one, as after an edit. In a thread with questions
        of its own (`place`), nobody wants an answer in another thread to be replaced. Raises StoreError.
        """
        async with self._channels.begins(channel):
            turn = await self._store.latest(channel)
            if turn is None:
                return "There is nothing to ask again here."
            if turn.status in {Status.QUEUED, Status.RUNNING}:
                return "An answer is still running here."
            if place and not _same_thread(turn.prompt.place, place) and await self._store.asked_in(channel, place):
                return "The last question was asked in another thread."
            await self._channels.reword(turn, turn.prompt.text, turn.status)
            self.wake(turn)
        log.info("prompt.asked_again", extra={"turn": turn.id})
        return _ASKING


def _same_thread(one: Place, other: Place) -> bool:
    return (one.room, one.thread) == (other.room, other.thread)
