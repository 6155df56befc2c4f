"""What happens in the workspace: state, timeline and events change together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from playground.previews import previews
from playground.slack.errors import SlackError
from playground.slack.events import Events
from playground.slack.features import Features
from playground.slack.limits import Limits, RateLimiter
from playground.slack.markup import Ping, mentions, pings
from playground.slack.payloads import (
    MESSAGE_EVENT,
    changed_event,
    deleted_event,
    mention_event,
    message_event,
    message_json,
)
from playground.slack.sessions import Key, Sessions
from playground.slack.socket_mode import SocketMode
from playground.slack.state import Channel, Message, Workspace
from playground.timeline import Attachment, Kind, Moment, Timeline

# What the bot's manifest asks for.
SCOPES = frozenset(
    {
        *("app_mentions:read", "assistant:write", "chat:write", "commands", "files:read", "files:write"),
        *("channels:history", "groups:history", "im:history", "mpim:history"),
        *("channels:read", "groups:read", "im:read", "mpim:read", "users:read", "reactions:read"),
        *("im:write", "reactions:write"),
    }
)


class Service:
    """The workspace in motion; every method runs at once, at the time of the effect."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.workspace = Workspace()
        self.limits = Limits()
        self.features = Features()
        self.limiter = RateLimiter(self.limits, timeline.now)
        self.sockets = SocketMode(self.limits, self.workspace.app_id)
        self.events = Events(self.workspace, self.sockets)
        self.scopes: set[str] = set(SCOPES)
        self.pings: list[Ping] = []
        self.sessions = Sessions(self.limits, timeline.now, self._show_status)
        self.homes: dict[str, dict[str, Any]] = {}  # person -> the view in their Home tab
        self.url = ""  # where the stand-in is mounted
        self._later: set[asyncio.TimerHandle] = set()

    def post(self, channel: Channel, message: Message) -> None:
        """A new message appears."""
        channel.messages[message.ts] = message
        self._show("posted", channel, message)
        self._tell(channel, message_event(self.workspace, channel, message), about=message.ts)
        self._mention(channel, message, message.ts)
        if message.bot:
            self.sessions.message_posted((channel.id, message.thread_ts))

    def post_later(self, channel: Channel, message: Message, seconds: float) -> None:
        """A new message that appears, and gets its ts, some time after the call that brought it."""

        def appear() -> None:
            self._later.discard(timer)
            message.ts = self.workspace.new_ts()
            self.post(channel, message)

        timer = asyncio.get_running_loop().call_later(seconds, appear)
        self._later.add(timer)

    def close(self) -> None:
        for timer in self._later:
            timer.cancel()

    def edit(self, channel: Channel, message: Message, change: Callable[[Message], None]) -> None:
        """A message changes; `change` does it."""
        before = message_json(self.workspace, channel, message)
        was_mentioned = mentions(message.text, self.workspace.bot_user)
        change(message)
        self._show("edited", channel, message)
        event_ts = self.workspace.new_ts()
        now = message_json(self.workspace, channel, message)
        self._tell(channel, changed_event(channel, now, before, event_ts))
        if not was_mentioned:
            self._mention(channel, message, event_ts)

    def grow(self, channel: Channel, message: Message) -> None:
        """A streamed message has grown, or a person has stopped it, which makes no event."""
        self._show("edited", channel, message)

    def delete(self, channel: Channel, message: Message) -> None:
        """A message disappears; a root with replies leaves a tombstone."""
        before = message_json(self.workspace, channel, message)
        self._record("deleted", channel, message=message.ts)
        event_ts = self.workspace.new_ts()
        if channel.replies(message.ts):
            message.tombstone, message.bot = True, False
            now = message_json(self.workspace, channel, message)
            event = changed_event(channel, now, before, event_ts)
        else:
            del channel.messages[message.ts]
            event = deleted_event(channel, before, event_ts)
        self._tell(channel, event)

    def whisper(
        self, channel: Channel, person: str, text: str, *, mrkdwn: bool, thread_ts: str = "", author: str = ""
    ) -> str:
        """Something that only one person sees; returns its ts."""
        ts = self.workspace.new_ts()
        self._note_pings(pings(channel.id, ts, text))
        shown_by = author or self.workspace.people[self.workspace.bot_user].real_name
        about = {"author": shown_by, "reply_to": thread_ts, "private_to": person}
        self._record("posted", channel, message=ts, text=text, bot=True, mrkdwn=mrkdwn, **about)
        return ts

    def require_scope(self, scope: str) -> None:
        """Raises SlackError."""
        if scope and scope not in self.scopes:
            raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))

    def _show(self, kind: Kind, channel: Channel, message: Message) -> None:
        text = message.shown or message.text
        if message.bot:
            self._note_pings(pings(channel.id, message.ts, text))
        live = message.stream is not None and not (message.stream.ended or message.stream.stopped_by_person)
        alone = live and kind == "edited" and channel.kind != "im"
        self._record(
            kind,
            channel,
            message=message.ts,
            text=text,
            bot=message.bot,
            author=self.workspace.people[message.user].real_name,
            reply_to=message.thread_ts,
            private_to=message.stream.recipient if message.stream is not None and alone else "",
            files=tuple(Attachment(file["id"], file["name"], file["size"]) for file in message.files),
            previews=previews(text, brackets_hush=False) if message.unfurl else (),
            fallback=message.text if message.bot and message.text != text else "",
            live=live,
            mrkdwn=message.mrkdwn,
        )

    def _show_status(self, key: Key, text: str, lasts: float, by_bot: bool) -> None:
        channel, thread_ts = self.workspace.channels[key[0]], key[1]
        author = self.workspace.people[self.workspace.bot_user].real_name
        self._record("status", channel, author=author, text=text, reply_to=thread_ts, bot=by_bot, lasts=lasts)

    def _record(self, kind: Kind, channel: Channel, **what: Any) -> None:
        self.timeline.add(Moment(self.timeline.now(), "slack", channel.id, kind, **what))

    def _note_pings(self, found: Iterable[Ping]) -> None:
        self.pings += [ping for ping in found if ping not in self.pings]

    def _tell(self, channel: Channel, event: dict[str, Any], *, about: str = "") -> None:
        """Of messages the app hears only where its bot is a member."""
        if self.workspace.bot_user in channel.members:
            self.events.publish(MESSAGE_EVENT[channel.kind], event, about=about)

    def _mention(self, channel: Channel, message: Message, event_ts: str) -> None:
        """Slack never sends app_mention in direct messages, and not of the app's own words."""
        if channel.kind == "im" or message.bot or self.workspace.bot_user not in channel.members:
            return
        if mentions(message.text, self.workspace.bot_user):
            event = mention_event(self.workspace, channel, message, event_ts)
            self.events.publish("app_mention", event, about=message.ts)
