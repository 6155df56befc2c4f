"""What there is: one guild, its channels, people and messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any

from playground.discord.errors import unknown_channel, unknown_message, unknown_user
from playground.discord.mentions import Mentioned
from playground.discord.permissions import EVERYONE, Permission
from playground.discord.snowflakes import Snowflakes


class ChannelType(IntEnum):
    TEXT = 0
    DM = 1
    PUBLIC_THREAD = 11


class MessageType(IntEnum):
    DEFAULT = 0
    THREAD_CREATED = 18
    REPLY = 19
    COMMAND_RESPONSE = 20
    THREAD_STARTER = 21


class InteractionType(IntEnum):
    COMMAND = 2
    COMPONENT = 3


class MessageFlag(IntFlag):
    NONE = 0
    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


@dataclass
class Person:
    id: str
    name: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class StoredFile:
    name: str
    content: bytes


@dataclass
class Message:
    id: str
    channel: Channel
    author: Person
    content: str
    created: float  # seconds since the epoch
    type: MessageType = MessageType.DEFAULT
    edited: float | None = None
    flags: int = 0
    tts: bool = False
    nonce: str | int | None = None
    embeds: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    components: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    attachments: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    mentioned: Mentioned = field(default_factory=Mentioned)
    reply_to: str = ""  # the id; the message itself may be gone
    thread: Channel | None = None
    interaction: Interaction | None = None  # what it is a response to
    private_to: Person | None = None  # ephemeral: only this person sees it

    @property
    def system(self) -> bool:
        return self.type in (MessageType.THREAD_CREATED, MessageType.THREAD_STARTER)


@dataclass
class Interaction:
    """A command or a button that a person used, and what the bot answered."""

    id: str
    token: str
    kind: InteractionType
    channel: Channel
    person: Person
    data: dict[str, Any]
    at: float  # seconds, on the timeline's clock
    message: Message | None = None  # where the button is
    acknowledged: bool = False
    original: Message | None = None
    responses: list[Message] = field(default_factory=list[Message])  # everything shown, the original included


@dataclass
class Channel:
    id: str
    type: ChannelType
    name: str
    guild: str = ""  # empty in a DM
    parent: Channel | None = None  # of a thread
    owner: Person | None = None  # who opened the thread, or with whom the DM is
    denied: Permission = Permission.NONE
    archived: bool = False  # a thread; who writes in it opens it again, unless it is locked
    locked: bool = False
    left: bool = False  # the bot has left the guild
    messages: dict[str, Message] = field(default_factory=dict[str, Message])

    @property
    def permissions(self) -> Permission:
        """What the bot, and everybody else without a role, may do here."""
        return Permission.NONE if self.left else EVERYONE & ~(self.parent or self).denied

    def message(self, id: str) -> Message:
        """One that the bot sees here; raises ApiError."""
        message = self.messages.get(id)
        if message is None or message.private_to:
            raise unknown_message()
        return message

    def visible(self) -> list[Message]:
        """Oldest first, without what only one person sees."""
        return [message for message in self.messages.values() if not message.private_to]


@dataclass
class State:
    """Ids are Discord's snowflakes, as text."""

    snowflakes: Snowflakes = field(default_factory=Snowflakes)
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    people: dict[str, Person] = field(default_factory=dict[str, Person])  # all are members of the guild, the bot too
    interactions: dict[str, Interaction] = field(default_factory=dict[str, Interaction])
    roles: dict[str, str] = field(default_factory=dict[str, str])  # id -> name, without @everyone
    files: dict[str, StoredFile] = field(default_factory=dict[str, StoredFile])  # an attachment's id -> its bytes

    def __post_init__(self) -> None:
        self.guild = self.snowflakes.new()
        self.guild_name = "Rivulet Playground"
        self.application = self.snowflakes.new()
        self.bot = self.add_person("Rivulet", bot=True)

    def add_person(self, name: str, *, bot: bool = False) -> Person:
        person = Person(self.snowflakes.new(), name, bot)
        self.people[person.id] = person
        return person

    def add_channel(self, name: str) -> Channel:
        return self._add(Channel(self.snowflakes.new(), ChannelType.TEXT, name, guild=self.guild))

    def add_thread(self, parent: Channel, name: str, owner: Person, *, id: str = "") -> Channel:
        """A thread that starts from a message has that message's id."""
        type_ = ChannelType.PUBLIC_THREAD
        return self._add(Channel(id or self.snowflakes.new(), type_, name, self.guild, parent, owner))

    def open_dm(self, person: Person) -> Channel:
        """The one DM that there is between this person and the bot."""
        for channel in self.channels.values():
            if channel.type is ChannelType.DM and channel.owner is person:
                return channel
        return self._add(Channel(self.snowflakes.new(), ChannelType.DM, person.name, owner=person))

    def channel(self, id: str) -> Channel:
        """Raises ApiError."""
        if id not in self.channels:
            raise unknown_channel()
        return self.channels[id]

    def person(self, id: str) -> Person:
        """Raises ApiError."""
        if id not in self.people:
            raise unknown_user()
        return self.people[id]

    def message(self, id: str) -> Message:
        """Wherever it is; raises ApiError."""
        for channel in self.channels.values():
            if id in channel.messages:
                return channel.messages[id]
        raise unknown_message()

    def threads(self) -> list[Channel]:
        return [channel for channel in self.channels.values() if channel.type is ChannelType.PUBLIC_THREAD]

    def _add(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        return channel
