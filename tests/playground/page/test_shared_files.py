"""Files that were shared in the chats, as the page hands them out."""

from __future__ import annotations

import aiohttp
import pytest

from tests.playground.page.house import House

both = pytest.mark.parametrize("platform", ["discord", "slack"])


async def shared(house: House, platform: str, name: str, content: bytes) -> str:
    """Uploads a file as the bot would; returns its id."""
    if platform == "discord":
        headers = {"Authorization": f"Bot {house.discord.token}"}
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("files[0]", content, filename=name)
        path = f"/discord/api/v10/channels/{house.discord.general}/messages"
        async with house.client.post(path, data=form, headers=headers) as answer:
            return (await answer.json())["attachments"][0]["id"]
    headers = {"Authorization": f"Bearer {house.slack.bot_token}"}
    announced = {"filename": name, "length": str(len(content))}
    async with house.client.get("/slack/api/files.getUploadURLExternal", params=announced, headers=headers) as answer:
        url = await answer.json()
    await house.client.post(f"/slack{url['upload_url']}", data=content)  # the house has no address of its own
    return str(url["file_id"])


@both
async def test_text_is_opened_as_nothing_but_text(house: House, platform: str) -> None:
    """Even where it is a page with a script: it would be of the playground's own origin."""
    content = "<script>alert('ß')</script>".encode()
    file = await shared(house, platform, "a page.html", content)
    async with house.client.get(f"/page/files/{platform}/{file}") as answer:
        assert (answer.status, await answer.read()) == (200, content)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["Content-Disposition"] == "inline; filename*=UTF-8''a%20page.html"


@both
async def test_what_is_no_text_is_saved(house: House, platform: str) -> None:
    file = await shared(house, platform, "x.png", b"\x89PNG\xff")
    async with house.client.get(f"/page/files/{platform}/{file}") as answer:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize("path", ["discord/1", "slack/F404", "irc/1"])
async def test_what_nobody_shared_is_not_there(house: House, path: str) -> None:
    async with house.client.get(f"/page/files/{path}") as answer:
        assert answer.status == 404
