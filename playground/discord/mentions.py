"""Whom a text would ping: what stands in it, and what `allowed_mentions` lets through."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any, cast

from playground.discord.errors import invalid_form

_CODE = re.compile(r"(`{1,3})(?!`).*?\1", re.DOTALL)  # nothing inside code is a mention
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")
_KINDS = {"users", "roles", "everyone"}


@dataclass(frozen=True, slots=True)
class AllowedMentions:
    """`True` lets every one through, a set only those in it."""

    everyone: bool = True
    users: bool | frozenset[str] = True
    roles: bool | frozenset[str] = True
    replied_user: bool = True


DEFAULT = AllowedMentions()  # what holds where the field is absent
USERS_ONLY = AllowedMentions(everyone=False, roles=False)  # the same for webhooks and interactions


@dataclass(frozen=True, slots=True)
class Mentioned:
    """The ids that a message pings."""

    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Ping:
    """Somebody whom a message of the bot's pinged: a person's id, a role's id, or `everyone`."""

    message: str
    target: str


def read_allowed_mentions(field: object) -> AllowedMentions:
    """Raises ApiError where Discord would refuse the field."""
    if not isinstance(field, dict):
        raise invalid_form("allowed_mentions", "MODEL_TYPE_CONVERT", "Expected an object/dictionary.")
    given = cast("dict[str, Any]", field)
    parse = set(_texts(given, "parse"))
    if unknown := parse - _KINDS:
        choices = "('everyone', 'roles', 'users')"
        raise invalid_form(
            "allowed_mentions.parse.0", "BASE_TYPE_CHOICES", f"Value '{unknown.pop()}' must be one of {choices}."
        )
    return AllowedMentions(
        everyone="everyone" in parse,
        users=_let_through(given, parse, "users"),
        roles=_let_through(given, parse, "roles"),
        replied_user=bool(given.get("replied_user")),
    )


def mentioned(
    texts: Iterable[str], allowed: AllowedMentions, *, people: Container[str], roles: Container[str], everyone: bool
) -> Mentioned:
    """`people` and `roles` are those there are; `everyone`: whether the author may ping all."""
    text = _CODE.sub(" ", "\n".join(texts))
    return Mentioned(
        users=tuple(dict.fromkeys(id for id in _USER.findall(text) if id in people and _passes(id, allowed.users))),
        roles=tuple(
            dict.fromkeys(id for id in _ROLE.findall(text) if id in roles and _passes(id, allowed.roles) and everyone)
        ),
        everyone=everyone and allowed.everyone and bool(_EVERYONE.search(text)),
    )


def _let_through(given: dict[str, Any], parse: set[str], kind: str) -> bool | frozenset[str]:
    ids = frozenset(_texts(given, kind))
    if kind not in parse:
        return ids
    if ids:
        raise invalid_form(
            "allowed_mentions",
            "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
            f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
        )
    return True


def _texts(given: dict[str, Any], name: str) -> list[str]:
    items: object = given.get(name) or []
    if not isinstance(items, list):
        raise invalid_form(f"allowed_mentions.{name}", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    return [str(item) for item in cast("list[object]", items)]


def _passes(id: str, allowed: bool | frozenset[str]) -> bool:
    return allowed if isinstance(allowed, bool) else id in allowed
