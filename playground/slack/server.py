"""Slack's stand-in: the Web API under /slack/api, Socket Mode under /slack/socket, and the person's side as methods."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from playground.slack import markup, payloads, response_urls
from playground.slack.errors import SlackError
from playground.slack.faults import Answer
from playground.slack.features import Features
from playground.slack.limits import Limits, Refusal
from playground.slack.markup import Ping
from playground.slack.methods import files
from playground.slack.response_urls import ResponseUrls
from playground.slack.service import Service
from playground.slack.socket_mode import Kind
from playground.slack.state import Channel, Message, Person
from playground.slack.web_api import Called, WebAPI
from playground.timeline import Timeline


class SlackStandIn:
    """A workspace with the channel `general`, two people and one installed app, to which Slack's own SDKs connect.

    The methods of the person's side need a running event loop; they raise ValueError where a person could not do that.
    """

    bot_token = "xoxb-playground"
    app_token = "xapp-playground"

    def __init__(self, timeline: Timeline, *, latency: float) -> None:
        self.timeline = timeline
        self.latency = latency  # seconds from a call's arrival to its answer; it takes effect half-way
        self._service = Service(timeline)
        self._api = WebAPI(
            self._service, {self.bot_token: "xoxb", self.app_token: "xapp"}, latency=lambda: self.latency
        )
        self._urls = ResponseUrls(self._service)
        self._tasks: set[asyncio.Task[None]] = set()
        self.workspace = self._service.workspace
        self.team = self.workspace.team
        self.app_id = self.workspace.app_id
        self.bot_user = self.workspace.bot_user
        self.general = self.add_channel("general")
        self.ada = self.add_person("Ada")
        self.linus = self.add_person("Linus")

    # What a test or the page looks at and may change.

    @property
    def url(self) -> str:
        """Where it is mounted, e.g. http://127.0.0.1:8080/slack; set it before anybody connects."""
        return self._service.url

    @url.setter
    def url(self, url: str) -> None:
        self._service.url = url

    @property
    def limits(self) -> Limits:
        return self._service.limits

    @property
    def refusals(self) -> list[Refusal]:
        """Every call that a limit refused."""
        return self._service.limiter.refusals

    @property
    def calls(self) -> list[Called]:
        """Every call to the Web API."""
        return self._api.calls

    @property
    def pings(self) -> list[Ping]:
        """Whatever acted in the bot's text; a bot that repeats a model's words should leave this empty."""
        return self._service.pings

    @property
    def subscriptions(self) -> set[str]:
        """The events that the app has subscribed to."""
        return self._service.events.subscriptions

    @property
    def scopes(self) -> set[str]:
        """What the bot's token is allowed; a method that needs more answers missing_scope."""
        return self._service.scopes

    @property
    def features(self) -> Features:
        """What the workspace lets the app do; e.g. `features.streams = "channel_type_not_supported"`."""
        return self._service.features

    @property
    def homes(self) -> dict[str, dict[str, Any]]:
        """The view in each person's Home tab, by user id."""
        return self._service.homes

    def file(self, file: str) -> tuple[str, bytes]:
        """The name and the bytes of a file that was shared. Raises ValueError."""
        found = self.workspace.files.get(file)
        if found is None or found.content is None:
            raise ValueError(f"there is no file {file!r}")
        return found.name, found.content

    # The server's side.

    def mount(self, app: web.Application) -> None:
        """Adds the routes, all of them under /slack."""
        app.router.add_route("*", "/slack/api/{method}", self._api.serve)
        app.router.add_get("/slack/socket", self._service.sockets.serve)
        app.router.add_post("/slack/upload/v1/{key}", self._upload)
        app.router.add_get("/slack/files/{file}/{name}", self._download)
        app.router.add_post("/slack/commands/{team}/{trigger}", self._respond)

    async def close(self) -> None:
        """Ends deliveries and sockets."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._service.close()
        await self._service.sockets.close()
        await self._api.close()

    async def connected(self, timeout: float = 5.0, sockets: int = 1) -> None:  # noqa: ASYNC109 (one line for callers)
        """Returns when the app has this many sockets open. Raises TimeoutError."""
        await self._service.sockets.connected(timeout, sockets)

    def refresh(self, reason: str = "refresh_requested", grace: float = 1.0) -> None:
        """Asks every socket to go (`warning`: soon), and closes it after `grace` seconds."""
        self._service.sockets.refresh(reason, grace)

    def drop(self) -> None:
        """Cuts every socket's connection without a word."""
        self._service.sockets.drop()

    def redeliver(self, ts: str) -> None:
        """Sends the events of a message once more, as Slack does when an acknowledgement was lost."""
        self._service.events.redeliver(ts)

    def fail(
        self,
        method: str,
        *,
        status: int | None = None,
        body: dict[str, Any] | str = "",
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        after_effect: bool = False,
        drop: bool = False,
        hang: bool = False,
        channel: str = "",
    ) -> Callable[[], None]:
        """Scripts the next `times` calls of the methods that the regular expression matches as a whole.

        They get this answer (status 200 with a body, 500 without), a cut connection (`drop`) or none (`hang`); their
        work is not done, or done before (`after_effect`). With a channel only calls about it are meant. Returns what
        ends the fault before it has been met so often.
        """
        answer = Answer(status or (200 if body else 500), body, headers or {}, drop, hang)
        return self._api.faults.add(method, answer, times=times, after_effect=after_effect, channel=channel)

    # The person's side.

    def add_person(self, name: str) -> str:
        """A new member of every public channel; returns the user id."""
        return self.workspace.add_person(name).id

    def add_channel(self, name: str, *, private: bool = False, bot: bool = True) -> str:
        """A channel with everybody in it; returns its id."""
        members = [person.id for person in self.workspace.people.values() if bot or not person.bot]
        return self.workspace.add_channel(name, "group" if private else "channel", members).id

    def archive(self, channel: str) -> None:
        self._channel(channel).archived = True

    def remove_bot(self, channel: str) -> None:
        """Takes the bot out of a channel."""
        self._channel(channel).members.remove(self.bot_user)

    def open_dm(self, person: str) -> str:
        """The direct messages between a person and the bot."""
        return self.workspace.direct(self._person(person).id).id

    def open_group(self, *people: str) -> str:
        """Direct messages of several people and the bot; returns their id."""
        members = [self._person(person).id for person in people]
        return self.workspace.add_channel("", "mpim", [*members, self.bot_user]).id

    def open_home(self, person: str, tab: str = "home") -> None:
        """The person looks at the app's Home (`home`) or Messages (`messages`) tab."""
        channel = self.open_dm(person)
        event = {"type": "app_home_opened", "user": person, "channel": channel, "tab": tab}
        self._service.events.publish("app_home_opened", event | {"event_ts": self.workspace.new_ts()})

    def say(self, channel: str, person: str, text: str, thread_ts: str | None = None) -> str:
        """A person writes; returns the message's ts. `<@BOT>` mentions the bot; what else they type is escaped."""
        room, author = self._member(channel, person)
        if thread_ts is not None and thread_ts not in room.messages:
            raise ValueError(f"there is no message {thread_ts!r} to reply to in {channel}")
        typed = self._typed(text)
        encoded = markup.encode(typed)
        message = Message(
            self.workspace.new_ts(),
            author.id,
            encoded,
            typed,
            thread_ts=thread_ts or "",
            blocks=markup.rich_text(encoded),
            client_msg_id=str(uuid.uuid4()),
            unfurl=True,
        )
        self._service.post(room, message)
        return message.ts

    def edit(self, channel: str, ts: str, text: str) -> None:
        """The author of a message changes it."""
        room, message = self._own(channel, ts)
        typed = self._typed(text)

        def change(message: Message) -> None:
            message.text, message.shown = markup.encode(typed), typed
            message.blocks = markup.rich_text(message.text)
            message.edited_ts = self.workspace.new_ts()

        self._service.edit(room, message, change)

    def unfurl(self, channel: str, ts: str) -> None:
        """Slack adds the preview of a link to a post some time after it appeared, and tells that as a change."""
        room, message = self._own(channel, ts)
        self._service.edit(room, message, lambda message: None)

    def delete(self, channel: str, ts: str) -> None:
        """A message disappears: its author deletes it, or an admin."""
        room = self._channel(channel)
        if ts not in room.messages:
            raise ValueError(f"there is no message {ts!r} in {channel}")
        self._service.delete(room, room.messages[ts])

    def slash(self, channel: str, person: str, command: str, text: str = "") -> str:
        """A person gives a slash command; returns the handle for `responses`."""
        room, author = self._member(channel, person)
        trigger, url = self._urls.open(room, author.id)
        payload = payloads.command_payload(self.workspace, room, author, command, text, trigger, url)
        return self._send(trigger, "slash_commands", payload)

    def click(self, channel: str, person: str, ts: str, action_id: str) -> str:
        """A person presses a button of a message; returns the handle for `responses`."""
        room, author = self._member(channel, person)
        message = room.messages.get(ts)
        element = _find_element(message.blocks, action_id) if message is not None else None
        if message is None or element is None:
            raise ValueError(f"message {ts!r} in {channel} has no element {action_id!r}")
        action = {**element, "block_id": "actions", "action_ts": self.workspace.new_ts()}
        trigger, url = self._urls.open(room, author.id)
        payload = payloads.actions_payload(self.workspace, room, author, message, action, trigger, url)
        return self._send(trigger, "interactive", payload)

    def responses(self, handle: str) -> list[dict[str, Any]]:
        """What came back so far: the acknowledgement's payload and posts to the response_url, or `{"error": …}`."""
        return self._urls.answers(handle)

    def status(self, channel: str, thread_ts: str) -> str:
        """The agent session of a thread: `active`, `processing`, `suspended` or `closed`."""
        return self._service.sessions.status((channel, thread_ts))

    def shown_status(self, channel: str, thread_ts: str) -> str:
        """What stands under a thread now: `processing`, `suspended`, a text that was set the older way, or nothing."""
        return self._service.sessions.visible((channel, thread_ts))

    def stop_session(self, channel: str, person: str, thread_ts: str) -> None:
        """A person presses Stop under a thread in which the bot works: its streams there end at once."""
        room, author = self._member(channel, person)
        if self.status(room.id, thread_ts) != "processing":
            raise ValueError(f"no session is processing in thread {thread_ts!r} of {channel}")
        now, seconds = self._service.timeline.now(), self.limits.stream_seconds
        stopped: list[str] = []
        for message in room.replies(thread_ts):
            if message.stream is not None and message.stream.live(now, seconds):
                message.stream.stopped_by_person = True
                stopped.append(message.ts)
                self._service.grow(room, message)
        event = {
            "type": "agent_session_stopped",
            "channel": room.id,
            "thread_ts": thread_ts,
            "user": author.id,
            "streaming_message_ts": stopped,
            "event_ts": self.workspace.new_ts(),
        }
        self._service.events.publish("agent_session_stopped", event)

    def _send(self, trigger: str, kind: Kind, payload: dict[str, Any]) -> str:
        task = asyncio.create_task(self._urls.send(trigger, kind, payload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return trigger

    def _typed(self, text: str) -> str:
        return text.replace("<@BOT>", f"<@{self.bot_user}>")

    def _channel(self, channel: str) -> Channel:
        if channel not in self.workspace.channels:
            raise ValueError(f"there is no channel {channel!r}")
        return self.workspace.channels[channel]

    def _person(self, person: str) -> Person:
        if person not in self.workspace.people:
            raise ValueError(f"there is no person {person!r}")
        return self.workspace.people[person]

    def _member(self, channel: str, person: str) -> tuple[Channel, Person]:
        room, author = self._channel(channel), self._person(person)
        if person not in room.members or room.archived:
            raise ValueError(f"{author.real_name} cannot write in {channel}")
        return room, author

    def _own(self, channel: str, ts: str) -> tuple[Channel, Message]:
        room = self._channel(channel)
        try:
            message = self.workspace.message(room, ts)
        except SlackError:
            raise ValueError(f"there is no message {ts!r} in {channel}") from None
        if message.bot:
            raise ValueError(f"message {ts!r} is the bot's")
        return room, message

    async def _upload(self, request: web.Request) -> web.Response:
        return await files.upload(self._service, request)

    async def _download(self, request: web.Request) -> web.Response:
        return files.download(self._service, request, self.bot_token)

    async def _respond(self, request: web.Request) -> web.Response:
        return await response_urls.serve(self._urls, request)


def _find_element(blocks: list[dict[str, Any]], action_id: str) -> dict[str, Any] | None:
    for block in blocks:
        for element in [block.get("accessory", {}), *block.get("elements", [])]:
            if element.get("action_id") == action_id:
                return element
    return None
