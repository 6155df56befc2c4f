"""What happens in the workspace: state, timeline and events change together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from playground.slack.errors import SlackError
from playground.slack.events import Events
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
from playground.slack.socket_mode import SocketMode
from playground.slack.state import Channel, Message, Workspace
from playground.timeline import Kind, Moment, Timeline

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
        self.limiter = RateLimiter(self.limits, timeline.now)
        self.sockets = SocketMode(self.limits, self.workspace.app_id)
        self.events = Events(self.workspace, self.sockets)
        self.scopes: set[str] = set(SCOPES)
        self.pings: list[Ping] = []
        self.sessions: dict[tuple[str, str], str] = {}  # (channel, thread_ts) -> the agent session's status
        self.statuses: dict[tuple[str, str], str] = {}  # the same, set the older way
        self.homes: dict[str, dict[str, Any]] = {}  # person -> the view in their Home tab
        self.url = ""  # where the stand-in is mounted

    def post(self, channel: Channel, message: Message) -> None:
        """A new message appears."""
        channel.messages[message.ts] = message
        self._show("posted", channel, message)
        self._tell(channel, message_event(self.workspace, channel, message), about=message.ts)
        self._mention(channel, message, message.ts)
        if message.bot and self.statuses.pop((channel.id, message.thread_ts), ""):
            self.show_status(channel, message.thread_ts, "")

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
        """A streamed message has grown, which makes no event."""
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

    def whisper(self, channel: Channel, person: str, text: str, *, thread_ts: str = "", author: str = "") -> str:
        """Something that only one person sees; returns its ts."""
        ts = self.workspace.new_ts()
        self._note_pings(pings(channel.id, ts, text))
        shown_by = author or self.workspace.people[self.workspace.bot_user].real_name
        about = {"author": shown_by, "reply_to": thread_ts, "private_to": person}
        self._record("posted", channel, message=ts, text=text, bot=True, **about)
        return ts

    def show_status(self, channel: Channel, thread_ts: str, status: str) -> None:
        """What stands under a thread while the bot works; empty removes it."""
        author = self.workspace.people[self.workspace.bot_user].real_name
        self._record("status", channel, author=author, text=status, reply_to=thread_ts, bot=True)

    def require_scope(self, scope: str) -> None:
        """Raises SlackError."""
        if scope and scope not in self.scopes:
            raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))

    def _show(self, kind: Kind, channel: Channel, message: Message) -> None:
        text = message.shown or message.text
        if message.bot:
            self._note_pings(pings(channel.id, message.ts, text))
        about = {"author": self.workspace.people[message.user].real_name, "reply_to": message.thread_ts}
        self._record(kind, channel, message=message.ts, text=text, bot=message.bot, **about)

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
