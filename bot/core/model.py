"""What a turn is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Channel:
    """Where people write, and whose conversation it is.

    As text: `discord:123`, `slack:T1:C1`, `slack:T1:C1:170.5` (a Slack thread that has a conversation of its own),
    `terminal:`.
    """

    platform: str
    id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Channel:
        platform, _, identity = text.partition(":")
        return cls(platform, identity)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer appears: a room of the platform, the message it answers, and the thread it goes into, if any."""

    room: str  # a Discord channel or thread, a Slack channel
    message: str = ""  # the question's own message; empty where there is none (a slash command)
    thread: str = ""  # Slack's thread_ts


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote: the platform's id and the name that others see."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question as it came from a platform."""

    key: str  # the same message always has the same key, however often the platform delivers it
    channel: Channel
    place: Place
    author: Person
    text: str
    shared: bool = False  # several people write here, so the model is told who is speaking

    def for_model(self) -> str:
        """The question as the model reads it: with its author's name where several people write."""
        if not self.shared:
            return self.text
        name = " ".join(self.author.name.split()) or "someone"
        return f"{name}: {self.text}"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far an answer has come that goes on at the server when nobody listens: there it can be taken up again."""

    response: str  # the server's id of the response or run
    cursor: str = ""  # of the last delta, in its backend's own words; empty: the beginning
    text: str = ""  # all deltas so far


class Status(StrEnum):
    """How far a turn has come. The table of turns is the queue."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an answer had come when it was last noted."""

    text: str = ""  # as the model wrote it
    settled: int = 0  # so many of its messages show what they will always show of it
    response: str = ""  # the response or run, if it goes on at the server when nobody listens
    cursor: str = ""  # as in `Mark`
    asked: bool = False  # perhaps the server got the question

    @property
    def mark(self) -> Mark | None:
        """Where to take it up; None where it cannot be."""
        return Mark(self.response, self.cursor, self.text) if self.response else None


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer."""

    id: int
    prompt: Prompt
    status: Status = Status.QUEUED
    attempts: int = 0  # how often an answer was begun
    cut_short: int = 0  # how often that was cut short, by a crash or by a stream that broke
    messages: tuple[str, ...] = ()  # the platform's ids of the pages posted so far, in order
    files: tuple[str, ...] = ()  # and of the messages with files below them
    progress: Progress = Progress()  # of an attempt that was cut short


@dataclass(frozen=True, slots=True)
class Conversation:
    """The model's memory bound to a channel."""

    id: int
    channel: Channel
    backend: str  # which backend remembers it: responses, assistants, chat
    remote: str = ""  # the id on the server; empty where there is none (yet)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier question and answer of a conversation, as the model saw them."""

    question: str
    answer: str
    settled: bool = True  # the server ended this answer itself, so a remote conversation certainly holds it


@dataclass(frozen=True, slots=True)
class Request:
    """What a backend needs to answer one question."""

    text: str
    remote: str = ""  # the conversation on the server, if there is one already
    history: tuple[Exchange, ...] = ()  # oldest first, without this question
    person: str = ""  # a stable, meaningless id of the person who asks (OpenAI's safety_identifier)
    mark: Mark | None = None  # this answer has begun: take it up there instead of asking for one
    asked_before: bool = False  # by an attempt that was cut short; perhaps the server got it, and answers it still


class End(StrEnum):
    """How an answer ended."""

    COMPLETED = "completed"
    LENGTH = "length"  # cut by the limit of tokens
    FILTERED = "filtered"  # cut by a content filter
    REFUSED = "refused"  # the model declined, in its own words
    EMPTY = "empty"  # completed without a word
    UNSHOWN = "unshown"  # the platform does not take the text
    STOPPED = "stopped"  # somebody asked to stop
    INTERRUPTED = "interrupted"  # the bot went down, or the model's stream broke, more often than it is tried again
    SHUTDOWN = "shutdown"  # the bot is going down
    FAILED = "failed"  # the server says that it failed
    UNFINISHED = "unfinished"  # the stream ended cleanly, but without its terminal event
    CONNECTION_LOST = "connection_lost"
    UNREACHABLE = "unreachable"  # nothing answers at the model's address
    TIMED_OUT = "timed_out"
    OVERLOADED = "overloaded"
    RATE_LIMITED = "rate_limited"
    NO_CREDIT = "no_credit"
    UNKNOWN_MODEL = "unknown_model"
    WRONG_KEY = "wrong_key"
    NOT_ALLOWED = "not_allowed"
    TOO_LONG = "too_long"  # the conversation exceeds the model's context
    API_GONE = "api_gone"  # the server does not speak the configured API (any more)
    BAD_REQUEST = "bad_request"
    QUEUE_FULL = "queue_full"  # not taken: too many questions of its channel are waiting
    BUSY = "busy"  # not taken: too many questions are waiting in all


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ended, with what there is to add for a person: a server's own sentence, a number of seconds."""

    end: End
    detail: str = ""
    retry_after: float | None = None  # seconds

    @property
    def settled(self) -> bool:
        """The server ended the answer itself, so it remembers question and answer."""
        return self.end in {End.COMPLETED, End.LENGTH, End.FILTERED, End.REFUSED, End.EMPTY}

    @property
    def status(self) -> Status:
        """What the turn is now."""
        if self.end in {End.STOPPED, End.SHUTDOWN}:
            return Status.STOPPED
        return Status.DONE if self.settled else Status.FAILED


@dataclass(frozen=True, slots=True)
class Began:
    """Ids on the server that became known."""

    remote: str = ""  # the conversation that holds this turn; empty where history is kept locally
    response: str = ""  # the response or run, if it goes on at the server when nobody listens


@dataclass(frozen=True, slots=True)
class Working:
    """The model does something other than writing the answer; it ends with the next text."""

    doing: str  # in a word or two for a person: Thinking, Searching the web


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text from the model's stream."""

    text: str
    cursor: str = ""  # for the mark from which the answer goes on after this piece


@dataclass(frozen=True, slots=True)
class Ended:
    """The server has ended the answer by itself; the last thing that a stream yields."""

    ending: Ending


Event = Began | Working | Delta | Ended
