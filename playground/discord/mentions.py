"""Whom a text would ping: what stands in it, and what `allowed_mentions` lets through."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from playground.discord.errors import invalid_form

_CODE = re.compile(r"(`{1,3})(?!`).*?\1", re.DOTALL)  # nothing inside code is a mention
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")
_KINDS = {"users", "roles", "everyone"}
_LISTED = 100  # ids in each list


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
    parse = _texts(given, "parse")
    for number, kind in enumerate(parse):
        if kind not in _KINDS:
            message = f"Value '{kind}' must be one of ('everyone', 'roles', 'users')."
            raise invalid_form(f"allowed_mentions.parse.{number}", "BASE_TYPE_CHOICES", message)
    replied_user = given.get("replied_user")
    if not isinstance(replied_user, bool | None):
        raise invalid_form("allowed_mentions.replied_user", "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    return AllowedMentions(
        everyone="everyone" in parse,
        users=_let_through(given, parse, "users"),
        roles=_let_through(given, parse, "roles"),
        replied_user=bool(replied_user),
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


def _let_through(given: dict[str, Any], parse: Sequence[str], kind: str) -> bool | frozenset[str]:
    ids = _texts(given, kind)
    if len(ids) > _LISTED:
        raise invalid_form(f"allowed_mentions.{kind}", "BASE_TYPE_MAX_LENGTH", f"Must be {_LISTED} or fewer in length.")
    for number, id in enumerate(ids):
        if not id.isdecimal():
            message = f'Value "{id}" is not snowflake.'
            raise invalid_form(f"allowed_mentions.{kind}.{number}", "NUMBER_TYPE_COERCE", message)
    if kind not in parse:
        return frozenset(ids)
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
