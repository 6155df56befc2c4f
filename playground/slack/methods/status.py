"""What stands under a thread while the bot works: agents.sessions.setStatus, assistant.threads.setStatus."""

from __future__ import annotations

from typing import Any, cast

from playground.slack.arguments import Arguments, invalid_arguments
from playground.slack.errors import SlackError
from playground.slack.limits import Tier
from playground.slack.method import Method
from playground.slack.service import Service
from playground.slack.sessions import STATUSES

_TITLE = 200  # characters
_LOADING_MESSAGES = 10
_LOADING_MESSAGE = 50  # characters


def set_session_status(service: Service, arguments: Arguments) -> dict[str, Any]:
    """Only words of the enumeration are taken, so that an empty one removes nothing (hermes-agent#113698)."""
    channel = service.workspace.channel(arguments.text("channel_id"))
    status, thread_ts, title = arguments.text("status"), arguments.text("thread_ts"), arguments.text("title")
    if status not in STATUSES:
        raise invalid_arguments("must be a valid enum value [json-pointer:/status]")
    if not thread_ts:
        raise SlackError("thread_ts_required")
    if len(title) > _TITLE:
        raise invalid_arguments(f"must be no more than {_TITLE} characters [json-pointer:/title]")
    if service.workspace.bot_user not in channel.members:
        raise SlackError("not_authorized")
    if thread_ts not in channel.messages:
        raise SlackError("invalid_thread_ts")
    initiator = arguments.text("initiator_user_id")
    if initiator and initiator not in channel.members:
        raise SlackError("user_not_found")
    _customized(service, arguments)
    service.sessions.set((channel.id, thread_ts), status)
    answer: dict[str, Any] = {"status": status, "agent_status": status, "title": title}
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
    loading = arguments.structure("loading_messages", "invalid_arguments")
    if loading is not None and not _are_loading_messages(loading):
        message = f"at most {_LOADING_MESSAGES} texts of {_LOADING_MESSAGE} characters [json-pointer:/loading_messages]"
        raise invalid_arguments(message)
    _customized(service, arguments)
    service.sessions.say((channel.id, thread_ts), arguments.text("status"))
    return {}


METHODS = {
    "agents.sessions.setStatus": Method(set_session_status, Tier.THREE, "chat:write"),
    "assistant.threads.setStatus": Method(set_assistant_status, Tier.POST, "chat:write"),
}


def _customized(service: Service, arguments: Arguments) -> None:
    """Raises SlackError where the name or the icon is changed without leave."""
    if any(arguments.text(name) for name in ("username", "icon_emoji", "icon_url")):
        service.require_scope("chat:write.customize")


def _are_loading_messages(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    items = cast("list[Any]", value)
    return len(items) <= _LOADING_MESSAGES and all(
        isinstance(item, str) and len(item) <= _LOADING_MESSAGE for item in items
    )
