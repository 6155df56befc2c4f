"""Files in three steps: files.getUploadURLExternal, an upload to that URL, files.completeUploadExternal."""

from __future__ import annotations

import secrets
from typing import Any, cast

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
    if file.content or len(body) != file.length:
        return web.Response(status=400, text=f"expected one upload of {file.length} bytes")
    file.content = body
    return web.Response(text=f"OK - {len(body)}")


def complete_upload(service: Service, arguments: Arguments) -> dict[str, Any]:
    listed = arguments.structure("files", "invalid_arguments")
    if not isinstance(listed, list) or not listed:
        raise invalid_arguments("missing required field: files")
    files: list[dict[str, Any]] = []
    for item in cast(list[dict[str, Any]], listed):
        file = service.workspace.files.get(str(item.get("id")))
        if file is None or not file.content:
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
    names = [f"[{file['name']}]" for file in files]
    message = Message(
        service.workspace.new_ts(),
        service.workspace.bot_user,
        comment,
        "\n".join([*([comment] if comment else []), *names]),
        bot=True,
        thread_ts=read_thread(channel, arguments),
        files=files,
    )
    service.post(channel, message)


def _file_json(service: Service, file: File, title: str) -> dict[str, Any]:
    return {
        "id": file.id,
        "name": file.name,
        "title": title,
        "size": file.length,
        "user": service.workspace.bot_user,
        "mode": "hosted",
        "is_external": False,
    }
