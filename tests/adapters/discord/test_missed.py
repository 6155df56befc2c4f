"""What was asked while the bot did not listen is found again: by the same rules, in order, and in no other room."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from adapters.discord import history
from adapters.discord.platform import DiscordPlatform
from bot.core.model import Place, Prompt
from bot.errors import PlatformError, Refused, Rejected, Unreachable
from playground.discord.limits import Limit
from playground.discord.permissions import Permission
from playground.discord.server import DiscordStandIn
from tests.adapters.discord.inbox import Inbox, until

HOUR = 3600.0


@pytest.fixture
def ask(discord: DiscordStandIn) -> str:
    """An always-on channel."""
    return discord.add_channel("ask")


@pytest.fixture
async def bot(discord: DiscordStandIn, ask: str) -> AsyncIterator[DiscordPlatform]:
    """Not connected yet."""
    bot = DiscordPlatform(discord.token, api_url=f"{discord.url}/api/v10", always_on=frozenset({ask}))
    yield bot
    await bot.close()


async def missed(bot: DiscordPlatform, *rooms: str, since: float = HOUR) -> list[Prompt]:
    """What it finds that is at most so many seconds old, in the rooms that Discord tells of and in these."""
    return [prompt async for prompt in bot.missed(time.time() - since, [Place(room) for room in rooms])]


def refusal(seconds: float) -> dict[str, object]:
    return {"message": "You are being rate limited.", "retry_after": seconds, "global": False}


def texts(prompts: list[Prompt]) -> list[str]:
    return [prompt.text for prompt in prompts]


async def test_the_questions_are_those_that_would_have_been_delivered(
    discord: DiscordStandIn, bot: DiscordPlatform, ask: str, inbox: Inbox
) -> None:
    """Said twice: while nobody listened, and when the bot did."""
    direct = discord.open_dm(discord.linus)
    thread = discord.create_thread(ask, "deep water")
    aside = discord.create_thread(discord.general, "aside")
    answer = discord.say(discord.general, discord.state.bot.id, "Two metres.")

    def say() -> None:
        discord.say(discord.general, discord.ada, "just chatting")
        first = discord.say(discord.general, discord.ada, "how deep is the pond?", mentions_bot=True)
        discord.say(discord.general, discord.linus, "and in winter?", reply_to=answer, ping=False)
        discord.say(discord.general, discord.linus, "is that so?", reply_to=first, mentions_bot=True)
        discord.say(discord.general, discord.ada, "!stop", mentions_bot=True)
        discord.say(discord.general, discord.ada, "<@" + discord.bot_user + ">")
        discord.say(ask, discord.ada, f"anyone there, <@{discord.linus}>?")
        discord.say(ask, discord.state.bot.id, "I am.")
        discord.say(thread, discord.ada, "and here?")
        discord.say(aside, discord.ada, "nobody asked the bot")
        discord.say(aside, discord.ada, "but now", mentions_bot=True)
        discord.say(direct, discord.linus, "hello")

    say()
    await bot.connect(inbox)
    found = await missed(bot, direct)
    assert len(found) == 7
    say()
    await until(lambda: len(inbox.prompts) == 9)  # with the text command and the call for help
    delivered = [prompt for prompt in inbox.prompts.values() if not prompt.text.startswith("!")]

    def essence(prompts: list[Prompt]) -> list[tuple[object, ...]]:
        return sorted((str(p.channel), p.text, p.author.id, p.author.name, p.shared, p.place.room) for p in prompts)

    assert essence(found) == essence(delivered)
    assert not {prompt.key for prompt in found} & set(inbox.prompts)
    again = await missed(bot, direct)
    assert {prompt.key for prompt in delivered} <= {prompt.key for prompt in again}  # the same key on either way


async def test_they_come_oldest_first_and_not_older_than_asked_for(
    discord: DiscordStandIn, bot: DiscordPlatform, ask: str, inbox: Inbox
) -> None:
    discord.say(ask, discord.ada, "two hours ago", ago=2 * HOUR)
    discord.say(ask, discord.ada, "an hour and a second ago", ago=HOUR + 1)
    discord.say(ask, discord.ada, "nearly an hour ago", ago=HOUR - 5)
    for number in range(3):
        discord.say(ask, discord.ada, f"{number}")
    await bot.connect(inbox)
    assert texts(await missed(bot)) == ["nearly an hour ago", "0", "1", "2"]


async def test_many_messages_are_read_page_by_page_up_to_the_newest_few_hundred(
    discord: DiscordStandIn, bot: DiscordPlatform, ask: str, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_PAUSE_WITHIN", 0.0)
    for number in range(250):
        discord.say(ask, discord.ada, f"{number}")
    await bot.connect(inbox)
    assert texts(await missed(bot)) == [f"{number}" for number in range(250)]
    for number in range(250, 850):
        discord.say(ask, discord.ada, f"{number}")
    assert texts(await missed(bot)) == [f"{number}" for number in range(350, 850)]


async def test_only_rooms_are_read_in_which_there_is_something_new_that_could_be_answered(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox
) -> None:
    old, silent, empty = (discord.add_channel(name) for name in ("old", "silent", "empty"))
    unseen, closed = discord.add_channel("unseen"), discord.add_channel("closed")
    locked = discord.create_thread(discord.general, "locked")
    known, quiet = discord.open_dm(discord.ada), discord.open_dm(discord.linus)
    discord.say(old, discord.ada, "hello?", mentions_bot=True, ago=2 * HOUR)
    for room in (silent, unseen, closed, locked, discord.general, known):
        discord.say(room, discord.ada, "hello?", mentions_bot=True)
    discord.forbid(silent, Permission.SEND_MESSAGES)
    discord.forbid(unseen, Permission.VIEW_CHANNEL)
    discord.forbid(closed, Permission.READ_MESSAGE_HISTORY)
    discord.lock_thread(locked)
    await bot.connect(inbox)
    discord.calls.clear()
    found = await missed(bot, unseen, known, quiet, discord.general, empty)
    assert [prompt.place.room for prompt in found] == [discord.general, known]
    assert {call.path for call in discord.calls} == {
        f"/channels/{known}",
        f"/channels/{known}/messages",
        f"/channels/{quiet}",
        f"/channels/{discord.general}/messages",
    }


async def test_an_archived_thread_is_read_where_the_bot_was_asked_before(
    discord: DiscordStandIn, bot: DiscordPlatform, ask: str, inbox: Inbox
) -> None:
    """Discord does not list it, and an answer opens it again."""
    thread = discord.create_thread(ask, "deep water")
    question = discord.say(thread, discord.ada, "anyone there?")
    discord.archive_thread(thread)
    await bot.connect(inbox)
    assert texts(await missed(bot)) == []
    assert texts(await missed(bot, thread)) == ["anyone there?"]
    await bot.post(Place(thread, question), "Yes.", nonce="1", first=True)


async def test_rooms_that_are_gone_are_passed_over(
    discord: DiscordStandIn, bot: DiscordPlatform, ask: str, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    secret = discord.create_thread(discord.add_channel("secret"), "aside")
    discord.archive_thread(secret)
    discord.forbid(discord.state.channels[secret].parent.id, Permission.VIEW_CHANNEL)  # pyright: ignore[reportOptionalMemberAccess]
    discord.say(ask, discord.ada, "anyone there?")
    await bot.connect(inbox)
    assert texts(await missed(bot, "123", secret)) == ["anyone there?"]
    passed = [vars(record)["channel"] for record in caplog.records if record.message == "discord.history_not_read"]
    assert passed == ["123", secret]


async def test_a_room_that_cannot_be_read_now_does_not_hide_the_others(
    discord: DiscordStandIn, bot: DiscordPlatform, ask: str, inbox: Inbox
) -> None:
    discord.say(discord.general, discord.ada, "hello?", mentions_bot=True)
    discord.say(ask, discord.ada, "anyone there?")
    discord.fail("GET", f"/channels/{discord.general}/messages", status=500)
    await bot.connect(inbox)
    found = bot.missed(time.time() - HOUR, [])
    assert (await anext(found)).text == "anyone there?"
    with pytest.raises(Unreachable):
        await anext(found)
    assert sorted(texts(await missed(bot))) == ["anyone there?", "hello?"]


async def test_looking_never_takes_more_calls_than_its_share(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox
) -> None:
    """Of a direct message's room Discord has to be asked first, so it costs two."""
    people = [discord.add_person(f"Person {number}") for number in range(4)]
    rooms = [discord.open_dm(person) for person in people]
    for room, person in zip(rooms, people, strict=True):
        discord.say(room, person, "hello?")
    await bot.connect(inbox)
    await asyncio.sleep(1.0)  # the calls for the connection are not counted any more
    discord.limits.whole_bot = Limit(5, 1.0)
    assert texts(await missed(bot, *rooms)) == ["hello?"] * 4
    assert discord.refusals == []


async def test_who_is_refused_for_a_moment_goes_on_in_the_same_room(
    discord: DiscordStandIn, bot: DiscordPlatform, ask: str, inbox: Inbox
) -> None:
    discord.say(discord.general, discord.ada, "hello?", mentions_bot=True)
    discord.say(ask, discord.ada, "anyone there?")
    discord.fail("GET", f"/channels/{ask}/messages", status=429, body=refusal(0.01), times=2)
    await bot.connect(inbox)
    discord.calls.clear()
    assert sorted(texts(await missed(bot))) == ["anyone there?", "hello?"]
    assert sorted(call.path for call in discord.calls) == [
        f"/channels/{room}/messages" for room in sorted([discord.general, ask, ask, ask])
    ]


@pytest.mark.parametrize(
    ("status", "seconds", "calls", "error"), [(429, 0.01, 5, Refused), (429, 60.0, 1, Refused), (401, 0.0, 1, Rejected)]
)
async def test_where_discord_wants_no_more_calls_few_are_made(
    discord: DiscordStandIn,
    bot: DiscordPlatform,
    ask: str,
    inbox: Inbox,
    status: int,
    seconds: float,
    calls: int,
    error: type[PlatformError],
) -> None:
    discord.say(discord.general, discord.ada, "hello?", mentions_bot=True)
    discord.say(ask, discord.ada, "anyone there?")
    discord.fail("GET", "/messages", status=status, body=refusal(seconds), times=9)
    await bot.connect(inbox)
    discord.calls.clear()
    with pytest.raises(error):
        await missed(bot)
    assert len(discord.calls) == calls


async def test_what_is_said_in_a_room_while_it_is_looked_at_is_received_afterwards(
    discord: DiscordStandIn, bot: DiscordPlatform, ask: str, inbox: Inbox
) -> None:
    discord.say(ask, discord.ada, "one")
    discord.say(ask, discord.ada, "two")
    await bot.connect(inbox)
    async with aclosing(bot.missed(time.time() - HOUR, [])) as found:
        prompt = await anext(found)
        discord.say(ask, discord.ada, "three")
        discord.say(discord.general, discord.ada, "elsewhere", mentions_bot=True)
        await until(lambda: len(inbox.prompts) == 1)
        assert inbox.texts() == ["elsewhere"]
        await inbox.receive(prompt)
        async for prompt in found:
            await inbox.receive(prompt)
    await until(lambda: "three" in inbox.texts())
    assert inbox.texts() == ["elsewhere", "one", "two", "three"]


async def test_before_it_is_connected_and_after_it_is_closed_nothing_can_be_looked_up(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.listener._SERVERS", 0.01)
    with pytest.raises(Unreachable):
        await missed(bot)
    await bot.connect(inbox)
    await bot.close()
    with pytest.raises(Unreachable):
        await missed(bot)


# What the inbox is told


async def test_the_inbox_is_told_until_when_everything_was_received(
    discord: DiscordStandIn, bot: DiscordPlatform, ask: str, inbox: Inbox
) -> None:
    await bot.connect(inbox)
    before = time.time()
    discord.say(discord.general, discord.ada, "just chatting")
    await until(lambda: len(inbox.newest) == 1)
    assert before - 0.01 <= inbox.newest[0] <= time.time()
    inbox.slow = {"slow"}
    discord.say(ask, discord.ada, "slow")
    await until(lambda: inbox.deliveries == 1)
    assert len(inbox.newest) == 1
    await until(lambda: len(inbox.newest) == 2)
    assert inbox.texts() == ["slow"]
    assert inbox.gaps == 0


async def test_the_inbox_is_told_of_a_new_session_but_not_of_one_that_goes_on(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox
) -> None:
    await bot.connect(inbox)
    running = asyncio.create_task(bot.run())
    discord.drop()
    discord.say(discord.general, discord.ada, "resumed", mentions_bot=True)
    await until(lambda: inbox.texts() == ["resumed"])
    assert inbox.gaps == 0
    discord.invalidate(False)
    discord.say(discord.general, discord.ada, "lost", mentions_bot=True)
    await until(lambda: inbox.gaps == 1, seconds=20)
    assert texts(await missed(bot)) == ["resumed", "lost"]
    assert inbox.texts() == ["resumed"]
    await bot.close()
    await running
