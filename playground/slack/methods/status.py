"""What stands under a thread while the bot works: agents.sessions.setStatus, assistant.threads.setStatus."""

from __future__ import annotations

from typing import Any

from playground.slack.arguments import Arguments
from playground.slack.errors import SlackError
from playground.slack.limits import Tier
from playground.slack.method import Method
from playground.slack.service import Service

_STATUSES = {"active", "processing", "suspended", "closed"}


def set_session_status(service: Service, arguments: Arguments) -> dict[str, Any]:
    channel = service.workspace.channel(arguments.text("channel_id"))
    status, thread_ts = arguments.need("status"), arguments.text("thread_ts")
    if status not in _STATUSES:
        raise SlackError("invalid_status")
    if not thread_ts:
        raise SlackError("thread_ts_required")
    if service.workspace.bot_user not in channel.members:
        raise SlackError("not_authorized")
    initiator = arguments.text("initiator_user_id")
    if initiator and initiator not in channel.members:
        raise SlackError("user_not_found")
    service.sessions[channel.id, thread_ts] = status
    service.show_status(channel, thread_ts, status)
    answer: dict[str, Any] = {"status": status, "agent_status": status, "title": arguments.text("title")[:200]}
    if "agent_session_stopped" not in service.events.subscriptions:
        warning = "missing_agent_session_stopped_event_subscription"
        answer |= {"warning": warning, "response_metadata": {"warnings": [warning]}}
    return answer


def set_assistant_status(service: Service, arguments: Arguments) -> dict[str, Any]:
    """The older way: a text, which the bot's next message in the thread removes."""
    channel = service.workspace.joined(arguments.need("channel_id"))
    thread_ts = arguments.need("thread_ts")
    if thread_ts not in channel.messages:
        raise SlackError("invalid_thread_ts")
    service.statuses[channel.id, thread_ts] = arguments.text("status")
    service.show_status(channel, thread_ts, arguments.text("status"))
    return {}


METHODS = {
    "agents.sessions.setStatus": Method(set_session_status, Tier.THREE, "chat:write"),
    "assistant.threads.setStatus": Method(set_assistant_status, Tier.POST, "chat:write"),
}
