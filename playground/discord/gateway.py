"""The gateway: HELLO, then IDENTIFY or RESUME, then events one way and heartbeats the other.

A session outlives its socket: what happens meanwhile is kept and replayed by RESUME. Only op 9 (false), a client that
closes with 1000 or 1001, and time end it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, cast

from aiohttp import WSMsgType, web

from playground.discord.compression import encoder
from playground.discord.connection import Close, Connection
from playground.discord.events import Event
from playground.discord.intents import HIGHEST, PRIVILEGED, Intent
from playground.discord.payloads import guild_create_json, member_json, user_json
from playground.discord.sessions import Session
from playground.discord.settings import Settings
from playground.discord.state import State
from playground.windows import Windows

log = logging.getLogger(__name__)

PATH = "/discord/gateway"
_LONGEST = 4096  # bytes of one payload that a client may send
_FRAME = 64 * 1024  # bytes; beyond this the socket itself refuses
_ENDS_THE_SESSION = (1000, 1001)  # a client that closes so has no wish to come back


class Op(IntEnum):
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE_STATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


_FROM_CLIENTS = {Op.IDENTIFY, Op.PRESENCE, Op.VOICE_STATE, Op.RESUME, Op.REQUEST_MEMBERS}


@dataclass
class Gateway:
    state: State
    settings: Settings
    now: Callable[[], float]
    _sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    _connections: set[Connection] = field(default_factory=set[Connection])
    _identified: deque[float] = field(default_factory=deque[float])  # when sessions began
    _connected: asyncio.Event = field(default_factory=asyncio.Event)

    def mount(self, app: web.Application) -> None:
        app.router.add_get(PATH, self._serve)
        app.router.add_get(PATH + "/", self._serve)

    def dispatch(self, event: Event) -> None:
        for session in list(self._sessions.values()):
            if session.connection is None and self.now() > session.left + self.settings.limits.session_lives:
                del self._sessions[session.id]
            elif session.wants(event):
                session.dispatch(event.name, event.payload(session.intents))

    async def connected(self) -> None:
        """Returns when a session has a socket and was told that it is ready."""
        await self._connected.wait()

    def session_start_limit(self) -> dict[str, int]:
        limit = self.settings.limits.identify
        while self._identified and self._identified[0] <= self.now() - limit.seconds:
            self._identified.popleft()
        reset = self._identified[0] + limit.seconds - self.now() if self._identified else 0
        return {
            "total": limit.calls,
            "remaining": max(0, limit.calls - len(self._identified)),
            "reset_after": int(reset * 1000),  # ms
            "max_concurrency": 1,
        }

    def reconnect(self) -> None:
        """Asks every bot to reconnect; events from now on wait for its RESUME."""
        for connection in self._leave_all():
            connection.tell(Op.RECONNECT)

    def invalidate(self, *, resumable: bool) -> None:
        connections = self._leave_all()
        if not resumable:
            self._sessions.clear()
        for connection in connections:
            connection.tell(Op.INVALID_SESSION, resumable)

    def drop(self) -> None:
        """Cuts every socket without a word."""
        self._leave_all()
        for connection in self._connections:
            connection.abort()

    async def close(self) -> None:
        """Closes every socket, and returns when that is done."""
        self._leave_all()
        for connection in self._connections:
            connection.close(Close.GOING_AWAY)
        await asyncio.gather(*(connection.ended.wait() for connection in self._connections))

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=1.0, max_msg_size=_FRAME)
        await socket.prepare(request)
        connection = Connection(socket, request.transport, encoder(request.query.get("compress", "")))
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(connection.write())
                await self._converse(connection, request.query.get("v", ""))
                connection.finish()
        finally:
            self._connections.discard(connection)
            self._leave(connection)
            connection.ended.set()
        return socket

    async def _converse(self, connection: Connection, version: str) -> None:
        if version != "10":
            connection.close(Close.INVALID_VERSION)
            return
        connection.tell(Op.HELLO, {"heartbeat_interval": int(self.settings.heartbeat_interval * 1000)})
        sends = Windows(self.now)
        clock = asyncio.get_running_loop().time
        while True:
            try:
                # Two intervals without a heartbeat: there is nobody at the other end.
                patience = connection.heard + 2 * self.settings.heartbeat_interval - clock()
                message = await connection.socket.receive(timeout=max(patience, 0.001))
            except TimeoutError:
                connection.close(Close.SESSION_TIMED_OUT)
                return
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                if connection.socket.close_code in _ENDS_THE_SESSION and (session := self._session_of(connection)):
                    del self._sessions[session.id]
                return
            limit = self.settings.limits.sends
            if not sends.count("", limit.calls, limit.seconds).allowed:
                code = Close.RATE_LIMITED
            else:
                code = self._hear(connection, message.data)
            if code:
                log.info("discord.gateway_closed", extra={"code": code.value})
                connection.close(code)
                return

    def _hear(self, connection: Connection, frame: str | bytes) -> Close | None:
        """Acts on what the bot sent; returns the code to close with if that was wrong."""
        if len(frame) > _LONGEST:
            return Close.DECODE_ERROR
        try:
            payload: Any = json.loads(frame)
            op, data = payload["op"], payload.get("d")
        except (ValueError, KeyError, TypeError, AttributeError):
            return Close.DECODE_ERROR
        if op == Op.HEARTBEAT:
            connection.heard = asyncio.get_running_loop().time()
            connection.tell(Op.HEARTBEAT_ACK)
            return None
        if op not in _FROM_CLIENTS:
            return Close.UNKNOWN_OPCODE
        if not isinstance(data, dict):
            return Close.DECODE_ERROR
        fields = cast("dict[str, Any]", data)
        session = self._session_of(connection)
        match op:
            case Op.IDENTIFY | Op.RESUME if session:
                return Close.ALREADY_AUTHENTICATED
            case Op.IDENTIFY:
                return self._identify(connection, fields)
            case Op.RESUME:
                return self._resume(connection, fields)
            case _ if session is None:
                return Close.NOT_AUTHENTICATED
            case Op.REQUEST_MEMBERS:
                self._send_members(session, fields)
            case _:
                pass  # presence and voice change nothing that anybody here could see
        return None

    def _identify(self, connection: Connection, data: dict[str, Any]) -> Close | None:
        if data.get("token") != self.settings.token or not self.session_start_limit()["remaining"]:
            return Close.AUTHENTICATION_FAILED
        given = data.get("intents")
        if not isinstance(given, int) or not 0 <= given < 2 * HIGHEST:
            return Close.INVALID_INTENTS
        intents = Intent(given)
        if intents & PRIVILEGED & ~self.settings.privileged_intents:
            return Close.DISALLOWED_INTENTS
        shard = _shard(data.get("shard", [0, 1]))
        if shard is None:
            return Close.INVALID_SHARD
        self._identified.append(self.now())
        session = Session(secrets.token_hex(16), intents, shard, connection)
        self._sessions[session.id] = session
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": user_json(self.state.bot),
                "guilds": [{"id": self.state.guild, "unavailable": True}],
                "session_id": session.id,
                "resume_gateway_url": self.settings.gateway_url,
                "shard": list(shard),
                "application": {"id": self.state.application, "flags": 0},
                "private_channels": [],
            },
        )
        members = Intent.GUILD_MEMBERS in intents
        guild = Event("GUILD_CREATE", self.state.guild, Intent.GUILDS, lambda _: {})
        if session.wants(guild):
            session.dispatch(guild.name, guild_create_json(self.state, members=members))
        self._connected.set()
        return None

    def _resume(self, connection: Connection, data: dict[str, Any]) -> Close | None:
        if data.get("token") != self.settings.token:
            return Close.AUTHENTICATION_FAILED
        session, after = self._sessions.get(str(data.get("session_id"))), data.get("seq")
        if session and (not isinstance(after, int) or after > session.sequence):
            return Close.INVALID_SEQUENCE
        too_late = session and not session.connection and self.now() > session.left + self.settings.limits.session_lives
        if session is None or too_late or not session.can_replay(cast("int", after)):
            connection.tell(Op.INVALID_SESSION, False)
            return None
        if session.connection:
            session.connection.abort()
        session.connection = connection
        session.replay(cast("int", after))
        session.dispatch("RESUMED", {})
        self._connected.set()
        return None

    def _send_members(self, session: Session, data: dict[str, Any]) -> None:
        asked = {str(id) for id in cast("list[Any]", data.get("user_ids") or [])}
        start = str(data.get("query") or "").lower()
        members = [
            {**member_json(), "user": user_json(person)}
            for person in self.state.people.values()
            if (not asked or person.id in asked) and person.name.lower().startswith(start)
        ]
        chunk = {"guild_id": self.state.guild, "members": members, "chunk_index": 0, "chunk_count": 1}
        session.dispatch("GUILD_MEMBERS_CHUNK", {**chunk, "not_found": [], "nonce": data.get("nonce")})

    def _session_of(self, connection: Connection) -> Session | None:
        return next((each for each in self._sessions.values() if each.connection is connection), None)

    def _leave(self, connection: Connection) -> None:
        """The session goes on without its socket."""
        if session := self._session_of(connection):
            session.connection, session.left = None, self.now()
        if not any(session.connection for session in self._sessions.values()):
            self._connected.clear()

    def _leave_all(self) -> list[Connection]:
        """The connections that had a session."""
        left = [session.connection for session in self._sessions.values() if session.connection]
        for connection in left:
            self._leave(connection)
        return left


def _shard(given: object) -> tuple[int, int] | None:
    match given:
        case [int(number), int(count)] if 0 <= number < count:
            return number, count
        case _:
            return None
