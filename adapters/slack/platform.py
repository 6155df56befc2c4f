"""Slack as a platform: the calls of an answer, and the life of the connection."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

import aiohttp

from adapters.slack.calls import TIMEOUT, Answer, StillStreaming, made, web_client
from adapters.slack.content import mark, nonce_of, page
from adapters.slack.listener import Listener
from adapters.slack.missed import Missed
from adapters.slack.people import People
from adapters.slack.probe import probe
from adapters.slack.prompts import Scope
from adapters.slack.received import seconds
from adapters.slack.sign_in import Me, mixed_up, sign_in, socket_address
from adapters.slack.socket import SDK_LOG, Socket
from adapters.slack.status import Status
from adapters.slack.streams import Streams, Way
from adapters.slack.untaken import Untaken
from adapters.slack.uploads import holds, upload
from bot.core.dialects import SLACK
from bot.core.files import File
from bot.core.model import Place, Prompt
from bot.core.pacing import Call, Limit, Receipt
from bot.errors import ConfigError, Gone, Refused, Rejected, Unreachable
from bot.ports import Inbox, Strays, Streaming

_UNSURE = 1_000  # nonces remembered whose posts nobody repeated
_LOOKS = (0.3, 0.7, 1.0, 2.0, 4.0)  # seconds between looks for shared files: Slack shows them after it says that it did


class SlackPlatform:
    """One workspace, over the Web API and Socket Mode. `always_on` holds ids of Slack channels (C…)."""

    name = "slack"
    dialect = SLACK

    def __init__(
        self,
        bot_token: str,
        app_token: str,
        *,
        api_url: str = "https://slack.com/api/",
        conversation_scope: Scope = "channel",
        streaming: Way = "auto",
        always_on: frozenset[str] = frozenset(),
        command: str = "/rivulet",
        heartbeat: float = 5.0,  # seconds between the socket's pings; a dead connection is noticed within four
    ) -> None:
        self._bot_token = bot_token
        self._app_token = app_token
        self._scope: Scope = conversation_scope
        self._way: Way = streaming
        self._always_on = always_on
        self._command = command
        self._heartbeat = heartbeat
        self._client = web_client(api_url, bot_token, SDK_LOG)
        self._keyless = web_client(api_url, None, SDK_LOG)  # for Bolt, which knows us by other means
        self._me = Me("", "", "", "", "")
        self._since = 0.0  # when we connected; seconds since 1970, as Slack's ts
        self._socket: Socket | None = None
        self._missed: Missed | None = None
        self._unsure: deque[str] = deque(maxlen=_UNSURE)  # nonces of posts that may or may not have appeared
        self._known: deque[str] = deque(maxlen=_UNSURE)  # messages of ours that are certainly accounted for
        self._streams = Streams(self._client, streaming)
        self._status = Status(self._client, self._made)
        self._busy: set[asyncio.Future[None]] = set()
        self._closed = asyncio.Event()

    def limits(self, call: Call, place: Place) -> Sequence[Limit]:
        team = self._me.team
        match call:
            case Call.POST:
                # "one message a second and channel, short bursts tolerated, several hundred a minute and workspace":
                # a little slower, for calls arrive closer together than they left
                return (
                    Limit(f"slack:chat.postMessage:{team}:{place.room}", 1, 1.2),
                    Limit(f"slack:chat.postMessage:{team}", 300, 60.0),
                )
            case Call.ATTACH:  # tier 4: at least 100 a minute; each file is announced in a call of its own
                return (Limit(f"slack:files:{team}", 50, 60.0),)
            case Call.EDIT:  # tier 3: at least 50 a minute, for all channels together
                return (Limit(f"slack:chat.update:{team}", 50, 60.0),)
            case Call.DELETE:  # tier 3
                return (Limit(f"slack:chat.delete:{team}", 50, 60.0),)
            case Call.START | Call.STOP:  # tier 2: at least 20 a minute
                return (Limit(f"slack:chat.{call}Stream:{team}", 20, 60.0),)
            case Call.APPEND:  # tier 4: at least 100 a minute, for all streams together
                return (Limit(f"slack:chat.appendStream:{team}", 100, 60.0),)
            case Call.TYPING | Call.QUIET:  # tier 3, in one window: they are one method
                return (Limit(f"slack:sessions.setStatus:{team}", 50, 60.0),)

    async def connect(self, inbox: Inbox) -> str:
        if faults := mixed_up(self._bot_token, self._app_token):
            raise ConfigError(faults[0])
        self._closed.clear()
        session = aiohttp.ClientSession(timeout=TIMEOUT)
        self._client.session = self._keyless.session = session
        try:
            self._me = await sign_in(self._client)
            address = await socket_address(self._client, self._app_token)
            self._since = time.time()
            listener = Listener(
                self._me,
                People(self._client),
                inbox,
                scope=self._scope,
                direct_threads=self._scope == "thread" and self._way != "edit",
                always_on=self._always_on,
                command=self._command,
                quiet=self.quiet,
                untaken=Untaken(self._client, self._made),
            )
            self._missed = Missed(self._client, self._made, listener, self._me.scopes)
            self._socket = Socket(
                listener.app(self._keyless, SDK_LOG),
                self._app_token,
                back=lambda: inbox.back(self.name),
                heartbeat=self._heartbeat,
                proxy=self._client.proxy,
            )
            await self._socket.connect(address)
        except BaseException:
            await self.close()
            raise
        return f"connected as {self._me.name} in {self._me.team_name}"

    async def run(self) -> None:
        await self._closed.wait()

    def missed(self, since: float, places: Sequence[Place]) -> AsyncGenerator[Prompt]:
        assert self._missed is not None, "connect first"
        return self._missed.questions(since, places)

    def streaming(self, place: Place) -> Streaming | None:
        return self._streams.at(place, self._me.team, self._stream_made, self._find_page)

    async def post(self, place: Place, text: str, *, nonce: str, first: bool) -> Receipt:
        if found := await self._find_page(place, nonce):
            return Receipt(found)
        limit = self.limits(Call.POST, place)[0].key
        call = self._client.chat_postMessage(
            channel=place.room,
            thread_ts=place.thread or None,
            **page(text),
            unfurl_links=False,
            unfurl_media=False,
            metadata=mark(nonce),
        )
        with self._unsure_if_lost(nonce):
            answer = await self._made(call, limit=limit, wait=1.0)
        return Receipt(self._ours(str(answer.data["ts"])))

    async def strays(self, place: Place, nonces: str, known: Sequence[str]) -> Strays:
        unknown = {str(message["ts"]): message async for message in self._written(place)}
        for ts in known:
            unknown.pop(ts, None)
        in_order = sorted(unknown, key=seconds)
        pages = [ts for ts in in_order if (nonce_of(unknown[ts]) or "").startswith(nonces)]
        if self._streams.may_be_in(place):  # its last page may be a stream, which is marked when it ends
            pages += [ts for ts in in_order if self._is_unmarked(unknown[ts], place)][:1]
        pages.sort(key=seconds)
        if not (known or pages):
            return Strays()
        last = max(map(seconds, [*known, *pages]))  # what stands above it may be another answer's
        files = [ts for ts in in_order if unknown[ts].get("files") and seconds(ts) > last]
        for ts in (*pages, *files):
            self._ours(ts)
        return Strays(tuple(pages), tuple(files))

    async def attach(self, place: Place, text: str, files: Sequence[File], *, nonce: str) -> Receipt:
        """Waits until the files are there, for a few seconds: Slack's answer does not tell the message."""
        with self._in_work():
            if self._may_be_there(place, nonce):
                looks = _LOOKS if nonce in self._unsure else (0.0,)
                if found := await self._find_files(place, files, looks):
                    return Receipt(found)
            limit = self.limits(Call.ATTACH, place)[0].key
            uploaded = [await upload(self._client, file, limit=limit) for file in files]
            call = self._client.files_completeUploadExternal(
                files=[{"id": id, "title": file.name} for id, file in zip(uploaded, files, strict=True)],
                channel_id=place.room,
                thread_ts=place.thread or None,
                initial_comment=SLACK.render(text),
            )
            self._unsure.append(nonce)
            try:
                await made(call, limit=limit)
            except (Refused, Rejected, Gone):
                self._unsure.remove(nonce)
                raise
            if found := await self._find_files(place, files, _LOOKS):
                return Receipt(found)
            raise Unreachable("Slack has taken the files but does not show them yet")

    async def edit(self, place: Place, message: str, text: str) -> Receipt:
        self._ours(message)
        try:
            await self._update(place, message, text)
        except StillStreaming:  # a process before this one has left it so
            await self._streams.end(place, message, self._stream_made)
            await self._update(place, message, text)
        return Receipt(message)

    async def delete(self, place: Place, message: str) -> Receipt:
        call = self._client.chat_delete(channel=place.room, ts=message)
        await self._made(call, limit=self.limits(Call.DELETE, place)[0].key)
        return Receipt(message)

    async def typing(self, place: Place) -> float:
        return await self._status.busy(place)

    async def quiet(self, place: Place) -> None:
        await self._status.idle(place)

    async def probe(self) -> list[str]:
        """What is wrong with tokens, scopes and Socket Mode, each with how to mend it. Needs no `connect`."""
        client = web_client(self._client.base_url, self._bot_token, SDK_LOG)
        async with aiohttp.ClientSession(timeout=TIMEOUT) as client.session:
            return await probe(client, self._bot_token, self._app_token)

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
            self._socket = None
        if self._busy:
            await asyncio.wait(self._busy)  # each ends by itself, at the latest by its timeout
        if self._client.session is not None:
            await self._client.session.close()
        self._closed.set()

    async def _update(self, place: Place, message: str, text: str) -> None:
        call = self._client.chat_update(
            channel=place.room, ts=message, metadata=self._streams.mark(message), **page(text)
        )
        await self._made(call, limit=self.limits(Call.EDIT, place)[0].key)

    async def _made(self, call: Awaitable[Any], *, limit: str = "", wait: float = 3.0) -> Answer:
        with self._in_work():
            return await made(call, limit=limit, wait=wait)

    @contextmanager
    def _in_work(self) -> Generator[None]:
        done = asyncio.get_running_loop().create_future()
        self._busy.add(done)
        try:
            yield
        finally:
            self._busy.discard(done)
            done.set_result(None)

    async def _stream_made(self, call: Awaitable[Any], kind: Call, *, nonce: str = "") -> Answer:
        limit = self.limits(kind, Place(""))[0].key
        if not nonce:
            return await self._made(call, limit=limit)
        with self._unsure_if_lost(nonce):
            answer = await self._made(call, limit=limit)
        self._ours(str(answer.data["ts"]))
        return answer

    @contextmanager
    def _unsure_if_lost(self, nonce: str) -> Generator[None]:
        try:
            yield
        except (Refused, Rejected, Gone):
            raise
        except BaseException:  # unreachable or cancelled: it may have been taken
            self._unsure.append(nonce)
            raise

    def _ours(self, message: str) -> str:
        self._known.append(message)
        return message

    async def _find_page(self, place: Place, nonce: str) -> str:
        """The message that an earlier post or start with this nonce has made, if it has."""
        if nonce not in self._unsure:
            return ""
        found = await self._find(place, lambda message: nonce_of(message) == nonce)
        if not found and self._streams.may_be_in(place):  # a stream is marked when it ends
            found = await self._find(place, lambda message: self._is_unmarked(message, place))
        return self._ours(found) if found else ""

    def _is_unmarked(self, message: dict[str, Any], place: Place) -> bool:
        ts = str(message["ts"])
        later = seconds(ts) > seconds(place.message)
        return later and not (nonce_of(message) or message.get("files") or ts in self._known)

    def _may_be_there(self, place: Place, nonce: str) -> bool:
        """Whether an earlier post with this nonce may have appeared: ours, or that of a process before this one."""
        return nonce in self._unsure or 0 < seconds(place.message) < self._since

    async def _find_files(self, place: Place, files: Sequence[File], looks: Sequence[float]) -> str:
        for pause in looks:
            await asyncio.sleep(pause)
            if found := await self._find(place, lambda message: holds(message, files)):
                return found
        return ""

    async def _find(self, place: Place, wanted: Callable[[dict[str, Any]], bool]) -> str:
        """The ts of our wanted message among what was written after the question; empty if there is none."""
        async with aclosing(self._written(place)) as messages:
            async for message in messages:
                if wanted(message):
                    return str(message["ts"])
        return ""

    async def _written(self, place: Place) -> AsyncGenerator[dict[str, Any]]:
        """Our messages after the question."""
        cursor: str | None = None
        while True:
            window: dict[str, Any] = {
                "channel": place.room,
                "oldest": place.message or None,
                "include_all_metadata": True,
                "limit": 100,
                "cursor": cursor,
            }
            if place.thread:
                answer = await self._made(self._client.conversations_replies(ts=place.thread, **window))
            else:
                answer = await self._made(self._client.conversations_history(**window))
            messages: list[dict[str, Any]] = answer.data.get("messages") or []
            for message in messages:
                if message.get("user") == self._me.user:
                    yield message
            paging: dict[str, str] = answer.data.get("response_metadata") or {}
            cursor = paging.get("next_cursor")
            if not cursor:
                return
