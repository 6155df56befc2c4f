"""Emoji under messages: reactions.add, reactions.remove."""

from __future__ import annotations

import re
from typing import Any

from playground.slack.arguments import Arguments
from playground.slack.errors import SlackError
from playground.slack.limits import Tier
from playground.slack.method import Method
from playground.slack.service import Service
from playground.slack.state import Message

_NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def add(service: Service, arguments: Arguments) -> dict[str, Any]:
    message, name = _target(service, arguments)
    people = message.reactions.setdefault(name, [])
    if service.workspace.bot_user in people:
        raise SlackError("already_reacted")
    people.append(service.workspace.bot_user)
    return {}


def remove(service: Service, arguments: Arguments) -> dict[str, Any]:
    message, name = _target(service, arguments)
    people = message.reactions.get(name, [])
    if service.workspace.bot_user not in people:
        raise SlackError("no_reaction")
    people.remove(service.workspace.bot_user)
    if not people:
        del message.reactions[name]
    return {}


METHODS = {
    "reactions.add": Method(add, Tier.THREE, "reactions:write"),
    "reactions.remove": Method(remove, Tier.TWO, "reactions:write"),
}


def _target(service: Service, arguments: Arguments) -> tuple[Message, str]:
    channel = service.workspace.writable(arguments.need("channel"))
    message = service.workspace.message(channel, arguments.need("timestamp"))
    name = arguments.need("name")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name")
    return message, name
