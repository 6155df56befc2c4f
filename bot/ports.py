"""What the engine needs from the outside, and what each side may rely on.

There is no port for the clock: the running event loop is the clock (`loop.time()`, seconds), and tests pass in a loop
that jumps. See `tests/jumping_loop.py`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bot.core.commands import Command
from bot.core.dialects import Dialect
from bot.core.files import File
from bot.core.line import UNBOUNDED, Capacity
from bot.core.model import (
    Channel,
    Conversation,
    Ending,
    Event,
    Exchange,
    Place,
    Progress,
    Prompt,
    Request,
    Status,
    Turn,
)
from bot.core.pacing import Call, Limit, Receipt


class Backend(Protocol):
    """One OpenAI API."""

    @property
    def name(self) -> str:
        """`responses`, `assistants` or `chat`."""
        ...

    def stream(self, request: Request) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Asks once, without retries of its own after the server may have begun, and yields what comes.

        Yields a `Began` whenever an id becomes known, all before the first `Delta`: that of a conversation which had to
        be made comes before the question is asked in it, so it is known also where the question is then refused. One
        `Ended` is the last event. Whatever else ends the answer is raised as BackendError from the iteration, which
        makes all requests; no SDK error escapes. Leaving the block, also by cancellation, closes the connection to the
        server at once; a response that was named in a `Began` goes on there until it ends or is cancelled.

        A request with a mark asks nothing: it yields what the answer has beyond the mark, and then what comes. It may
        be made as often as it breaks (BackendError.broken). If the server has no such answer any more, or another than
        the mark's text begins, it raises a BackendError that is neither `broken` nor `again`.

        A request that was asked before in its conversation is not asked twice if the server holds it: an answer that
        goes on or is there is yielded as if it had just been asked for.
        """
        ...

    async def cancel(self, remote: str, response: str) -> None:
        """Ends an answer that goes on at the server, for nobody will take it up: what it has said so far may be kept.

        One that is over, or not there, is no error. Raises BackendError.
        """
        ...

    async def forget(self, remote: str) -> None:
        """Deletes a conversation on the server. One that is not there is no error. Raises BackendError."""
        ...

    async def leave_nothing(self) -> None:
        """Deletes what this backend has made on the server besides conversations (the assistant, if it made one)."""
        ...

    async def probe(self) -> None:
        """Asks the server, without generating, whether key, model and API are there. Raises BackendError."""
        ...

    async def close(self) -> None:
        """Closes connections. Streams that are open break."""
        ...


class Inbox(Protocol):
    """Where a platform delivers what people say."""

    async def receive(self, prompt: Prompt) -> None:
        """Takes a question, or obeys it where it is a text command (`!stop`).

        When it returns the question is stored, so the platform may be told that it was received; the answer comes
        later. A prompt whose key was seen before does nothing. Raises StoreError if it could not be stored.
        """
        ...

    async def edited(self, prompt: Prompt) -> None:
        """A message that may have been a question reads so now. Told again it does nothing more. Raises StoreError."""
        ...

    async def deleted(self, key: str) -> None:
        """A message that may have been the question with this key is gone, so nobody waits for an answer to it.

        Told again it does nothing more. Raises StoreError.
        """
        ...

    async def obey(self, command: Command, channel: Channel) -> str:
        """Carries out a command given otherwise than as text; returns the sentence to show."""
        ...

    async def knows(self, channel: Channel, place: Place) -> bool:
        """Whether the bot has been asked in this thread before (so it goes on there without being mentioned).

        Before the message that the place names, or with it; an old message may come late.
        """
        ...

    async def quiet(self, channel: Channel) -> None:
        """Returns when no turn of the channel is queued or running."""
        ...

    def heard(self, platform: str, at: float) -> None:
        """What was said on this platform until then was delivered and has been received.

        `at` is of the newest message, whoever wrote it to whom: seconds since 1970 by the platform's clock.
        """
        ...

    def back(self, platform: str) -> None:
        """It delivers again after a gap, and what was said in the gap it will not deliver by itself."""
        ...


class Streaming(Protocol):
    """Messages of one place that grow by appending. Every call is made once."""

    @property
    def place(self) -> Place:
        """Where they appear, and whatever else belongs to the answer."""
        ...

    @property
    def dialect(self) -> Dialect: ...

    async def start(self, text: str, *, person: str, nonce: str) -> Receipt:
        """Begins a message; the receipt has its id. `person` asked, and sees it grow.

        Calling again with the same nonce after Unreachable gives the message that is there, with the text it had.
        Raises PlatformError; Rejected where nothing can be streamed here.
        """
        ...

    async def append(self, message: str, text: str) -> Receipt:
        """Adds to a message. Raises PlatformError; StreamEnded where it takes nothing more."""
        ...

    async def stop(self, message: str, text: str, *, more: bool) -> Receipt:
        """Adds the rest, if any: from now on it is a message like any other. Raises as `append` does.

        `more`: the answer goes on, and it goes on showing so until `Platform.quiet` or the next stop.
        """
        ...


@dataclass(frozen=True, slots=True)
class Strays:
    """Messages of an answer that nobody knew of, in the order in which they stand."""

    pages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # messages with files, below its pages


class Platform(Protocol):
    """One chat service. Every call is made once; nothing waits or retries inside except where it says so."""

    @property
    def name(self) -> str:
        """`discord`, `slack` or `terminal`: the first part of its channels."""
        ...

    @property
    def dialect(self) -> Dialect: ...

    def limits(self, call: Call, place: Place) -> Sequence[Limit]:
        """Every limit that this call counts against, the one that its headers speak of first."""
        ...

    async def connect(self, inbox: Inbox) -> str:
        """Connects and begins to deliver. Returns when it is connected, with a line that says as whom and where.

        Raises ConfigError when the platform refuses the token, the intents or the scopes.
        """
        ...

    async def run(self) -> None:
        """Serves until `close`, surviving drops of the connection. Ends by itself only where the person ends it."""
        ...

    def missed(self, since: float, places: Sequence[Place]) -> AsyncGenerator[Prompt]:
        """Looks up which questions were asked since then (seconds since 1970 by the platform's clock).

        Oldest first in each room; text commands are left out. `places` are rooms and threads in which the bot was
        asked lately, the latest first: some platforms do not tell by themselves where something was said. What is said
        in a room while it is looked at waits, so that it is received after what was missed there. It takes its time,
        within limits of its own, and skips what it cannot read. Raises PlatformError where nothing can be read.
        """
        ...

    async def reread(self, prompt: Prompt) -> Prompt | None:
        """The question as it reads now, looked up at the platform: `prompt` itself if nobody has edited it since it was
        asked, or if what it reads now is no question; None if it is certainly gone.

        Waits for its share of the calls. Raises PlatformError, and StoreError, where that cannot be told.
        """
        ...

    def streaming(self, place: Place) -> Streaming | None:
        """How an answer is streamed here; None where it is posted and edited."""
        ...

    async def post(self, place: Place, text: str, *, nonce: str, first: bool) -> Receipt:
        """Shows a new message; the receipt has its id. `first`: it is the answer's first page.

        Calling again with the same nonce (at most 25 characters) after Unreachable never shows it twice.
        Raises PlatformError.
        """
        ...

    async def attach(self, place: Place, text: str, files: Sequence[File], *, nonce: str) -> Receipt:
        """Shows a new message with these files (1 to 10) below a sentence; the receipt has its id.

        `text` is a plain sentence, or one from `dialect.note`: not every platform knows its Markdown here. Calling
        again with the same nonce after any error never shows the files twice; it may take some seconds to look for
        them. Raises PlatformError: Rejected where the place takes messages but not these files, so the caller can show
        their text in another way.
        """
        ...

    async def strays(self, place: Place, nonces: str, known: Sequence[str]) -> Strays:
        """What of an answer appeared without its call having been answered.

        `nonces` is what the nonces of the answer's messages begin with, `known` are those that are known; files are
        looked for only below pages of either kind. Asked when nobody else has anything to show in the place: before a
        later answer to it, and before this one goes on. What belongs to an earlier answer may stand below the question
        all the same. Raises PlatformError.
        """
        ...

    async def edit(self, place: Place, message: str, text: str) -> Receipt:
        """Replaces the text of a message of ours, and ends its stream if one is still open. Raises PlatformError."""
        ...

    async def delete(self, place: Place, message: str) -> Receipt:
        """Removes a message of ours. Raises PlatformError; Gone when it is not there."""
        ...

    async def typing(self, place: Place) -> float:
        """Shows that an answer is coming; returns after how many seconds to say so again (0: never).

        Raises PlatformError.
        """
        ...

    async def quiet(self, place: Place) -> None:
        """Takes back what `typing` shows. Where that ends by itself this costs nothing: `limits` names none for it.

        Raises PlatformError.
        """
        ...

    async def close(self) -> None:
        """Stops delivering, then disconnects. Running calls are finished first."""
        ...


@dataclass(frozen=True, slots=True)
class Running:
    """A turn that has begun, and what the model needs for it."""

    turn: Turn
    conversation: Conversation
    history: Sequence[Exchange]  # its ended turns that have an answer, oldest first


class Notebook(Protocol):
    """Small things that are remembered across restarts, as text by name. Raises StoreError."""

    async def read(self, name: str) -> str | None: ...

    async def write(self, name: str, text: str | None) -> None:
        """None removes it."""
        ...


class Store(Notebook, Protocol):
    """The database: turns, conversations and notes. Raises StoreError."""

    async def accept(self, prompt: Prompt, capacity: Capacity = UNBOUNDED) -> Turn | Ending | None:
        """Stores a question as a queued turn; None if its key was stored before.

        Where too many are queued already it is stored as a turn that has ended so, without its text. Counting and
        storing are one step, whoever else accepts at the same time, also in another process.
        """
        ...

    async def begin(self, channel: Channel, backend: str) -> Running | None:
        """The oldest queued turn of the channel is running now, and has one attempt more; None if none is queued.

        It runs in the channel's open conversation with this backend; a new one is made where there is none. A turn
        whose answer goes on at the server goes on in the conversation that it has; if that is another backend's, the
        progress names no response any more.
        """
        ...

    async def add_message(self, turn: Turn, message: str, *, file: bool = False) -> None:
        """One more page of the answer is on the platform, or a message with files below the pages."""
        ...

    async def drop_message(self, turn: Turn, message: str) -> None:
        """A message of the answer is no longer on the platform."""
        ...

    async def set_progress(self, turn: Turn, progress: Progress) -> None:
        """How far the running answer has come."""
        ...

    async def finish(self, turn: Turn, answer: str, ending: Ending) -> None:
        """The turn has ended with this text (as the model wrote it)."""
        ...

    async def find(self, key: str) -> Turn | None:
        """The turn of the question with this key."""
        ...

    async def is_last(self, turn: Turn) -> bool:
        """Whether nothing was asked in its channel after it."""
        ...

    async def latest(self, channel: Channel) -> Turn | None:
        """The newest turn of the channel that has a question: it was neither refused nor erased."""
        ...

    async def reword(self, turn: Turn, text: str, status: Status) -> bool:
        """If the turn still has this status: its question reads so now, and it waits as after `requeue`.

        That attempt does not count as one that was cut short, and its progress is forgotten. Returns whether it had.
        """
        ...

    async def erase(self, turn: Turn) -> Turn:
        """The turn is over and its words are gone: question and answer are empty. Returns it as it was before."""
        ...

    async def requeue(self, turn: Turn, progress: Progress | None = None, *, counts: bool = True) -> None:
        """The turn waits again, before any later one of its channel; its messages stay known.

        `progress` replaces what was noted. `counts`: its attempt was cut short, and not by the bot's own going down.
        """
        ...

    async def open_turns(self) -> Sequence[Turn]:
        """What a start has to look after, oldest first: every queued or running turn, and every erased one that has
        messages, if it is one of the latest 20,000.
        """
        ...

    async def asked_in(self, channel: Channel, place: Place) -> bool:
        """Whether any turn, however it ended, was asked in this room and thread.

        Where the place names a message, what was asked after that does not count.
        """
        ...

    async def asked_lately(self, platform: str, seconds: float, most: int) -> Sequence[Place]:
        """Rooms and threads in which a turn was asked so many seconds ago or later: at most so many, the latest first.

        The places name no message. Only the latest 20,000 turns are looked at.
        """
        ...

    async def conversation_of(self, turn: Turn) -> Conversation | None:
        """The one in which its last attempt began; None if there was none."""
        ...

    async def set_remote(self, conversation: Conversation, remote: str) -> Conversation:
        """The conversation's id on the server."""
        ...

    async def close_conversations(self, channel: Channel) -> None:
        """The channel forgets: the next question opens another conversation."""
        ...

    async def forgotten(self, backend: str) -> Sequence[Conversation]:
        """Closed conversations that are still on the server, and in which no answer is running or goes on."""
        ...

    async def close(self) -> None: ...
