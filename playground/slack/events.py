"""The Events API: what the app has subscribed to reaches it, wrapped as Slack wraps it."""

from __future__ import annotations

from typing import Any

from playground.slack.payloads import event_callback
from playground.slack.socket_mode import SocketMode
from playground.slack.state import Workspace

ALL = frozenset(
    {
        "app_mention",
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
        "app_home_opened",
        "agent_session_stopped",
    }
)


class Events:
    """Sends events, and remembers those of new messages for a second delivery."""

    def __init__(self, workspace: Workspace, sockets: SocketMode) -> None:
        self.subscriptions: set[str] = set(ALL)
        self._workspace = workspace
        self._sockets = sockets
        self._sent: dict[str, list[dict[str, Any]]] = {}  # a message's ts -> payloads

    def publish(self, subscription: str, event: dict[str, Any], *, about: str = "") -> None:
        """Sends the event if the app has subscribed to it; `about` is the ts of a new message."""
        if subscription not in self.subscriptions:
            return
        payload = event_callback(self._workspace, event)
        if about:
            self._sent.setdefault(about, []).append(payload)
        self._sockets.deliver_event(payload)

    def redeliver(self, ts: str) -> None:
        """Sends the events of a message again, as if the first acknowledgement had been lost. Raises ValueError."""
        if ts not in self._sent:
            raise ValueError(f"no event was sent about a message {ts!r}")
        for payload in self._sent[ts]:
            self._sockets.deliver_event(payload, first_attempt=1)
