"""Files below an answer: three steps, one message, and what becomes of it when a step fails."""

from __future__ import annotations

import asyncio

import pytest

from adapters.slack.platform import SlackPlatform
from bot.core.files import File
from bot.core.model import Place
from bot.core.pacing import Call
from bot.errors import Gone, Refused, Rejected, Unreachable
from playground.slack.server import SlackStandIn
from playground.slack.state import Message
from playground.timeline import Timeline
from tests.adapters.slack.workspace import Connect, FakeInbox, until

ANNOUNCE, SHARE = "files.getUploadURLExternal", "files.completeUploadExternal"
FILES = [File("app.py", "print('Teich – ü')\n"), File("code-2.js", "1")]


def question(slack: SlackStandIn) -> Place:
    ts = slack.say(slack.general, slack.ada, "<@BOT> tell me")
    return Place(slack.general, message=ts, thread=ts)


def direct_question(slack: SlackStandIn) -> Place:
    room = slack.open_dm(slack.ada)
    return Place(room, message=slack.say(room, slack.ada, "tell me"))


def shares(slack: SlackStandIn, place: Place) -> list[Message]:
    return [message for message in slack.workspace.channels[place.room].messages.values() if message.files]


def calls(slack: SlackStandIn) -> list[str]:
    return [call.method for call in slack.calls if call.method.startswith("files.")]


@pytest.mark.parametrize("where", [question, direct_question])
async def test_files_come_below_a_sentence_in_the_thread_of_the_question(
    slack: SlackStandIn, platform: SlackPlatform, timeline: Timeline, where: type
):
    place = where(slack)
    receipt = await platform.attach(place, "_The code is below._ <!channel>", FILES, nonce="1")
    (share,) = shares(slack, place)
    assert (share.ts, share.thread_ts) == (receipt.message, place.thread)
    assert [slack.file(file["id"]) for file in share.files] == [(file.name, file.encoded()) for file in FILES]
    assert timeline.shown(place.room)[receipt.message] == "_The code is below._ &lt;!channel>"
    assert slack.pings == []
    assert calls(slack) == [ANNOUNCE, ANNOUNCE, SHARE]
    await platform.delete(place, receipt.message)
    assert receipt.message not in timeline.shown(place.room)


async def test_a_message_with_files_of_its_own_is_no_question(
    slack: SlackStandIn, platform: SlackPlatform, inbox: FakeInbox
):
    place = direct_question(slack)
    await platform.attach(place, "x", FILES, nonce="1")
    slack.say(place.room, slack.ada, "thanks")
    await until(lambda: "thanks" in inbox.texts)
    assert inbox.texts == ["tell me", "thanks"]


@pytest.mark.parametrize("where", [question, direct_question])
async def test_files_whose_last_answer_was_lost_are_found_and_not_shared_again(
    slack: SlackStandIn, platform: SlackPlatform, where: type
):
    """Slack shows them some time after the call, so the first look may find nothing."""
    place, slack.limits.share_after = where(slack), 0.4
    slack.fail(SHARE, drop=True, after_effect=True)
    with pytest.raises(Unreachable):
        await platform.attach(place, "once", FILES, nonce="1")
    assert shares(slack, place) == []
    receipt = await platform.attach(place, "once", FILES, nonce="1")
    assert [share.ts for share in shares(slack, place)] == [receipt.message]
    assert calls(slack).count(SHARE) == 1


async def test_a_share_that_never_arrived_is_made(
    slack: SlackStandIn, platform: SlackPlatform, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("adapters.slack.posted._LOOKS", (0.1, 0.3))
    place = question(slack)
    await platform.attach(place, "another", [File("app.py", "other")], nonce="1")
    slack.fail(SHARE, drop=True)
    with pytest.raises(Unreachable):
        await platform.attach(place, "mine", FILES, nonce="2")
    receipt = await platform.attach(place, "mine", FILES, nonce="2")
    assert [share.text for share in shares(slack, place)] == ["another", "mine"]
    assert shares(slack, place)[1].ts == receipt.message


async def test_files_that_slack_does_not_show_yet_are_only_looked_for(
    slack: SlackStandIn, platform: SlackPlatform, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("adapters.slack.posted._LOOKS", (0.0, 0.6))
    place, slack.limits.share_after = question(slack), 0.9
    with pytest.raises(Unreachable, match="does not show them yet"):
        await platform.attach(place, "once", FILES, nonce="1")
    await platform.attach(place, "once", FILES, nonce="1")
    assert (len(shares(slack, place)), calls(slack).count(SHARE)) == (1, 1)


async def test_a_share_that_was_cancelled_is_looked_for(slack: SlackStandIn, platform: SlackPlatform):
    place = question(slack)
    attaching = asyncio.create_task(platform.attach(place, "once", FILES, nonce="1"))
    async with asyncio.timeout(5):
        while SHARE not in calls(slack):  # noqa: ASYNC110 (it is the server that notes it)
            await asyncio.sleep(0.01)
    attaching.cancel()
    await asyncio.gather(attaching, return_exceptions=True)
    await platform.attach(place, "once", FILES, nonce="1")
    assert (len(shares(slack, place)), calls(slack).count(SHARE)) == (1, 1)


async def test_a_process_started_later_finds_what_the_one_before_shared(slack: SlackStandIn, connect: Connect):
    place = question(slack)
    async with connect() as before:
        shared = await before.attach(place, "once", FILES, nonce="1")
    async with connect() as after:
        assert await after.attach(place, "once", FILES, nonce="1") == shared
        fresh = await after.attach(place, "twice", FILES[:1], nonce="2")
    assert [share.ts for share in shares(slack, place)] == [shared.message, fresh.message]


@pytest.mark.parametrize("step", [ANNOUNCE, SHARE])
async def test_a_refusal_shows_nothing_and_names_the_limit(slack: SlackStandIn, platform: SlackPlatform, step: str):
    place = question(slack)
    slack.fail(step, body={"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "7"})
    with pytest.raises(Refused) as refused:
        await platform.attach(place, "x", FILES, nonce="1")
    assert (refused.value.retry_after, refused.value.limit) == (7, platform.limits(Call.ATTACH, place)[0].key)
    await platform.attach(place, "x", FILES, nonce="1")
    assert len(shares(slack, place)) == 1


async def test_a_large_file_is_taken(slack: SlackStandIn, platform: SlackPlatform):
    place = question(slack)
    await platform.attach(place, "x", [File("book.md", "word " * 500_000)], nonce="1")
    ((file,),) = [share.files for share in shares(slack, place)]
    assert file["size"] == 2_500_000


async def test_files_are_limited_for_the_workspace_and_apart_from_posts(platform: SlackPlatform):
    here, there = Place("C1"), Place("C2")
    assert platform.limits(Call.ATTACH, here) == platform.limits(Call.ATTACH, there)
    assert not {limit.key for limit in platform.limits(Call.ATTACH, here)} & {
        limit.key for limit in platform.limits(Call.POST, here)
    }


async def test_an_app_without_the_scope_can_still_post(slack: SlackStandIn, platform: SlackPlatform):
    """An app that was installed from an older manifest."""
    place = question(slack)
    slack.scopes.discard("files:write")
    with pytest.raises(Rejected, match="missing_scope: the app needs files:write"):
        await platform.attach(place, "x", FILES, nonce="1")
    await platform.post(place, "page", nonce="2", first=False)


@pytest.mark.parametrize("word", ["file_uploads_disabled", "storage_limit_reached"])
async def test_a_workspace_that_takes_no_files_is_no_lost_place(
    slack: SlackStandIn, platform: SlackPlatform, word: str
):
    slack.fail(ANNOUNCE, body={"ok": False, "error": word})
    with pytest.raises(Rejected, match=word):
        await platform.attach(question(slack), "x", FILES, nonce="1")


async def test_a_lost_channel_is_gone(slack: SlackStandIn, platform: SlackPlatform):
    place = question(slack)
    slack.remove_bot(slack.general)
    with pytest.raises(Gone, match="not_in_channel"):
        await platform.attach(place, "x", FILES, nonce="1")


async def test_an_upload_that_fails_shows_nothing_and_may_be_repeated(
    slack: SlackStandIn, platform: SlackPlatform, unused_tcp_port: int
):
    place = question(slack)
    for url, error in (
        (f"http://127.0.0.1:{unused_tcp_port}/", Unreachable),
        (f"{slack.url}/upload/v1/unknown", Rejected),
    ):
        slack.fail(ANNOUNCE, body={"ok": True, "upload_url": url, "file_id": "F1"})
        with pytest.raises(error):
            await platform.attach(place, "x", FILES, nonce="1")
    assert SHARE not in calls(slack)
    await platform.attach(place, "x", FILES, nonce="1")
    assert len(shares(slack, place)) == 1
