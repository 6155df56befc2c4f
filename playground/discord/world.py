"""What happens: every change of the state, told to the gateway and to the timeline at the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from playground.discord.attachments import Attachments
from playground.discord.drafts import Draft
from playground.discord.errors import empty_message, missing_permissions
from playground.discord.events import Event
from playground.discord.intents import Intent
from playground.discord.mentions import DEFAULT, USERS_ONLY, Mentioned, Ping, mentioned
from playground.discord.payloads import Json, channel_json, gateway_message_json, member_json, user_json
from playground.discord.permissions import Permission
from playground.discord.state import Channel, ChannelType, Interaction, Message, MessageFlag, MessageType, Person, State
from playground.previews import previews
from playground.timeline import Attachment, Kind, Moment, Timeline

# What an author may set; the rest of the flags are Discord's.
_SETTABLE = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.COMPONENTS_V2
_TYPING = 10.0  # seconds


@dataclass
class World:
    """Acts for the bot (REST) and for people (the methods of the stand-in) alike."""

    state: State
    timeline: Timeline
    announce: Callable[[Event], None]
    attachments: Attachments
    pings: list[Ping] = field(default_factory=list[Ping])

    def post(
        self,
        channel: Channel,
        author: Person,
        draft: Draft,
        *,
        reply_to: Message | None = None,
        response_to: Interaction | None = None,
        flags: MessageFlag = MessageFlag.NONE,
        ago: float = 0.0,
    ) -> Message:
        """A new message; raises ApiError if there is nothing to show (unless it is loading).

        `ago`: seconds since it was posted; for a message that nobody was there to hear.
        """
        message = Message(
            id=self.state.snowflakes.earlier(ago) if ago else self.state.snowflakes.new(),
            channel=channel,
            author=author,
            content=draft.content or "",
            created=time.time() - ago,
            flags=flags | (_SETTABLE & (draft.flags or 0)),
            tts=draft.tts,
            nonce=draft.nonce,
            embeds=list(draft.embeds or ()),
            components=list(draft.components or ()),
            attachments=self.attachments.settle((), draft.attachments, draft.files),
        )
        if reply_to:
            message.type, message.reply_to = MessageType.REPLY, reply_to.id
        if response_to:
            message.type, message.interaction = MessageType.COMMAND_RESPONSE, response_to
            message.private_to = response_to.person if flags & MessageFlag.EPHEMERAL else None
        if not flags & MessageFlag.LOADING:
            _must_show_something(message)
        self._settle_mentions(message, draft, answered=reply_to)
        if channel.archived:
            channel.archived = False
            self.channel_changed(channel, "THREAD_UPDATE")
        self._appear(message)
        return message

    def edit(self, message: Message, draft: Draft) -> None:
        """Changes what the draft speaks of; raises ApiError if nothing would be left to show."""
        content = message.content if draft.content is None else draft.content
        embeds = message.embeds if draft.embeds is None else list(draft.embeds)
        components = message.components if draft.components is None else list(draft.components)
        attachments = self.attachments.settle(message.attachments, draft.attachments, draft.files)
        if not (content or embeds or components or attachments):
            raise empty_message()
        message.content, message.embeds, message.components = content, embeds, components
        message.attachments = attachments
        if draft.flags is not None:
            # an edit can turn previews on and off, and components on for good
            message.flags &= ~MessageFlag.SUPPRESS_EMBEDS
            message.flags |= draft.flags & (MessageFlag.SUPPRESS_EMBEDS | MessageFlag.COMPONENTS_V2)
        message.flags &= ~MessageFlag.LOADING
        message.edited = time.time()
        if draft.content is not None or draft.components is not None:
            self._settle_mentions(message, draft, answered=message.channel.messages.get(message.reply_to))
        self._message_event("MESSAGE_UPDATE", message)
        self._record("edited", message)

    def delete(self, message: Message) -> None:
        channel = message.channel
        del channel.messages[message.id]
        if not message.private_to:
            gone = {"id": message.id, "channel_id": channel.id, **_in_guild(channel)}
            self._channel_event("MESSAGE_DELETE", channel, _message_intent(channel), gone)
        self._record("deleted", message, text="")

    def delete_together(self, messages: Sequence[Message]) -> None:
        """Messages of one channel, told in one event."""
        channel = messages[0].channel
        for message in messages:
            del channel.messages[message.id]
            self._record("deleted", message, text="")
        gone = {"ids": [message.id for message in messages], "channel_id": channel.id, **_in_guild(channel)}
        self._channel_event("MESSAGE_DELETE_BULK", channel, _message_intent(channel), gone)

    def remove_bot(self) -> None:
        """The bot is no member of the guild any more, and sees nothing of it."""
        guild = self.state.guild
        self.announce(Event("GUILD_DELETE", guild, Intent.GUILDS, lambda _: {"id": guild}))
        for channel in self.state.channels.values():
            if channel.guild:
                channel.left = True

    def type(self, channel: Channel, person: Person) -> None:
        typing: Json = {
            "channel_id": channel.id,
            "user_id": person.id,
            "timestamp": int(time.time()),
            **_in_guild(channel),
            **({"member": {**member_json(), "user": user_json(person)}} if channel.guild else {}),
        }
        intent = Intent.GUILD_MESSAGE_TYPING if channel.guild else Intent.DIRECT_MESSAGE_TYPING
        self._channel_event("TYPING_START", channel, intent, typing)
        self.timeline.add(replace(self._moment("typing", channel, person), lasts=_TYPING))

    def open_thread(self, parent: Channel, name: str, owner: Person, *, start: Message | None = None) -> Channel:
        """A public thread, from a message or from none; raises ApiError where the permission is missing."""
        if owner is self.state.bot and Permission.CREATE_PUBLIC_THREADS not in parent.permissions:
            raise missing_permissions()
        thread = self.state.add_thread(parent, name, owner, id=start.id if start else "")
        self._channel_event("THREAD_CREATE", parent, Intent.GUILDS, {**channel_json(thread), "newly_created": True})
        if start:
            start.thread = thread
            start.flags |= MessageFlag.HAS_THREAD
            self._message_event("MESSAGE_UPDATE", start)
            self._system(MessageType.THREAD_STARTER, thread, owner, reply_to=start.id)
        self._system(MessageType.THREAD_CREATED, parent, owner, content=name, thread=thread)
        return thread

    def channel_changed(
        self, channel: Channel, name: Literal["CHANNEL_CREATE", "CHANNEL_UPDATE", "THREAD_UPDATE"]
    ) -> None:
        payload = channel_json(channel)
        self.announce(Event(name, channel.guild, Intent.GUILDS, lambda _: payload))

    def redeliver(self, message: Message) -> None:
        """Tells the gateway once more of a message that was posted."""
        self._message_event("MESSAGE_CREATE", message)

    def _appear(self, message: Message) -> None:
        message.channel.messages[message.id] = message
        self._message_event("MESSAGE_CREATE", message)
        self._record("posted", message)

    def _system(
        self,
        type: MessageType,
        channel: Channel,
        author: Person,
        *,
        content: str = "",
        reply_to: str = "",
        thread: Channel | None = None,
    ) -> None:
        """Discord's own messages about threads; readers see them as a line, not as words of a person."""
        id = self.state.snowflakes.new()
        message = Message(id, channel, author, content, time.time(), type, reply_to=reply_to, thread=thread)
        channel.messages[id] = message
        self._message_event("MESSAGE_CREATE", message)

    def _settle_mentions(self, message: Message, draft: Draft, *, answered: Message | None) -> None:
        """Whom the message mentions now; what the bot mentions is recorded as pings."""
        state = self.state
        default = USERS_ONLY if message.interaction else DEFAULT
        allowed = draft.allowed_mentions or default
        found = mentioned(
            [message.content, *_texts(message.components)],
            allowed,
            people=state.people,
            roles=state.roles,
            everyone=bool(message.channel.guild) and Permission.MENTION_EVERYONE in message.channel.permissions,
        )
        users = found.users
        if answered and allowed.replied_user:
            users = tuple(dict.fromkeys((answered.author.id, *users)))
        message.mentioned = Mentioned(users, found.roles, found.everyone)
        if message.author is state.bot:
            targets = [*users, *found.roles, *(["everyone"] if found.everyone else [])]
            self.pings += [Ping(message.id, target) for target in targets if target != state.bot.id]

    def _message_event(self, name: str, message: Message) -> None:
        if message.private_to or Permission.VIEW_CHANNEL not in message.channel.permissions:
            return
        whole = gateway_message_json(message, self.state, content=True)
        guarded = gateway_message_json(message, self.state, content=False)

        def payload(intents: Intent) -> Json:
            return whole if Intent.MESSAGE_CONTENT in intents else guarded

        self.announce(Event(name, message.channel.guild, _message_intent(message.channel), payload))

    def _channel_event(self, name: str, channel: Channel, intent: Intent, payload: Json) -> None:
        if Permission.VIEW_CHANNEL in channel.permissions:
            self.announce(Event(name, channel.guild, intent, lambda _: payload))

    def _record(self, kind: Kind, message: Message, *, text: str | None = None) -> None:
        shown = message.content if text is None else text
        moment = self._moment(kind, message.channel, message.author, message, shown)
        if kind != "deleted":
            hushed = message.flags & MessageFlag.SUPPRESS_EMBEDS
            moment = replace(
                moment,
                files=tuple(Attachment(each["id"], each["filename"], each["size"]) for each in message.attachments),
                previews=() if hushed else previews(shown, brackets_hush=True),
            )
        self.timeline.add(moment)

    def _moment(
        self, kind: Kind, channel: Channel, person: Person, message: Message | None = None, text: str = ""
    ) -> Moment:
        return Moment(
            at=self.timeline.now(),
            platform="discord",
            room=channel.id,
            kind=kind,
            message=message.id if message else "",
            author=person.name,
            text=text,
            reply_to=message.reply_to if message else "",
            bot=person.bot,
            private_to=message.private_to.name if message and message.private_to else "",
        )


def _must_show_something(message: Message) -> None:
    if not (message.content or message.embeds or message.components or message.attachments):
        raise empty_message()


def _message_intent(channel: Channel) -> Intent:
    return Intent.DIRECT_MESSAGES if channel.type is ChannelType.DM else Intent.GUILD_MESSAGES


def _in_guild(channel: Channel) -> Json:
    return {"guild_id": channel.guild} if channel.guild else {}


def _texts(components: Sequence[dict[str, Any]]) -> list[str]:
    """The texts of components, which mention people as content does."""
    texts: list[str] = []
    for component in components:
        if isinstance(content := component.get("content"), str):
            texts.append(content)
        texts += _texts(cast("list[dict[str, Any]]", component.get("components") or []))
    return texts
