"""Channels and what was said in them: conversations.*, users.conversations."""

from __future__ import annotations

from typing import Any

from playground.slack.arguments import Arguments
from playground.slack.errors import SlackError
from playground.slack.limits import Tier
from playground.slack.method import Method, page
from playground.slack.payloads import channel_json, message_json
from playground.slack.service import Service
from playground.slack.state import Channel, Kind, Message

_FAMILY: dict[Kind, str] = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
_TYPES: dict[str, Kind] = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


def history(service: Service, arguments: Arguments) -> dict[str, Any]:
    """Roots only, the newest first. From `oldest` alone the pages lead onwards (slackhq/slack-api-docs#4)."""
    channel = service.workspace.joined(arguments.need("channel"))
    service.require_scope(f"{_FAMILY[channel.kind]}:history")
    roots = [message for message in channel.messages.values() if not message.thread_ts]
    roots = _between(roots, arguments)
    onwards = bool(arguments.text("oldest") and not arguments.text("latest"))
    some, more = page(roots if onwards else roots[::-1], arguments, 100, service.limits.reading_page)
    some = some[::-1] if onwards else some
    return _messages(service, channel, some, arguments, more) | {"pin_count": 0}


def replies(service: Service, arguments: Arguments) -> dict[str, Any]:
    """The root and its replies, the oldest first."""
    channel = service.workspace.joined(arguments.need("channel"))
    service.require_scope(f"{_FAMILY[channel.kind]}:history")
    root = channel.messages.get(arguments.text("ts"))
    if root is None:
        raise SlackError("thread_not_found")
    thread = [root, *_between(channel.replies(root.ts), arguments)]
    some, more = page(thread, arguments, 1000, service.limits.reading_page)
    return _messages(service, channel, some, arguments, more)


def info(service: Service, arguments: Arguments) -> dict[str, Any]:
    channel = service.workspace.channel(arguments.need("channel"))
    service.require_scope(f"{_FAMILY[channel.kind]}:read")
    return {"channel": channel_json(service.workspace, channel)}


def listing(service: Service, arguments: Arguments) -> dict[str, Any]:
    return _listing(service, arguments, list(service.workspace.visible()))


def of_user(service: Service, arguments: Arguments) -> dict[str, Any]:
    """users.conversations: those that a member (the bot, if none is named) is in."""
    person = arguments.text("user") or service.workspace.bot_user
    service.workspace.person(person)
    return _listing(service, arguments, [c for c in service.workspace.visible() if person in c.members])


def members(service: Service, arguments: Arguments) -> dict[str, Any]:
    channel = service.workspace.channel(arguments.need("channel"))
    service.require_scope(f"{_FAMILY[channel.kind]}:read")
    some, more = page(channel.members, arguments, 100)
    return {"members": some, "response_metadata": more}


def opening(service: Service, arguments: Arguments) -> dict[str, Any]:
    """Direct messages with one person; opening them again is no error."""
    if arguments.text("channel"):
        channel = service.workspace.channel(arguments.text("channel"))
    else:
        people = [name for name in arguments.text("users").split(",") if name]
        if not people:
            raise SlackError("users_list_not_supplied")
        if len(people) > 1 or people[0] == service.workspace.bot_user:
            raise SlackError("method_not_supported_for_channel_type")
        channel = service.workspace.direct(service.workspace.person(people[0]).id)
    full = channel_json(service.workspace, channel) if arguments.flag("return_im") else {"id": channel.id}
    return {"channel": full}


METHODS = {
    "conversations.history": Method(history, Tier.THREE, json_allowed=False),
    "conversations.replies": Method(replies, Tier.THREE, json_allowed=False),
    "conversations.info": Method(info, Tier.THREE, json_allowed=False),
    "conversations.list": Method(listing, Tier.TWO, json_allowed=False),
    "conversations.members": Method(members, Tier.FOUR, json_allowed=False),
    "conversations.open": Method(opening, Tier.THREE, "im:write"),
    "users.conversations": Method(of_user, Tier.THREE, json_allowed=False),
}


def _between(messages: list[Message], arguments: Arguments) -> list[Message]:
    oldest, latest = _moment(arguments, "oldest"), _moment(arguments, "latest")
    inclusive = arguments.flag("inclusive")

    def wanted(ts: str) -> bool:
        if inclusive and float(ts) in {oldest, latest}:
            return True
        return (oldest is None or float(ts) > oldest) and (latest is None or float(ts) < latest)

    return [message for message in messages if wanted(message.ts)]


def _moment(arguments: Arguments, name: str) -> float | None:
    text = arguments.text(name)
    try:
        return float(text) if text else None
    except ValueError:
        raise SlackError(f"invalid_ts_{name}") from None


def _messages(
    service: Service, channel: Channel, messages: list[Message], arguments: Arguments, more: dict[str, Any]
) -> dict[str, Any]:
    metadata = arguments.flag("include_all_metadata")
    answer: dict[str, Any] = {
        "messages": [message_json(service.workspace, channel, m, metadata=metadata) for m in messages],
        "has_more": bool(more["next_cursor"]),
    }
    return answer | ({"response_metadata": more} if more["next_cursor"] else {})


def _listing(service: Service, arguments: Arguments, channels: list[Channel]) -> dict[str, Any]:
    kinds: list[Kind] = []
    for name in (arguments.text("types") or "public_channel").split(","):
        if name not in _TYPES:
            raise SlackError("invalid_types")
        kinds.append(_TYPES[name])
        service.require_scope(f"{_FAMILY[_TYPES[name]]}:read")
    wanted = [channel for channel in channels if channel.kind in kinds]
    if arguments.flag("exclude_archived"):
        wanted = [channel for channel in wanted if not channel.archived]
    some, more = page(wanted, arguments, 100)
    return {"channels": [channel_json(service.workspace, c) for c in some], "response_metadata": more}
