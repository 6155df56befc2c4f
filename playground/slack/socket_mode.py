"""Socket Mode: one-use tickets, up to ten sockets, envelopes and their acknowledgements.

Each payload goes to one socket. An event that nobody acknowledges in time is sent again with the same event_id, in a
new envelope and perhaps over another socket; an acknowledgement counts over whichever socket it comes, and for
whichever of the event's envelopes. Commands and interactions are sent once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import WSMsgType, web

from playground.slack.errors import SlackError
from playground.slack.limits import Limits

log = logging.getLogger(__name__)

Kind = Literal["events_api", "slash_commands", "interactive"]
_PING_EVERY = 10.0  # seconds; a client that does not answer within half of it is taken for gone
_FAREWELL = 1.0  # seconds that a client has for its side of the closing handshake


@dataclass(eq=False, slots=True)
class Socket:
    """One connection of the app."""

    ws: web.WebSocketResponse
    request: web.Request
    leaving: bool = False  # it was told to disconnect, so others are preferred


@dataclass(eq=False, slots=True)
class Delivery:
    """One payload on its way, under as many envelope ids as it was sent in."""

    kind: Kind
    payload: dict[str, Any]
    acknowledged: asyncio.Future[dict[str, Any]]  # with the acknowledgement's own payload
    envelopes: list[str] = field(default_factory=list[str])


class SocketMode:
    """The app's side of Slack's event delivery."""

    def __init__(self, limits: Limits, app_id: str) -> None:
        self._limits = limits
        self._app_id = app_id
        self._tickets: set[str] = set()
        self._sockets: list[Socket] = []
        self._waiting: dict[str, Delivery] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()

    def issue_ticket(self) -> str:
        """Good for one connection."""
        ticket = str(uuid.uuid4())
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One socket, from its hello until it is closed."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPForbidden(text="invalid or used ticket")
        self._tickets.discard(ticket)
        socket = Socket(web.WebSocketResponse(timeout=_FAREWELL, heartbeat=_PING_EVERY), request)
        await socket.ws.prepare(request)
        if len(self._sockets) >= self._limits.sockets:
            await self._disconnect(socket, "too_many_websockets", 0.0)
            return socket.ws
        self._sockets.append(socket)
        try:
            await socket.ws.send_json(self._hello())
            self._changed.set()
            async for message in socket.ws:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(message.data)
        except ConnectionError:
            log.debug("slack.socket.lost")
        finally:
            self._sockets.remove(socket)
        return socket.ws

    async def connected(self, within: float, sockets: int) -> None:
        """Returns when this many sockets have had their hello. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while len(self._sockets) < sockets:
                self._changed.clear()
                await self._changed.wait()

    def deliver_event(self, payload: dict[str, Any], *, first_attempt: int = 0) -> None:
        """Sends now and, unacknowledged, again after each of the pauses; then gives up."""
        self._start(self._deliver_event(payload, first_attempt))

    async def deliver_once(self, kind: Kind, payload: dict[str, Any]) -> dict[str, Any]:
        """Sends a command or an interaction; returns the acknowledgement's payload.

        Raises SlackError with what the person reads: dispatch_failed where no socket is open, operation_timeout.
        """
        delivery = Delivery(kind, payload, asyncio.get_running_loop().create_future())
        try:
            if not await self._send(delivery, {"accepts_response_payload": True}):
                raise SlackError("dispatch_failed")
            if not await self._acknowledged(delivery, self._limits.ack_within):
                raise SlackError("operation_timeout")
            return delivery.acknowledged.result()
        finally:
            self._forget(delivery)

    def refresh(self, reason: str, grace: float) -> None:
        """Tells every socket to disconnect, and closes it after `grace` seconds if it is still there."""
        for socket in self._sockets:
            socket.leaving = True
            self._start(self._disconnect(socket, reason, grace))

    def drop(self) -> None:
        """Cuts every connection without a word."""
        for socket in self._sockets:
            if socket.request.transport is not None:
                socket.request.transport.abort()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(socket.ws.close() for socket in self._sockets))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver_event(self, payload: dict[str, Any], first_attempt: int) -> None:
        delivery = Delivery("events_api", payload, asyncio.get_running_loop().create_future())
        attempt, reason = first_attempt, "timeout" if first_attempt else ""
        try:
            for pause in (0.0, *self._limits.redeliver_after):
                if pause and await self._acknowledged(delivery, pause):
                    return
                extra = {"accepts_response_payload": False, "retry_attempt": attempt, "retry_reason": reason}
                sent = await self._send(delivery, extra)
                if sent and await self._acknowledged(delivery, self._limits.ack_within):
                    return
                attempt, reason = attempt + 1, "timeout" if sent else "connection_failed"
            log.warning("slack.event.given_up", extra={"event_id": payload["event_id"], "attempts": attempt})
        finally:
            self._forget(delivery)

    async def _send(self, delivery: Delivery, extra: dict[str, Any]) -> bool:
        """Whether a socket took it."""
        open_sockets = sorted((s for s in self._sockets if not s.ws.closed), key=lambda socket: socket.leaving)
        if not open_sockets:
            return False
        socket = open_sockets[0]
        self._sockets.remove(socket)  # to the end of the line, so that the sockets take turns
        self._sockets.append(socket)
        envelope = str(uuid.uuid4())
        delivery.envelopes.append(envelope)
        self._waiting[envelope] = delivery
        try:
            await socket.ws.send_json(
                {"envelope_id": envelope, "type": delivery.kind, "payload": delivery.payload, **extra}
            )
        except ConnectionError:
            return False
        return True

    @staticmethod
    async def _acknowledged(delivery: Delivery, within: float) -> bool:
        await asyncio.wait([delivery.acknowledged], timeout=within)
        return delivery.acknowledged.done()

    def _acknowledge(self, text: str) -> None:
        try:
            answer = json.loads(text)
            delivery = self._waiting.get(answer["envelope_id"])
        except (ValueError, KeyError, TypeError):
            log.warning("slack.socket.unreadable")
            return
        if delivery is not None and not delivery.acknowledged.done():
            delivery.acknowledged.set_result(answer.get("payload") or {})

    def _forget(self, delivery: Delivery) -> None:
        for envelope in delivery.envelopes:
            self._waiting.pop(envelope, None)

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self._sockets),
            # real sockets are refreshed after a few hours
            "debug_info": {"host": f"applink-{secrets.token_hex(4)}", "approximate_connection_time": 18_060},
            "connection_info": {"app_id": self._app_id},
        }

    async def _disconnect(self, socket: Socket, reason: str, grace: float) -> None:
        try:
            await socket.ws.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink"}})
            await asyncio.sleep(grace)
            await socket.ws.close()
        except ConnectionError:
            log.debug("slack.socket.lost")
