"""Files on Slack: each is announced and uploaded, which nobody sees; then all are shared in one message."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import aiohttp

from adapters.slack.calls import ScopeMissing, WebClient, made
from bot.core.files import File
from bot.errors import Rejected, Unreachable


async def upload(client: WebClient, file: File, *, limit: str) -> str:
    """The id of the uploaded file. One that is never shared goes by itself. Raises PlatformError."""
    content = file.encoded()
    try:
        call = client.files_getUploadURLExternal(filename=file.name, length=len(content))
        ticket = (await made(call, limit=limit)).data
    except ScopeMissing as error:
        raise Rejected(f"{error}: the app needs files:write") from error
    try:
        async with client.session.post(
            ticket["upload_url"], data=io.BytesIO(content), proxy=client.proxy, allow_redirects=False
        ) as answer:
            status = answer.status
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Unreachable(f"Slack did not take a file ({type(error).__name__})") from error
    if status >= 500:
        raise Unreachable(f"Slack answered {status} to a file")
    if status != 200:
        raise Rejected(f"Slack answered {status} to a file")
    return str(ticket["file_id"])


def holds(message: dict[str, Any], files: Sequence[File]) -> bool:
    """Whether these are the files of a message, as far as names and sizes tell."""
    there: list[dict[str, Any]] = message.get("files") or []
    names = sorted((str(file.get("name")), file.get("size")) for file in there)
    return names == sorted((file.name, len(file.encoded())) for file in files)
