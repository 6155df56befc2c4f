"""The live feed: a page that opens late sees what stands there, then everything that comes."""

from __future__ import annotations

import asyncio
import time

from playground.timeline import Attachment
from tests.playground.page.house import House, events, next_event


async def test_it_begins_with_who_and_what_there_is(house: House) -> None:
    async with house.client.get("/page/feed") as feed:
        assert feed.content_type == "text/event-stream"
        event, greeting = await anext(events(feed))
    assert event == "hello"
    discord, slack = greeting["platforms"]
    assert [discord["title"], slack["title"]] == ["Discord", "Slack"]
    assert [room["id"] for room in slack["rooms"]] == [house.slack.general, house.slack.open_dm(house.slack.ada)]
    assert [room["direct"] for room in discord["rooms"]] == [False, True]
    assert {person["name"] for person in discord["people"]} == {"Ada", "Linus"}


async def test_it_tells_what_was_and_then_what_comes(house: House) -> None:
    await house.say("slack", "before")
    async with house.client.get("/page/feed") as feed:
        told = events(feed)
        before = await next_event(told)
        await house.say("discord", "after")
        after = await next_event(told)
    assert (before["platform"], before["room"], before["author"]) == ("slack", house.slack.general, "Ada")
    assert (after["platform"], after["room"], after["html"]) == ("discord", house.discord.general, "<p>after</p>\n")


async def test_moments_carry_the_time_of_day(house: House) -> None:
    """In milliseconds since 1970, as browsers count; the timeline's own clock is monotonic."""
    await house.say("slack", "now")
    async with house.client.get("/page/feed") as feed:
        moment = await next_event(events(feed))
    assert abs(moment["at"] / 1000 - time.time()) < 60


async def test_a_late_page_is_spared_the_edits_that_are_outdated(house: House) -> None:
    house.bot_did("posted", "1.0", "a")
    for text in ("a b", "a b c", "a b c d"):
        house.bot_did("edited", "1.0", text)
    house.bot_did("posted", "2.0", "x")
    async with house.client.get("/page/feed") as feed:
        told = events(feed)
        texts = [(await next_event(told))["html"] for _ in range(3)]
        house.bot_did("edited", "1.0", "a b c d e")
        texts.append((await next_event(told))["html"])
    assert texts == ["<p>a</p>\n", "<p>a b c d</p>\n", "<p>x</p>\n", "<p>a b c d e</p>\n"]


async def test_ids_in_mentions_are_shown_as_names(house: House) -> None:
    await house.say("slack", "hello", mention=True)
    await house.say("discord", "hello", mention=True)
    async with house.client.get("/page/feed") as feed:
        told = events(feed)
        shown = [(await next_event(told))["html"] for _ in range(2)]
    assert shown == ['<p><span class="mention">@Rivulet</span> hello</p>\n'] * 2


async def test_a_status_is_text_and_not_markdown(house: House) -> None:
    house.bot_did("status", text="is **thinking**…", reply_to="1.0")
    async with house.client.get("/page/feed") as feed:
        moment = await next_event(events(feed))
    assert (moment["text"], moment["reply_to"]) == ("is **thinking**…", "1.0")
    assert "html" not in moment


async def test_what_only_one_person_sees_is_marked(house: House) -> None:
    house.bot_did("posted", "1.0", "psst", private_to=house.slack.ada)
    async with house.client.get("/page/feed") as feed:
        assert (await next_event(events(feed)))["private_to"] == house.slack.ada


async def test_a_late_page_is_told_what_everybody_sees_and_what_one_person_sees(house: House) -> None:
    house.bot_did("posted", "1.0", "a", live=True)
    for text in ("a b", "a b c"):
        house.bot_did("edited", "1.0", text, live=True, private_to=house.slack.ada)
    async with house.client.get("/page/feed") as feed:
        told = events(feed)
        shown = [await next_event(told) for _ in range(2)]
    assert [(moment["html"], moment["private_to"]) for moment in shown] == [
        ("<p>a</p>\n", ""),
        ("<p>a b c</p>\n", house.slack.ada),
    ]
    assert all(moment["live"] for moment in shown)


async def test_it_tells_of_files_previews_and_notifications(house: House) -> None:
    file = Attachment("F1", "<a>.md", 2_000)
    house.bot_did("posted", "1.0", "x", files=(file,), previews=("https://example.org",), fallback="y")
    async with house.client.get("/page/feed") as feed:
        moment = await next_event(events(feed))
    assert moment["files"] == [{"id": "F1", "name": "<a>.md", "size": 2_000}]
    assert (moment["previews"], moment["fallback"]) == (["https://example.org"], "y")


async def test_a_status_says_how_long_it_lasts_and_whether_it_can_be_stopped(house: House) -> None:
    house.bot_did("status", text="processing", reply_to="1.0", lasts=3600.0)
    house.bot_did("status", text="reads", reply_to="1.0", lasts=120.0)
    async with house.client.get("/page/feed") as feed:
        told = events(feed)
        shown = [await next_event(told) for _ in range(2)]
    assert [(moment["lasts"], moment["stoppable"]) for moment in shown] == [(3_600_000, True), (120_000, False)]


async def test_figures_come_at_once_and_again_when_they_change(house: House) -> None:
    async with house.client.get("/page/feed") as feed:
        told = events(feed)
        assert (await next_event(told, "figures"))["slack"] == {"calls": 0, "refusals": 0, "first_text": None}
        house.bot_did("posted", "1.0", "hello")
        assert (await next_event(told, "figures"))["slack"]["calls"] == 1


async def test_every_page_has_its_own_feed(house: House) -> None:
    async with house.client.get("/page/feed") as one, house.client.get("/page/feed") as two:
        told = [events(one), events(two)]
        for feed in told:
            assert (await anext(feed))[0] == "hello"
        await house.say("slack", "hello")
        assert [(await next_event(feed))["html"] for feed in told] == ["<p>hello</p>\n"] * 2


async def test_closing_ends_the_open_feeds(house: House) -> None:
    """A feed lasts as long as its page; without this the server would wait for it."""
    async with house.client.get("/page/feed") as feed, asyncio.timeout(5):
        told = events(feed)
        await anext(told)
        await house.page.close()
        assert "hello" not in [event async for event, _ in told]


async def test_a_page_that_goes_away_is_followed_no_longer(house: House) -> None:
    async with house.client.get("/page/feed") as feed:
        await anext(events(feed))
    house.bot_did("posted", "1.0", "nobody looks")
    async with asyncio.timeout(5), house.client.get("/page/feed") as feed:
        assert (await next_event(events(feed)))["html"] == "<p>nobody looks</p>\n"
