"""The workspace: people, channels and messages, as they are now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.slack.errors import SlackError

Kind = Literal["channel", "group", "im", "mpim"]  # public, private, direct, direct with several people


@dataclass(frozen=True, slots=True)
class Person:
    """Someone in the workspace; the bot is one too."""

    id: str
    name: str  # the handle
    real_name: str
    bot: bool = False


@dataclass(slots=True)
class Stream:
    """The streaming state of a message."""

    started: float  # seconds on the timeline's clock
    recipient: str
    mode: Literal["", "markdown_text", "chunks"] = ""  # fixed by the first content
    size: int = 0  # bytes so far, tasks included
    chunk_blocks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    ended: bool = False
    stopped_by_person: bool = False

    def live(self, now: float, seconds: float) -> bool:
        """Whether it can grow: neither ended nor older than a stream may become."""
        return not (self.ended or self.stopped_by_person) and now - self.started <= seconds


@dataclass(slots=True)
class Message:
    """One message that everybody in its channel sees."""

    ts: str
    user: str
    text: str  # as apps receive it
    shown: str = ""  # what a reader sees, where it is not the text: as typed, or the blocks
    bot: bool = False
    thread_ts: str = ""  # the root it replies to; empty for a root
    blocks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    files: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    client_msg_id: str = ""
    edited_ts: str = ""
    tombstone: bool = False  # a deleted root whose replies are still there
    reactions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])  # name -> people
    stream: Stream | None = None
    unfurl: bool = False  # its links get a preview
    mrkdwn: bool = False  # written in Slack's older markup


@dataclass(slots=True)
class Channel:
    """A conversation in Slack's sense."""

    id: str
    name: str
    kind: Kind
    members: list[str]
    created: int  # seconds since 1970
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict[str, Message])

    def replies(self, root_ts: str) -> list[Message]:
        return [message for message in self.messages.values() if message.thread_ts == root_ts]


@dataclass(slots=True)
class File:
    """An upload, announced or done."""

    id: str
    name: str
    length: int  # bytes, as announced
    upload_key: str
    content: bytes | None = None  # None: not uploaded yet


@dataclass
class Workspace:
    """One team with one installed app."""

    team: str = "T1000000001"
    team_name: str = "Playground"
    domain: str = "playground"
    app_id: str = "A1000000001"
    bot_id: str = "B1000000001"
    bot_user: str = "U1000000000"
    bot_name: str = "rivulet"
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    files: dict[str, File] = field(default_factory=dict[str, File])
    _ids: int = 0
    _last_ts: int = 0  # microseconds since 1970

    def __post_init__(self) -> None:
        self.people[self.bot_user] = Person(self.bot_user, self.bot_name, self.bot_name.capitalize(), bot=True)

    def new_id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}1{self._ids:09d}"

    def new_ts(self) -> str:
        """Later than every other; Slack's are unique in a channel, these in the workspace."""
        self._last_ts = max(time.time_ns() // 1000, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def add_person(self, name: str) -> Person:
        """A new person, a member of every public channel."""
        person = Person(self.new_id("U"), name.lower().replace(" ", "."), name)
        self.people[person.id] = person
        for channel in self.channels.values():
            if channel.kind == "channel":
                channel.members.append(person.id)
        return person

    def add_channel(self, name: str, kind: Kind, members: list[str]) -> Channel:
        prefix = "D" if kind == "im" else "C"
        channel = Channel(self.new_id(prefix), name, kind, members, created=int(time.time()))
        self.channels[channel.id] = channel
        return channel

    def direct(self, person: str) -> Channel:
        """The direct messages between a person and the bot."""
        for channel in self.channels.values():
            if channel.kind == "im" and person in channel.members:
                return channel
        return self.add_channel("", "im", [person, self.bot_user])

    def visible(self) -> Iterator[Channel]:
        """What the bot can know of: public channels, and where it is a member."""
        for channel in self.channels.values():
            if channel.kind == "channel" or self.bot_user in channel.members:
                yield channel

    def channel(self, channel_id: str) -> Channel:
        """A channel that the bot can know of. Raises SlackError."""
        channel = self.channels.get(channel_id)
        if channel is None or (channel.kind != "channel" and self.bot_user not in channel.members):
            raise SlackError("channel_not_found")
        return channel

    def joined(self, channel_id: str) -> Channel:
        """A channel that the bot is a member of. Raises SlackError."""
        channel = self.channel(channel_id)
        if self.bot_user not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def writable(self, channel_id: str) -> Channel:
        """A channel that the bot may post in. Raises SlackError."""
        channel = self.joined(channel_id)
        if channel.archived:
            raise SlackError("is_archived")
        return channel

    def message(self, channel: Channel, ts: str) -> Message:
        """Raises SlackError."""
        message = channel.messages.get(ts)
        if message is None or message.tombstone:
            raise SlackError("message_not_found")
        return message

    def person(self, person_id: str) -> Person:
        """Raises SlackError."""
        try:
            return self.people[person_id]
        except KeyError:
            raise SlackError("user_not_found") from None
