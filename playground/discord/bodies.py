"""Reads what a call carries: JSON, or a form with `payload_json` and files."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, web

from playground.discord.call import Body
from playground.discord.drafts import File
from playground.discord.errors import invalid_form, invalid_json, too_large

REQUEST = 25 * 1024 * 1024  # bytes of a whole request
FILE = 10 * 1024 * 1024  # bytes of one file in a guild without boosts


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
    payload = b"{}"
    files: list[File] = []
    try:
        async for part in MultipartReader(request.headers, request.content):
            if not isinstance(part, BodyPartReader):
                continue
            raw = bytes(await part.read())
            if part.name == "payload_json":
                payload = raw
            elif part.filename is not None:
                files.append(
                    File(part.filename, part.headers.get("Content-Type", "application/octet-stream"), len(raw))
                )
    except (ValueError, RuntimeError):  # what aiohttp raises for a form that is none
        return Body(problem=invalid_json())
    if any(file.size > FILE for file in files):
        return Body(problem=too_large())
    return _parse(payload, tuple(files))


def _parse(raw: bytes, files: tuple[File, ...]) -> Body:
    try:
        parsed: Any = json.loads(raw)
    except ValueError:
        return Body(problem=invalid_json())
    return Body(json=parsed, files=files)
