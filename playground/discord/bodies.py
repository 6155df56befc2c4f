"""Reads what a call carries: JSON, or a form with `payload_json` and files."""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, web

from playground.discord.attachments import File
from playground.discord.call import Body
from playground.discord.errors import invalid_form, invalid_json, too_large

REQUEST = 25 * 1024 * 1024  # bytes of a whole request
FILE = 10 * 1024 * 1024  # bytes of one file in a guild without boosts

_FILE_PART = re.compile(r"files\[(\d+)\]")


async def read_body(request: web.Request) -> Body:
    """Never raises for what the caller wrote: the fault is in `problem`, to be told in its turn."""
    if (request.content_length or 0) > REQUEST:
        return Body(problem=too_large())
    if request.content_type == "multipart/form-data":
        return await _read_form(request)
    raw = await request.content.read()
    if not raw:
        return Body()
    if request.content_type != "application/json":
        kinds = "('application/json', 'multipart/form-data')"
        message = f'Expected "Content-Type" header to be one of {kinds}.'
        return Body(problem=invalid_form("", "CONTENT_TYPE_INVALID", message))
    return _parse(raw, ())


async def _read_form(request: web.Request) -> Body:
    """The parts are payload_json and files[n]; the n is how `attachments` names a file."""
    payload, size = b"{}", 0
    files: dict[int, File] = {}
    try:
        async for part in MultipartReader(request.headers, request.content):
            if not isinstance(part, BodyPartReader):
                continue
            raw = bytes(await part.read())
            size += len(raw)
            found = _FILE_PART.fullmatch(part.name or "")
            if part.name == "payload_json":
                payload = raw
            elif found is None or part.filename is None or int(found[1]) in files:
                message = f"Expected payload_json or one file as files[n], not {part.name!r}."
                return Body(problem=invalid_form("", "FORM_PART_INVALID", message))
            else:
                kind = part.headers.get("Content-Type", "application/octet-stream")
                files[int(found[1])] = File(int(found[1]), part.filename, kind, raw)
    except (ValueError, RuntimeError):  # what aiohttp raises for a form that is none
        return Body(problem=invalid_json())
    if size > REQUEST or any(len(file.content) > FILE for file in files.values()):
        return Body(problem=too_large())
    return _parse(payload, tuple(files.values()))


def _parse(raw: bytes, files: tuple[File, ...]) -> Body:
    try:
        parsed: Any = json.loads(raw)
    except ValueError:
        return Body(problem=invalid_json())
    return Body(json=parsed, files=files)
