"""One REST call as a handler sees it, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from playground.discord.attachments import File
from playground.discord.errors import ApiError, invalid_form


@dataclass(frozen=True, slots=True)
class Body:
    """What was sent along; `problem` is raised by whoever wants to read it."""

    json: Any = None
    files: tuple[File, ...] = ()
    problem: ApiError | None = None


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str  # from /channels, /webhooks, ... on
    ids: Mapping[str, str]  # from the path
    query: Mapping[str, str]
    body: Body

    def json(self) -> Any:
        if self.body.problem:
            raise self.body.problem
        return self.body.json

    def fields(self) -> dict[str, Any]:
        """The body as an object; raises ApiError."""
        given = self.json()
        if given is None:
            return {}
        if not isinstance(given, dict):
            raise invalid_form("", "MODEL_TYPE_CONVERT", "Expected an object/dictionary.")
        return cast("dict[str, Any]", given)


@dataclass(frozen=True, slots=True)
class Answer:
    """No body is 204."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
