"""The database in memory. It passes the database's own contract tests (see `test_memory_store`)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from types import CoroutineType
from typing import Any, Concatenate, ParamSpec, TypeVar

from bot.core.line import UNBOUNDED, Capacity
from bot.core.model import Channel, Conversation, End, Ending, Exchange, Place, Progress, Prompt, Status, Turn
from bot.errors import Missing, StoreError
from bot.ports import Running


@dataclass(slots=True)
class Row:
    """A turn as the database has it."""

    turn: Turn
    conversation: int = 0
    answer: str = ""
    ending: Ending | None = None
    asked_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())


P = ParamSpec("P")
R = TypeVar("R")


def _call(
    method: Callable[Concatenate[MemoryStore, P], Awaitable[R]],
) -> Callable[Concatenate[MemoryStore, P], CoroutineType[Any, Any, R]]:
    """A call takes effect half-way, as over a network: what is true when it returns may have changed meanwhile."""

    @wraps(method)
    async def call(store: MemoryStore, *args: P.args, **kwargs: P.kwargs) -> R:
        await store.reach(method.__name__)
        result = await method(store, *args, **kwargs)
        await asyncio.sleep(store.latency / 2)
        store.come_back(method.__name__)
        return result

    return call


@dataclass
class MemoryStore:
    """`rows` and `conversations` by id. `latency`: seconds that a call takes."""

    latency: float = 0.0
    rows: dict[int, Row] = field(default_factory=dict[int, Row])
    conversations: dict[int, Conversation] = field(default_factory=dict[int, Conversation])
    closed: set[int] = field(default_factory=set[int])
    notes: dict[str, str] = field(default_factory=dict[str, str])
    calls: Counter[str] = field(default_factory=Counter[str])
    _failing: Counter[str] = field(default_factory=Counter[str])
    _losing: Counter[str] = field(default_factory=Counter[str])
    _down_until: float = 0.0

    def fail(self, method: str, times: int = 1, *, effect: bool = False) -> None:
        """The next calls of this method raise StoreError; `effect`: they are carried out all the same."""
        (self._losing if effect else self._failing)[method] += times

    def go_down(self, seconds: float) -> None:
        """Nothing reaches it for a while."""
        self._down_until = asyncio.get_running_loop().time() + seconds

    def row(self, key: str) -> Row:
        return next(row for row in self.rows.values() if row.turn.prompt.key == key)

    # Turns

    @_call
    async def accept(self, prompt: Prompt, capacity: Capacity = UNBOUNDED) -> Turn | Ending | None:
        turns = [row.turn for row in self.rows.values()]
        if any(turn.prompt.key == prompt.key for turn in turns):
            return None
        queued = [turn.prompt.channel for turn in turns if turn.status is Status.QUEUED]
        refusal = capacity.refusal(
            queued.count(prompt.channel),
            len([channel for channel in queued if channel.platform == prompt.channel.platform]),
            running=any(t.prompt.channel == prompt.channel and t.status is Status.RUNNING for t in turns),
        )
        turn = Turn(len(self.rows) + 1, replace(prompt, text="") if refusal else prompt)
        self.rows[turn.id] = Row(turn)
        if refusal:
            self.rows[turn.id] = Row(replace(turn, status=refusal.status), ending=refusal)
        return refusal or turn

    @_call
    async def begin(self, channel: Channel, backend: str) -> Running | None:
        queued = (row for row in self.rows.values() if row.turn.status is Status.QUEUED)
        row = next((row for row in queued if row.turn.prompt.channel == channel), None)
        if row is None:
            return None
        if row.turn.progress.response and self.conversations[row.conversation].backend == backend:
            conversation = self.conversations[row.conversation]
        else:
            conversation = self._conversation(channel, backend)
            row.turn = replace(row.turn, progress=replace(row.turn.progress, response="", cursor=""))
        row.turn = replace(row.turn, status=Status.RUNNING, attempts=row.turn.attempts + 1)
        row.conversation = conversation.id
        return Running(row.turn, conversation, self._history(conversation))

    @_call
    async def add_message(self, turn: Turn, message: str, *, file: bool = False) -> None:
        row = self._row(turn)
        if message in (*row.turn.messages, *row.turn.files):
            return
        if file:
            row.turn = replace(row.turn, files=(*row.turn.files, message))
        else:
            row.turn = replace(row.turn, messages=(*row.turn.messages, message))

    @_call
    async def drop_message(self, turn: Turn, message: str) -> None:
        row = self._row(turn)
        messages = tuple(known for known in row.turn.messages if known != message)
        row.turn = replace(row.turn, messages=messages, files=tuple(f for f in row.turn.files if f != message))

    @_call
    async def set_progress(self, turn: Turn, progress: Progress) -> None:
        row = self._row(turn)
        row.turn = replace(row.turn, progress=progress)

    @_call
    async def finish(self, turn: Turn, answer: str, ending: Ending) -> None:
        row = self._row(turn)
        row.turn = replace(row.turn, status=ending.status, progress=Progress())
        row.answer, row.ending = answer, ending

    @_call
    async def requeue(self, turn: Turn, progress: Progress | None = None, *, counts: bool = True) -> None:
        row = self._row(turn)
        row.turn = replace(
            row.turn,
            status=Status.QUEUED,
            cut_short=row.turn.cut_short + counts,
            progress=progress or row.turn.progress,
        )
        row.answer, row.ending = "", None

    @_call
    async def find(self, key: str) -> Turn | None:
        return next((row.turn for row in self.rows.values() if row.turn.prompt.key == key), None)

    @_call
    async def is_last(self, turn: Turn) -> bool:
        turns = (row.turn for row in self.rows.values())
        return not any(known.prompt.channel == turn.prompt.channel and known.id > turn.id for known in turns)

    @_call
    async def latest(self, channel: Channel) -> Turn | None:
        turns = [row.turn for row in self.rows.values()]
        asked = [turn for turn in turns if turn.prompt.channel == channel and turn.prompt.text]
        return max(asked, key=lambda turn: turn.id, default=None)

    @_call
    async def reword(self, turn: Turn, text: str, status: Status) -> bool:
        row = self.rows.get(turn.id)
        if row is None or row.turn.status is not status:
            return False
        prompt = replace(row.turn.prompt, text=text)
        row.turn = replace(row.turn, prompt=prompt, cut_short=0, status=Status.QUEUED, progress=Progress())
        row.answer, row.ending = "", None
        return True

    @_call
    async def erase(self, turn: Turn) -> Turn:
        row = self._row(turn)
        before = row.turn
        row.turn = replace(before, prompt=replace(before.prompt, text=""))
        row.answer = ""
        if before.status in {Status.QUEUED, Status.RUNNING}:
            row.turn, row.ending = replace(row.turn, status=Status.STOPPED), Ending(End.STOPPED)
        return before

    @_call
    async def open_turns(self) -> Sequence[Turn]:
        return [row.turn for row in self.rows.values() if _has_to_be_looked_after(row.turn)]

    @_call
    async def asked_in(self, channel: Channel, place: Place) -> bool:
        here = (channel.platform, place.room, place.thread)
        prompts = [row.turn.prompt for row in self.rows.values()]
        asked = [p.place.message for p in prompts if (p.channel.platform, p.place.room, p.place.thread) == here]
        until = len(place.message), place.message
        return any(not place.message or (len(message), message) <= until for message in asked)

    @_call
    async def asked_lately(self, platform: str, seconds: float, most: int) -> Sequence[Place]:
        since = asyncio.get_running_loop().time() - seconds
        rows = (row for row in reversed(self.rows.values()) if row.asked_at > since)
        prompts = (row.turn.prompt for row in rows)
        places = [Place(p.place.room, thread=p.place.thread) for p in prompts if p.channel.platform == platform]
        return list(dict.fromkeys(places))[:most]

    # Conversations

    @_call
    async def conversation_of(self, turn: Turn) -> Conversation | None:
        return self.conversations.get(self._row(turn).conversation)

    @_call
    async def set_remote(self, conversation: Conversation, remote: str) -> Conversation:
        if conversation.id not in self.conversations:
            raise Missing(f"conversation {conversation.id} is not in the database")
        named = self.conversations[conversation.id] = replace(conversation, remote=remote)
        return named

    @_call
    async def close_conversations(self, channel: Channel) -> None:
        self.closed |= {known.id for known in self.conversations.values() if known.channel == channel}

    @_call
    async def forgotten(self, backend: str) -> Sequence[Conversation]:
        running = {
            row.conversation
            for row in self.rows.values()
            if row.turn.status is Status.RUNNING or (row.turn.status is Status.QUEUED and row.turn.progress.response)
        }
        return [
            known
            for known in self.conversations.values()
            if known.backend == backend and known.remote and known.id in self.closed - running
        ]

    # Notes

    @_call
    async def read(self, name: str) -> str | None:
        return self.notes.get(name)

    @_call
    async def write(self, name: str, text: str | None) -> None:
        if text is None:
            self.notes.pop(name, None)
        else:
            self.notes[name] = text

    async def close(self) -> None:
        """Nothing is kept open."""

    async def reach(self, method: str) -> None:
        """The way to the database."""
        self.calls[method] += 1
        await asyncio.sleep(self.latency / 2)
        if self._failing[method] or asyncio.get_running_loop().time() < self._down_until:
            self._failing[method] -= self._failing[method] > 0
            raise StoreError("the database does not answer")

    def come_back(self, method: str) -> None:
        """The way from the database."""
        if self._losing[method]:
            self._losing[method] -= 1
            raise StoreError("the connection to the database was lost")

    def _row(self, turn: Turn) -> Row:
        if turn.id not in self.rows:
            raise Missing(f"turn {turn.id} is not in the database")
        return self.rows[turn.id]

    def _conversation(self, channel: Channel, backend: str) -> Conversation:
        for known in self.conversations.values():
            if (known.channel, known.backend) == (channel, backend) and known.id not in self.closed:
                return known
        new = Conversation(len(self.conversations) + 1, channel, backend)
        self.conversations[new.id] = new
        return new

    def _history(self, conversation: Conversation) -> Sequence[Exchange]:
        return [
            Exchange(row.turn.prompt.for_model(), row.answer, row.ending.settled)
            for row in self.rows.values()
            if row.conversation == conversation.id and row.ending is not None and row.answer
        ]


def _has_to_be_looked_after(turn: Turn) -> bool:
    erased = not turn.prompt.text
    return turn.status in {Status.QUEUED, Status.RUNNING} or (erased and bool(turn.messages or turn.files))
