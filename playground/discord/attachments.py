"""The files below a message: what a call brings, keeps and drops, and where they are read again."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from aiohttp import web

from playground.discord.errors import invalid_form
from playground.discord.settings import Settings
from playground.discord.state import State, StoredFile

FILES = 10  # below one message
DESCRIPTION = 1024  # characters
PATH = "/discord/attachments"


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file."""

    number: int  # the n of files[n]
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Named:
    """An entry of the `attachments` field: a file of this call by its number, or one that is to stay by its id."""

    id: str
    filename: str
    description: str | None


def read_named(entries: Sequence[dict[str, Any]]) -> tuple[Named, ...]:
    """Raises ApiError."""
    named: list[Named] = []
    for number, entry in enumerate(entries):
        at = f"attachments.{number}"
        if not str(entry.get("id", "")).isdecimal():
            raise invalid_form(f"{at}.id", "NUMBER_TYPE_COERCE", f'Value "{entry.get("id")}" is not snowflake.')
        filename, description = entry.get("filename", ""), entry.get("description")
        if not isinstance(filename, str) or not isinstance(description, str | None):
            raise invalid_form(at, "STRING_TYPE_CONVERT", "Could not interpret the value as string.")
        if len(description or "") > DESCRIPTION:
            message = f"Must be {DESCRIPTION} or fewer in length."
            raise invalid_form(f"{at}.description", "BASE_TYPE_MAX_LENGTH", message)
        named.append(Named(str(entry["id"]), filename, description))
    if len({each.id for each in named}) < len(named):
        raise invalid_form("attachments", "ATTACHMENT_NOT_FOUND", "Attachment data not found")
    return tuple(named)


@dataclass
class Attachments:
    """Keeps the bytes, as Discord's content servers do; whoever has the address can read them."""

    state: State
    settings: Settings

    def mount(self, app: web.Application) -> None:
        app.router.add_get(f"{PATH}/{{id}}/{{name}}", self._serve)

    def settle(
        self, present: Sequence[dict[str, Any]], named: Sequence[Named] | None, files: Sequence[File]
    ) -> list[dict[str, Any]]:
        """The attachments after the call: with the field, only what it names; without it, what was and what is new.

        Raises ApiError.
        """
        there = {attachment["id"]: attachment for attachment in present}
        new = {str(file.number): file for file in files}
        if named is None:
            named = [Named(id, "", None) for id in (*there, *new)]
        if unknown := [each for each in named if each.id not in there and each.id not in new]:
            message = f"Attachment data not found: {unknown[0].id}"
            raise invalid_form("attachments", "ATTACHMENT_NOT_FOUND", message)
        if len(named) > FILES:
            raise invalid_form("attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {FILES} or fewer in length.")
        return [
            _described(there[each.id], each) if each.id in there else self._keep(new[each.id], each) for each in named
        ]

    def _keep(self, file: File, named: Named) -> dict[str, Any]:
        id, name = self.state.snowflakes.new(), named.filename or file.name
        self.state.files[id] = StoredFile(name, file.content)
        url = f"{self.settings.url}/attachments/{id}/{quote(name)}"
        attachment = {
            "id": id,
            "filename": name,
            "size": len(file.content),
            "content_type": file.content_type,
            "url": url,
            "proxy_url": url,
        }
        return _described(attachment, named)

    async def _serve(self, request: web.Request) -> web.Response:
        file = self.state.files.get(request.match_info["id"])
        if file is None or file.name != request.match_info["name"]:
            return web.Response(status=404, text="This content is no longer available.")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return web.Response(body=file.content, content_type=kind, headers={"Content-Disposition": "attachment"})


def _described(attachment: dict[str, Any], named: Named) -> dict[str, Any]:
    description = {} if named.description is None else {"description": named.description}
    return cast("dict[str, Any]", attachment | description)
