"""The arguments of a Web API call: from the query, a form or JSON, with the token beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

from playground.slack.errors import SlackError


class Arguments:
    """Typed access; an absent argument, null and an empty string are the same, as Slack treats them."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def need(self, name: str) -> str:
        """Raises SlackError where the argument is absent."""
        value = self.text(name)
        if not value:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        try:
            return int(value)
        except ValueError:
            raise invalid_arguments(f"must be an integer: {name}") from None

    def structure(self, name: str, error: str) -> Any:
        """A JSON value, also where it was sent as a string; None if absent. Raises SlackError with this code."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived."""

    method: str
    token: str
    from_url_and_form: Mapping[str, Any]
    from_json: Mapping[str, Any]

    def arguments(self, *, json_allowed: bool) -> Arguments:
        """Slack's reading methods do not look into a JSON body."""
        return Arguments({**self.from_url_and_form, **(self.from_json if json_allowed else {})})


async def read_call(request: web.Request) -> Call:
    """Raises SlackError where the request is not one that Slack reads."""
    values: dict[str, Any] = dict(request.query)
    values.pop("token", None)  # apps made since 2021 may not send it in the URL
    document: dict[str, Any] = {}
    token = ""
    if request.method == "POST" and request.can_read_body:
        match request.content_type:
            case "application/json":
                document = _parse_object(await request.text())
            case "application/x-www-form-urlencoded" | "multipart/form-data":
                values.update({key: value for key, value in (await request.post()).items() if isinstance(value, str)})
                token = str(values.pop("token", ""))
            case _:
                raise SlackError("invalid_post_type")
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer:
        token = bearer.strip()
    return Call(request.match_info["method"], token, values, document)


def invalid_arguments(message: str) -> SlackError:
    return SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}"]})


def _parse_object(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text or "{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(document, dict):
        raise SlackError("json_not_object")
    return cast(dict[str, Any], document)
