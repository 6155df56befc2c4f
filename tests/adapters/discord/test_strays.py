"""A page whose post was not answered is found among what stands below the question, and nothing else is."""

from __future__ import annotations

import pytest

from adapters.discord.platform import DiscordPlatform
from bot.core.files import File
from bot.core.model import Place
from bot.errors import Gone
from bot.ports import Strays
from playground.discord.server import DiscordStandIn


@pytest.fixture
def place(discord: DiscordStandIn) -> Place:
    return Place(discord.general, discord.say(discord.general, discord.ada, "how deep?", mentions_bot=True))


async def test_the_first_page_is_the_one_that_replies_to_the_question(
    discord: DiscordStandIn, bot: DiscordPlatform, place: Place
):
    other = Place(place.room, discord.say(place.room, discord.linus, "and the lake?", mentions_bot=True))
    await bot.post(other, "Ten metres.", nonce="b-0", first=True)
    assert await bot.strays(place, "a-", []) == Strays()
    posted = await bot.post(place, "Two metres.", nonce="a-0", first=True)
    assert await bot.strays(place, "a-", []) == Strays((posted.message,))
    assert await bot.strays(place, "a-", [posted.message]) == Strays()


async def test_later_pages_are_those_below_those_that_are_known(
    discord: DiscordStandIn, bot: DiscordPlatform, place: Place
):
    pages = [await bot.post(place, f"page {page}", nonce=f"a-{page}", first=not page) for page in range(3)]
    first, second, third = [page.message for page in pages]
    discord.say(place.room, discord.linus, "that is long")
    discord.say(place.room, discord.state.bot.id, "Stopped.", reply_to=place.message)
    assert await bot.strays(place, "a-", []) == Strays((first, second, third))
    assert await bot.strays(place, "a-", [first]) == Strays((second, third))
    assert await bot.strays(place, "a-", [first, second, third]) == Strays()


async def test_files_are_no_page(bot: DiscordPlatform, place: Place):
    first = (await bot.post(place, "page", nonce="a-0", first=True)).message
    file = (await bot.attach(place, "The rest is in the file.", [File("answer.md", "more")], nonce="a-f1")).message
    assert await bot.strays(place, "a-", [first]) == Strays(files=(file,))
    assert await bot.strays(place, "a-", []) == Strays((first,), (file,))
    assert await bot.strays(place, "a-", [first, file]) == Strays()


async def test_what_an_earlier_answer_shows_below_a_later_question_is_not_the_later_ones(
    discord: DiscordStandIn, bot: DiscordPlatform, place: Place
):
    later = Place(place.room, discord.say(place.room, discord.linus, "and the lake?", mentions_bot=True))
    await bot.post(place, "page 1", nonce="a-0", first=True)
    await bot.post(place, "page 2", nonce="a-1", first=False)
    await bot.attach(place, "The rest is in the file.", [File("answer.md", "more")], nonce="a-f1")
    assert await bot.strays(later, "b-", []) == Strays()
    mine = (await bot.post(later, "page 1", nonce="b-0", first=True)).message
    assert await bot.strays(later, "b-", []) == Strays((mine,))
    assert await bot.strays(later, "b-", [mine]) == Strays()


async def test_a_room_that_is_gone_is_an_error(bot: DiscordPlatform):
    with pytest.raises(Gone):
        await bot.strays(Place("1", "2"), "a-", [])
