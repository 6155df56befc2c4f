"""Files in three steps: files.getUploadURLExternal, an upload to that URL, files.completeUploadExternal."""

from __future__ import annotations

import mimetypes
import secrets
from typing import Any, cast
from urllib.parse import quote

from aiohttp import web

from playground.slack.arguments import Arguments, invalid_arguments
from playground.slack.errors import SlackError
from playground.slack.limits import Tier
from playground.slack.method import Method, read_thread
from playground.slack.service import Service
from playground.slack.state import File, Message


def get_upload_url(service: Service, arguments: Arguments) -> dict[str, Any]:
    name, length = arguments.need("filename"), arguments.number("length", 0)
    if length <= 0:
        raise invalid_arguments("must be greater than 0: length")
    file = File(service.workspace.new_id("F"), name, length, upload_key=secrets.token_hex(16))
    service.workspace.files[file.id] = file
    return {"upload_url": f"{service.url}/upload/v1/{file.upload_key}", "file_id": file.id}


async def upload(service: Service, request: web.Request) -> web.Response:
    """Takes the bytes; the URL is good for one upload of exactly the announced length, and needs no token."""
    key = request.match_info["key"]
    file = next((file for file in service.workspace.files.values() if file.upload_key == key), None)
    if file is None:
        return web.Response(status=404, text="not found")
    body = b"".join([chunk async for chunk in request.content.iter_any()])
    if file.content is not None or len(body) != file.length:
        return web.Response(status=400, text=f"expected one upload of {file.length} bytes")
    file.content = body
    return web.Response(text=f"OK - {len(body)}")


def download(service: Service, request: web.Request, token: str) -> web.Response:
    """A file's bytes; without the bot's token or files:read, a page to log in, with HTTP 200 as Slack has it."""
    allowed = request.headers.get("Authorization") == f"Bearer {token}" and "files:read" in service.scopes
    file = service.workspace.files.get(request.match_info["file"])
    if not allowed:
        return web.Response(text="<!DOCTYPE html><title>Sign in | Slack</title>", content_type="text/html")
    if file is None or file.content is None:
        return web.Response(status=404, text="not found")
    return web.Response(body=file.content, content_type=_kind(file.name))


def complete_upload(service: Service, arguments: Arguments) -> dict[str, Any]:
    listed = arguments.structure("files", "invalid_arguments")
    if not isinstance(listed, list) or not listed:
        raise invalid_arguments("missing required field: files")
    files: list[dict[str, Any]] = []
    for item in cast(list[Any], listed):
        if not isinstance(item, dict):
            raise invalid_arguments("must be an object [json-pointer:/files]")
        item = cast(dict[str, Any], item)
        file = service.workspace.files.get(str(item.get("id")))
        if file is None or file.content is None:
            raise SlackError("file_not_found")
        files.append(_file_json(service, file, str(item.get("title") or file.name)))
    if arguments.text("channel_id"):
        _share(service, arguments, files)
    return {"files": files}


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, Tier.FOUR, "files:write", json_allowed=False),
    "files.completeUploadExternal": Method(complete_upload, Tier.FOUR, "files:write"),
}


def _share(service: Service, arguments: Arguments, files: list[dict[str, Any]]) -> None:
    channel = service.workspace.writable(arguments.text("channel_id"))
    comment = arguments.text("initial_comment")
    message = Message(
        "",  # it gets its ts when it appears
        service.workspace.bot_user,
        comment,
        bot=True,
        thread_ts=read_thread(channel, arguments),
        files=files,
        mrkdwn=True,
    )
    service.post_later(channel, message, service.limits.share_after)


def _file_json(service: Service, file: File, title: str) -> dict[str, Any]:
    return {
        "id": file.id,
        "name": file.name,
        "title": title,
        "size": file.length,
        "mimetype": _kind(file.name),
        "filetype": file.name.rpartition(".")[2] if "." in file.name else "text",
        "url_private": f"{service.url}/files/{file.id}/{quote(file.name)}",
        "url_private_download": f"{service.url}/files/{file.id}/{quote(file.name)}",
        "user": service.workspace.bot_user,
        "mode": "hosted",
        "is_external": False,
    }


def _kind(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
