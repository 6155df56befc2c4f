"""Files in three steps, what can go wrong in each, and how they are read again."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from playground.slack.server import SlackStandIn
from playground.timeline import Attachment
from tests.playground.slack.harness import Client, error_of, until


async def _uploaded(client: Client, session: aiohttp.ClientSession, name: str = "plot.txt") -> str:
    url = await client.files_getUploadURLExternal(filename=name, length=3)
    assert (await session.post(url["upload_url"], data=b"abc")).status == 200
    return str(url["file_id"])


async def test_a_file_is_uploaded_in_three_steps(
    slack: SlackStandIn, client: Client, session: aiohttp.ClientSession
) -> None:
    root = slack.say(slack.general, slack.ada, "plot it")
    file = await _uploaded(client, session)
    await client.files_completeUploadExternal(
        files=[{"id": file, "title": "Plot"}], channel_id=slack.general, thread_ts=root, initial_comment="here"
    )
    assert slack.timeline.moments[-1].text == "plot it", "the answer comes before the message"
    await until(lambda: slack.timeline.moments[-1].text == "here")
    shared = slack.timeline.moments[-1]
    assert (shared.reply_to, shared.files) == (root, (Attachment(file, "plot.txt", 3),))
    assert slack.file(file) == ("plot.txt", b"abc")


async def test_the_sdk_uploads_a_file(slack: SlackStandIn, client: Client) -> None:
    uploaded = await client.files_upload_v2(content="a,b", filename="t.csv", channel=slack.general)
    assert uploaded["files"][0]["size"] == 3
    await until(lambda: slack.timeline.moments)
    [shared] = slack.timeline.moments
    assert [(file.name, file.size) for file in shared.files] == [("t.csv", 3)]


async def test_a_file_that_is_shared_nowhere_is_not_seen(
    slack: SlackStandIn, client: Client, session: aiohttp.ClientSession
) -> None:
    await client.files_completeUploadExternal(files=[{"id": await _uploaded(client, session)}])
    assert slack.timeline.moments == []


async def test_an_upload_is_of_the_announced_length_and_only_one(
    slack: SlackStandIn, client: Client, session: aiohttp.ClientSession
) -> None:
    url = await client.files_getUploadURLExternal(filename="plot.txt", length=3)
    unfinished = client.files_completeUploadExternal(files=[{"id": url["file_id"]}], channel_id=slack.general)
    assert await error_of(unfinished) == "file_not_found"
    answers = [await session.post(url["upload_url"], data=data) for data in (b"too long", b"abc", b"abc")]
    assert [answer.status for answer in answers] == [400, 200, 400]
    assert (await session.post(f"{slack.url}/upload/v1/nothing", data=b"abc")).status == 404


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel_id": "C404"}, "channel_not_found"),
        ({"thread_ts": "soon"}, "invalid_thread_ts"),
        ({"files": []}, "invalid_arguments"),
        ({"files": ["plot"]}, "invalid_arguments"),
        ({"files": [{"id": "F404"}]}, "file_not_found"),
    ],
)
async def test_a_share_that_slack_would_not_take(
    slack: SlackStandIn, client: Client, session: aiohttp.ClientSession, arguments: dict[str, Any], error: str
) -> None:
    call = {"files": [{"id": await _uploaded(client, session)}], "channel_id": slack.general} | arguments
    assert await error_of(client.api_call("files.completeUploadExternal", json=call)) == error
    assert slack.timeline.moments == []


@pytest.mark.parametrize(("name", "length"), [("", 3), ("plot.txt", 0), ("plot.txt", "three")])
async def test_an_announcement_needs_a_name_and_a_length(
    slack: SlackStandIn, client: Client, name: str, length: Any
) -> None:
    call = client.api_call("files.getUploadURLExternal", params={"filename": name, "length": length})
    assert await error_of(call) == "invalid_arguments"


async def test_the_bot_shares_files_only_where_it_is_a_member(
    slack: SlackStandIn, client: Client, session: aiohttp.ClientSession
) -> None:
    file = await _uploaded(client, session)
    slack.remove_bot(slack.general)
    share = client.files_completeUploadExternal(files=[{"id": file}], channel_id=slack.general)
    assert await error_of(share) == "not_in_channel"


async def test_a_file_is_read_with_the_token_and_without_it_there_is_a_page_to_log_in(
    slack: SlackStandIn, client: Client, session: aiohttp.ClientSession
) -> None:
    file = await _uploaded(client, session, "a name.txt")
    shared = await client.files_completeUploadExternal(files=[{"id": file}])
    url = shared["files"][0]["url_private"]
    bearer = {"Authorization": f"Bearer {slack.bot_token}"}
    async with session.get(url, headers=bearer) as answer:
        assert (answer.content_type, await answer.read()) == ("text/plain", b"abc")
    async with session.get(url) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
    slack.scopes.discard("files:read")
    async with session.get(url, headers=bearer) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
