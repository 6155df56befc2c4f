"""What a workspace may keep from an app, and the error code with which it does."""

from __future__ import annotations

from dataclasses import dataclass

from playground.slack.errors import SlackError
from playground.slack.state import Channel

ON = "on"


@dataclass
class Features:
    """Each is "on", or the error code that its methods answer. May be changed while the stand-in runs."""

    # chat.startStream and its sisters: unknown_method (GovSlack), feature_not_enabled, method_deprecated, or
    # channel_type_not_supported, which was seen everywhere but in direct messages.
    streams: str = ON
    sessions: str = ON  # agents.sessions.setStatus: feature_disabled, unknown_method, method_deprecated
    assistant: str = ON  # assistant.threads.setStatus: not_agent_app, method_deprecated, unknown_method

    def known(self, method: str) -> bool:
        """Whether the workspace has heard of the method at all."""
        return self._state(method) != "unknown_method"

    def require(self, method: str, channel: Channel | None) -> None:
        """Raises SlackError."""
        state = self._state(method)
        direct = channel is not None and channel.kind == "im"
        if state == ON or (state == "channel_type_not_supported" and direct):
            return
        raise SlackError(state)

    def _state(self, method: str) -> str:
        if method.startswith("chat.") and method.endswith("Stream"):
            return self.streams
        if method.startswith("agents.sessions."):
            return self.sessions
        return self.assistant if method.startswith("assistant.threads.") else ON
