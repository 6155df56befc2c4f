"""Slack as a platform: the calls of an answer, and the life of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import aiohttp

from adapters.slack.calls import TIMEOUT, Answer, StillStreaming, made, web_client
from adapters.slack.content import mark, page
from adapters.slack.limits import limits
from adapters.slack.listener import Listener
from adapters.slack.missed import Missed
from adapters.slack.people import People
from adapters.slack.posted import Posted
from adapters.slack.probe import probe
from adapters.slack.prompts import Scope
from adapters.slack.reading import Reading
from adapters.slack.sign_in import Me, mixed_up, sign_in, socket_address
from adapters.slack.socket import SDK_LOG, Socket
from adapters.slack.status import Status
from adapters.slack.streams import Streams, Way
from adapters.slack.untaken import Untaken
from adapters.slack.uploads import upload
from bot.core.dialects import SLACK
from bot.core.files import File
from bot.core.model import Place, Prompt
from bot.core.pacing import Call, Limit, Receipt
from bot.errors import ConfigError, Unreachable
from bot.ports import Inbox, Strays, Streaming


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
        self._socket: Socket | None = None
        self._missed: Missed | None = None
        self._streams = Streams(self._client, streaming)
        self._posted = Posted(self._client, self._made, self._streams)
        self._status = Status(self._client, self._made)
        self._busy: set[asyncio.Future[None]] = set()
        self._closed = asyncio.Event()

    def limits(self, call: Call, place: Place) -> Sequence[Limit]:
        return limits(call, self._me.team, place.room)

    async def connect(self, inbox: Inbox) -> str:
        if faults := mixed_up(self._bot_token, self._app_token):
            raise ConfigError(faults[0])
        self._closed.clear()
        session = aiohttp.ClientSession(timeout=TIMEOUT)
        self._client.session = self._keyless.session = session
        try:
            self._me = await sign_in(self._client)
            address = await socket_address(self._client, self._app_token)
            self._posted.begin(self._me.user)
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
            self._missed = Missed(Reading(self._client, self._made), listener, self._me.scopes)
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

    async def reread(self, prompt: Prompt) -> Prompt | None:
        assert self._missed is not None, "connect first"
        return await self._missed.reread(prompt)

    def streaming(self, place: Place) -> Streaming | None:
        return self._streams.at(place, self._me.team, self._stream_made, self._posted.page)

    async def post(self, place: Place, text: str, *, nonce: str, first: bool) -> Receipt:
        if found := await self._posted.page(place, nonce):
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
        with self._posted.unsure_if_lost(nonce):
            answer = await self._made(call, limit=limit, wait=1.0)
        return Receipt(self._posted.known(str(answer.data["ts"])))

    async def strays(self, place: Place, nonces: str, known: Sequence[str]) -> Strays:
        return await self._posted.strays(place, nonces, known)

    async def attach(self, place: Place, text: str, files: Sequence[File], *, nonce: str) -> Receipt:
        """Waits until the files are there, for a few seconds: Slack's answer does not tell the message."""
        with self._in_work():
            if found := await self._posted.files(place, nonce, files):
                return Receipt(found)
            limit = self.limits(Call.ATTACH, place)[0].key
            uploaded = [await upload(self._client, file, limit=limit) for file in files]
            call = self._client.files_completeUploadExternal(
                files=[{"id": id, "title": file.name} for id, file in zip(uploaded, files, strict=True)],
                channel_id=place.room,
                thread_ts=place.thread or None,
                initial_comment=SLACK.render(text),
            )
            with self._posted.unsure_if_lost(nonce):
                await made(call, limit=limit)
            self._posted.unsure(nonce)
            if found := await self._posted.shared(place, files):
                return Receipt(found)
            raise Unreachable("Slack has taken the files but does not show them yet")

    async def edit(self, place: Place, message: str, text: str) -> Receipt:
        self._posted.known(message)
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
        with self._posted.unsure_if_lost(nonce):
            answer = await self._made(call, limit=limit)
        self._posted.known(str(answer.data["ts"]))
        return answer
