"""A chat service in memory: it keeps the screen, counts calls in windows as Discord does, and fails when it is told to.

Every call travels for `latency / 2`, takes effect, and travels back as long. A post whose nonce was seen before gives
the message that is there, with the text that it has: as Discord does, and as the Slack adapter finds it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from math import inf

from bot.core.dialects import DISCORD, SLACK_STREAM, Dialect
from bot.core.files import File
from bot.core.model import Place, Prompt
from bot.core.pacing import Call, Limit, Quota, Receipt
from bot.errors import Gone, PlatformError, Refused, Rejected, StreamEnded, Unreachable
from bot.ports import Inbox, Strays, Streaming

# Discord's, as documented in `adapters/discord/platform.py`
WINDOWS: Mapping[Call, tuple[int, float]] = {
    Call.POST: (5, 5.0),
    Call.EDIT: (5, 5.0),
    Call.DELETE: (3, 1.0),
    Call.TYPING: (5, 5.0),
}


@dataclass(frozen=True, slots=True)
class State:
    """What a reader sees of a message from this moment on."""

    at: float
    text: str


@dataclass(slots=True)
class Message:
    id: str
    place: Place
    states: list[State]
    first: bool = False
    deleted_at: float | None = None
    files: Sequence[File] = ()
    live: bool = False  # a stream that is still open
    stopped: bool = False  # by a person

    @property
    def text(self) -> str:
        return self.states[-1].text


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call that reached the platform."""

    at: float
    call: Call
    room: str
    refused: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of one call. `effect`: it is carried out all the same, and only the answer is lost."""

    error: BaseException
    effect: bool = False


@dataclass(slots=True)
class _Window:
    """Discord's way of counting: it opens with the first call and closes after its length."""

    calls: int
    seconds: float
    ends: float = -inf
    used: int = 0

    def count(self, now: float) -> bool:
        """Whether one more call is taken."""
        if now >= self.ends:
            self.ends, self.used = now + self.seconds, 0
        self.used += 1
        return self.used <= self.calls

    def quota(self, now: float) -> Quota:
        return Quota(self.calls, max(0, self.calls - self.used), self.ends - now)


@dataclass
class FakePlatform:
    """`messages` are all that were ever posted, in order; `arrivals` every call that arrived."""

    name: str = "discord"
    dialect: Dialect = DISCORD
    windows: Mapping[Call, tuple[int, float]] = field(default_factory=lambda: dict(WINDOWS))
    headers: bool = True
    latency: float = 0.08  # seconds there and back
    messages: list[Message] = field(default_factory=list[Message])
    arrivals: list[Arrival] = field(default_factory=list[Arrival])
    at_once: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # posts, edits, deletes of a room
    most_at_once: int = 0
    under_way: int = 0
    inbox: Inbox | None = None
    streams: bool = False  # answers are streamed, as on Slack
    asked_meanwhile: list[Prompt] = field(default_factory=list[Prompt])  # what `missed` finds
    unreadable: deque[Exception] = field(default_factory=deque[Exception])  # how the next looks fail, after the first
    looked: list[tuple[float, tuple[Place, ...]]] = field(default_factory=list[tuple[float, tuple[Place, ...]]])
    breaks_looking: Exception | None = None  # what looking for a page raises
    reworded: dict[str, str] = field(default_factory=dict[str, str])  # keys of edited questions; deleted ones: no text
    looked_at: list[str] = field(default_factory=list[str])  # keys of the questions that were looked at
    unreadable_questions: deque[Exception] = field(default_factory=deque[Exception])  # what the next looks raise
    reading_takes: dict[str, float] = field(default_factory=dict[str, float])  # keys of questions; seconds
    chokes_on: str = ""  # every call with this in its text ends in a server error
    busy: dict[str, bool] = field(default_factory=dict[str, bool])  # rooms that show that an answer is coming

    def __post_init__(self) -> None:
        self._faults: dict[Call, deque[Fault]] = defaultdict(deque)
        self._counted: dict[str, _Window] = {}
        self._nonces: dict[tuple[str, str], Message] = {}
        self._lost_rooms: set[str] = set()
        self._down_until = -inf
        self._closed = asyncio.Event()

    # What a test says and sees

    def fail(self, call: Call, *errors: BaseException, effect: bool = False) -> None:
        """The next calls of this kind fail so, one after another."""
        self._faults[call].extend(Fault(error, effect) for error in errors)

    def go_down(self, seconds: float) -> None:
        """Nothing reaches it for a while."""
        self._down_until = asyncio.get_running_loop().time() + seconds

    def lose_room(self, room: str) -> None:
        self._lost_rooms.add(room)

    def lose_message(self, message: str) -> None:
        """Somebody deletes it."""
        self._find(message).deleted_at = asyncio.get_running_loop().time()

    def screen(self, room: str = "r1") -> list[str]:
        """What stands in a room now."""
        return [m.text for m in self.messages if m.place.room == room and m.deleted_at is None]

    def when(self, call: Call) -> list[float]:
        return [arrival.at for arrival in self.arrivals if arrival.call is call]

    @property
    def refused(self) -> list[Arrival]:
        return [arrival for arrival in self.arrivals if arrival.refused]

    # The port

    def limits(self, call: Call, place: Place) -> Sequence[Limit]:
        counted = Call.POST if call is Call.ATTACH else call
        if counted not in self.windows:
            return ()
        return (Limit(f"{counted}:{place.room}", *self.windows[counted]), Limit("all", 50, 1.0))

    async def connect(self, inbox: Inbox) -> str:
        self.inbox = inbox
        return "connected"

    async def run(self) -> None:
        await self._closed.wait()

    async def missed(self, since: float, places: Sequence[Place]) -> AsyncGenerator[Prompt]:
        self.looked.append((since, tuple(places)))
        for prompt in self.asked_meanwhile:
            await asyncio.sleep(self.latency)
            yield prompt
            if self.unreadable:
                raise self.unreadable.popleft()

    async def reread(self, prompt: Prompt) -> Prompt | None:
        self.looked_at.append(prompt.key)
        await asyncio.sleep(self.latency + self.reading_takes.get(prompt.key, 0.0))
        if self.unreadable_questions:
            raise self.unreadable_questions.popleft()
        text = self.reworded.get(prompt.key)
        if text is None:
            return prompt
        return replace(prompt, text=text) if text else None

    def streaming(self, place: Place) -> Streaming | None:
        return _Streaming(self, place) if self.streams else None

    async def post(self, place: Place, text: str, *, nonce: str, first: bool) -> Receipt:
        async with self._call(Call.POST, place, text) as receipt:
            message = self._shown(place, text, nonce, first=first)
        return Receipt(message.id, receipt.quota)

    async def strays(self, place: Place, nonces: str, known: Sequence[str]) -> Strays:
        await asyncio.sleep(self.latency)
        if self.breaks_looking:
            raise self.breaks_looking
        if self._now() < self._down_until:
            raise Unreachable("no answer")
        unknown = [
            message
            for (room, nonce), message in self._nonces.items()
            if room == place.room and nonce.startswith(nonces)
            if message.id not in known and message.deleted_at is None
        ]
        return Strays(*(tuple(m.id for m in unknown if bool(m.files) == has) for has in (False, True)))

    async def attach(self, place: Place, text: str, files: Sequence[File], *, nonce: str) -> Receipt:
        async with self._call(Call.ATTACH, place, text) as receipt:
            message = self._shown(place, text, nonce, files=tuple(files))
        return Receipt(message.id, receipt.quota)

    async def edit(self, place: Place, message: str, text: str) -> Receipt:
        async with self._call(Call.EDIT, place, text) as receipt:
            found = self._find(message)
            found.live = False  # as Slack's adapter does it
            found.states.append(self._state(text))
        return Receipt(message, receipt.quota)

    async def start(self, place: Place, text: str, nonce: str) -> Receipt:
        async with self._call(Call.START, place, text) as receipt:
            message = self._shown(place, text, nonce)
            message.live = True
        return Receipt(message.id, receipt.quota)

    async def grow(self, call: Call, place: Place, message: str, text: str) -> Receipt:
        """Adds to a stream; the white space that an addition begins with is lost, as on Slack."""
        async with self._call(call, place) as receipt:
            found = self._find(message)
            if not found.live:
                raise StreamEnded("the stream has ended", by_person=found.stopped)
            found.live = call is not Call.STOP
            found.states.append(self._state(found.text + text.lstrip()))
        return Receipt(message, receipt.quota)

    async def delete(self, place: Place, message: str) -> Receipt:
        async with self._call(Call.DELETE, place) as receipt:
            self._find(message).deleted_at = self._now()
        return Receipt(message, receipt.quota)

    async def typing(self, place: Place) -> float:
        async with self._call(Call.TYPING, place):
            self.busy[place.room] = True
            return 8.0

    async def quiet(self, place: Place) -> None:
        async with self._call(Call.QUIET, place):
            self.busy[place.room] = False

    async def close(self) -> None:
        self._closed.set()

    # How a call goes

    def _shown(
        self, place: Place, text: str, nonce: str, *, first: bool = False, files: Sequence[File] = ()
    ) -> Message:
        """The message with this nonce, new if there is none."""
        assert len(nonce) <= 25
        message = self._nonces.get((place.room, nonce))
        if message is None or message.deleted_at is not None:
            message = Message(f"m{len(self.messages)}", place, [self._state(text)], first, files=files)
            self.messages.append(message)
            self._nonces[place.room, nonce] = message
        return message

    @asynccontextmanager
    async def _call(self, call: Call, place: Place, text: str = "x") -> AsyncGenerator[_Answer]:
        """The block is the call's effect; what is raised in it or before it is the platform's answer."""
        writes = call not in {Call.TYPING, Call.QUIET}
        self.at_once[place.room] += writes
        self.most_at_once = max(self.most_at_once, self.at_once[place.room])
        self.under_way += 1
        try:
            await asyncio.sleep(self.latency / 2)
            answer = _Answer()
            fault = self._faults[call].popleft() if self._faults[call] else None
            if fault is not None and not fault.effect:
                self._log(call, place, refused=isinstance(fault.error, Refused))
                failure: BaseException | None = fault.error
            elif failure := self._refusal(call, place, text, answer):
                pass
            else:
                yield answer
                failure = fault.error if fault else None
            await asyncio.sleep(self.latency / 2)
            if failure is not None:
                raise failure
        finally:
            self.under_way -= 1
            self.at_once[place.room] -= writes

    def _refusal(self, call: Call, place: Place, text: str, answer: _Answer) -> PlatformError | None:
        now = self._now()
        if now < self._down_until or (self.chokes_on and self.chokes_on in text):
            return Unreachable("no answer")
        for position, limit in enumerate(self.limits(call, place)):
            window = self._counted.setdefault(limit.key, _Window(limit.calls, limit.seconds))
            if not window.count(now):
                self._log(call, place, refused=True)
                return Refused(window.ends - now, limit=limit.key)
            if position == 0 and self.headers:
                answer.quota = window.quota(now)
        self._log(call, place)
        if place.room in self._lost_rooms:
            return Gone("no such channel")
        if not text.strip() or self.dialect.length(text) > self.dialect.budget:
            return Rejected(f"{len(text)} characters")
        return None

    def _log(self, call: Call, place: Place, *, refused: bool = False) -> None:
        self.arrivals.append(Arrival(self._now(), call, place.room, refused))

    def _find(self, message: str) -> Message:
        for known in self.messages:
            if known.id == message and known.deleted_at is None:
                return known
        raise Gone("no such message", message=True)

    def _state(self, text: str) -> State:
        return State(self._now(), text)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass(slots=True)
class _Answer:
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class _Streaming:
    platform: FakePlatform
    place: Place
    dialect: Dialect = SLACK_STREAM

    async def start(self, text: str, *, person: str, nonce: str) -> Receipt:
        return await self.platform.start(self.place, text, nonce)

    async def append(self, message: str, text: str) -> Receipt:
        return await self.platform.grow(Call.APPEND, self.place, message, text)

    async def stop(self, message: str, text: str, *, more: bool) -> Receipt:
        return await self.platform.grow(Call.STOP, self.place, message, text)
