"""Discord as a Platform: discord.py listens; the writes of a reply go through a REST client of our own (see `rest`)."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import aiohttp
import discord

from adapters.discord.failures import GLOBAL, Forbidden
from adapters.discord.gateway import Gateway
from adapters.discord.listener import Listener
from adapters.discord.probe import problems
from adapters.discord.rest import Rest, Upload
from bot.core.dialects import DISCORD, Dialect
from bot.core.files import File
from bot.core.model import Place, Prompt
from bot.core.pacing import Call, Limit, Receipt
from bot.errors import PlatformError, Rejected, Unreachable
from bot.ports import Inbox, Strays, Streaming

log = logging.getLogger(__name__)

# The text is the model's, so nothing in it may notify anybody. Without the field an edit parses mentions again.
_NOBODY = {"parse": list[str]()}

_SUPPRESS_EMBEDS = 1 << 2  # no previews of links; an edit leaves the flag as it is

# Calls and seconds in one channel, until headers say otherwise. Discord documents none: posts and edits are seen as 5
# in 5 s, counted apart; deleting fresh messages as 3 in 1 s; of typing nothing is known.
_WINDOWS = {Call.POST: (5, 5.0), Call.EDIT: (5, 5.0), Call.DELETE: (3, 1.0), Call.TYPING: (5, 5.0)}

# 50 requests a second: Discord's limit for all of a bot's calls together. Five are left to what is no part of an
# answer, above all to reading what was missed (see `history.History`), which may take minutes beside busy channels.
_ALL_CALLS = Limit(GLOBAL, 45, 1.0)

_MEBIBYTE = 1024 * 1024
_FILE = 10 * _MEBIBYTE  # bytes in one file: what every server allows; boosted ones allow more
_REQUEST = 25 * _MEBIBYTE  # bytes in one call
_OVERHEAD = 64 * 1024  # bytes of a call that are left for what is not a file

# Discord shows that somebody is typing for 10 s.
_TYPING_SHOWS = 8.0


class DiscordPlatform:
    """One bot on Discord. `always_on` are ids of channels in which every message is a question."""

    def __init__(
        self, token: str, *, api_url: str = "https://discord.com/api/v10", always_on: frozenset[str] = frozenset()
    ) -> None:
        self._token = token.strip()
        self._api_url = api_url.rstrip("/")
        self._always_on = always_on
        self._rest = Rest(self._token, self._api_url)
        self._gateway: Gateway | None = None
        self._listener: Listener | None = None  # of the newest login
        self._sessions = 0  # that have begun in this process

    @property
    def name(self) -> str:
        return "discord"

    @property
    def dialect(self) -> Dialect:
        return DISCORD

    def limits(self, call: Call, place: Place) -> Sequence[Limit]:
        """The channel's own limit for this kind of call, and that of the whole bot."""
        if call not in _WINDOWS and call is not Call.ATTACH:
            return ()  # not made here
        counted = Call.POST if call is Call.ATTACH else call  # it is a post, also for Discord
        return (Limit(f"discord:{counted}:{place.room}", *_WINDOWS[counted]), _ALL_CALLS)

    async def connect(self, inbox: Inbox) -> str:
        """Logs in, registers the commands and begins to deliver. While Discord is out of reach it goes on trying.

        Raises ConfigError when the token, the intent or the address of the API is wrong.
        """
        _tame_logs()

        def begun() -> None:
            self._sessions += 1
            if self._sessions > 1:  # not the old one resumed, which would bring what was missed
                inbox.back(self.name)

        def make_listener(ready: Callable[[str], None], trace: aiohttp.TraceConfig) -> Listener:
            self._listener = Listener(
                inbox,
                self._rest,
                always_on=self._always_on,
                tell=self._tell,
                begun=begun,
                ready=ready,
                trace=trace,
            )
            return self._listener

        self._rest.open()
        self._gateway = Gateway(self._token, self._api_url, self._rest, make_listener)
        try:
            return await self._gateway.open()
        except BaseException:
            await self.close()
            raise

    async def run(self) -> None:
        """Serves until `close`. Raises ConfigError when Discord does not let the bot in any more."""
        if self._gateway is not None:
            await self._gateway.serve()

    def missed(self, since: float, places: Sequence[Place]) -> AsyncGenerator[Prompt]:
        """What was asked in the channels and active threads that Discord lists, and in direct messages and archived
        threads among `places`, which it does not list. Raises PlatformError."""
        if self._listener is None:
            raise Unreachable("there is no connection to Discord's gateway")
        return self._listener.missed(since, places)

    async def reread(self, prompt: Prompt) -> Prompt | None:
        """One call; of an edited question in a direct message or an archived thread two. Raises PlatformError."""
        if self._listener is None:
            raise Unreachable("there is no connection to Discord's gateway")
        return await self._listener.reread(prompt)

    def streaming(self, place: Place) -> Streaming | None:
        return None

    async def post(self, place: Place, text: str, *, nonce: str, first: bool) -> Receipt:
        """Shows a new message, as a reply to the question if it is the first page. Raises PlatformError."""
        body = _message(text, nonce)
        if first and place.message:
            body["message_reference"] = {"message_id": place.message, "fail_if_not_exists": False}
        return await self._write(Call.POST, place, "POST", "messages", body)

    async def strays(self, place: Place, nonces: str, known: Sequence[str]) -> Strays:
        """Discord does not tell nonces, but the first page replies to the question, and the others to nothing."""
        if self._listener is None or self._listener.user is None or not place.message:
            return Strays()
        after = max(known, key=int) if known else place.message
        answer = await self._rest.call("GET", f"/channels/{place.room}/messages?after={after}&limit=100")
        messages: list[dict[str, Any]] = answer.data  # newest first
        pages: list[str] = []
        files: list[str] = []
        for message in reversed(messages):
            if str(message["author"]["id"]) != str(self._listener.user.id):
                continue
            reference: dict[str, str] = message.get("message_reference") or {}
            replies_to = reference.get("message_id")
            below = bool(known or pages)
            if message.get("attachments"):
                if below:  # files stand below pages; else they may be an earlier answer's
                    files.append(str(message["id"]))
            elif replies_to == (None if below else place.message):
                pages.append(str(message["id"]))
        return Strays(tuple(pages), tuple(files))

    async def attach(self, place: Place, text: str, files: Sequence[File], *, nonce: str) -> Receipt:
        """Shows a new message with files. Raises PlatformError; Rejected if they are too large or not allowed here."""
        uploads = [Upload(file.name, file.encoded()) for file in files]
        for upload in uploads:
            if len(upload.content) > _FILE:
                raise Rejected(f"{upload.name} has {len(upload.content):,} bytes; Discord takes {_FILE:,}")
        if (size := sum(len(upload.content) for upload in uploads)) > _REQUEST - _OVERHEAD:
            raise Rejected(f"the files have {size:,} bytes; Discord takes {_REQUEST:,} in one call")
        body = _message(text, nonce)
        body["attachments"] = [{"id": number, "filename": upload.name} for number, upload in enumerate(uploads)]
        try:
            return await self._write(Call.ATTACH, place, "POST", "messages", body, files=uploads)
        except Forbidden as error:  # whether it may still send messages, the next one tells
            raise Rejected(f"{error}: the bot needs Attach Files in this channel") from error

    async def edit(self, place: Place, message: str, text: str) -> Receipt:
        """Replaces the text of a message of ours. Raises PlatformError."""
        body = {"content": text, "allowed_mentions": _NOBODY}
        return await self._write(Call.EDIT, place, "PATCH", f"messages/{message}", body, message)

    async def delete(self, place: Place, message: str) -> Receipt:
        """Removes a message of ours. Raises PlatformError; Gone when it is not there."""
        return await self._write(Call.DELETE, place, "DELETE", f"messages/{message}", message=message)

    async def typing(self, place: Place) -> float:
        """Shows that an answer is coming; returns after how many seconds to say so again. Raises PlatformError."""
        await self._write(Call.TYPING, place, "POST", "typing")
        return _TYPING_SHOWS

    async def quiet(self, place: Place) -> None:
        """Discord takes it back by itself."""

    async def close(self) -> None:
        """Stops delivering, lets running calls finish, and disconnects."""
        if self._gateway is not None:
            await self._gateway.close()
        await self._rest.close()

    async def probe(self) -> list[str]:
        """What is wrong with the token, the intent or the servers, one line each with how to mend it."""
        async with Rest(self._token, self._api_url) as rest:
            return await problems(rest, self._api_url, self._always_on)

    async def _write(
        self,
        call: Call,
        place: Place,
        method: str,
        path: str,
        body: object = None,
        message: str = "",
        files: Sequence[Upload] = (),
    ) -> Receipt:
        path, limit = f"/channels/{place.room}/{path}", self.limits(call, place)[0].key
        answer = await self._rest.call(method, path, body, files=files, limit=limit)
        return Receipt(message or (str(answer.data["id"]) if answer.data else ""), answer.quota)

    async def _tell(self, place: Place, sentence: str) -> None:
        try:
            await self.post(place, sentence, nonce=f"s{place.message}", first=True)
        except PlatformError as error:
            log.error("discord.not_told", extra={"channel": place.room, "error": str(error)})


def _message(text: str, nonce: str) -> dict[str, object]:
    return {
        "content": text,
        "allowed_mentions": _NOBODY,
        "flags": _SUPPRESS_EMBEDS,
        "nonce": nonce,
        "enforce_nonce": True,
    }


def _tame_logs() -> None:
    """discord.py logs messages at DEBUG, a traceback for each lost connection, and that it has no voice."""
    for name in ("discord.http", "discord.gateway", "discord.webhook.async_"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.INFO))
    logging.getLogger("discord.client").addFilter(_without_traceback)
    discord.VoiceClient.warn_nacl = False
    discord.VoiceClient.warn_dave = False


def _without_traceback(record: logging.LogRecord) -> bool:
    if record.exc_info and (error := record.exc_info[1]):
        sentence = f"{record.getMessage()} ({type(error).__name__}: {error})"
        record.msg, record.args, record.exc_info = "%s", (sentence,), None
    return True
