"""What people ask on Discord while the bot is away or cut off is answered when it is back: once, oldest first."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.e2e.world import World, world

NEW_SESSION = 20.0  # seconds: discord.py waits five before it identifies anew


@pytest.fixture
async def here(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncGenerator[World]:
    caplog.set_level("INFO", "bot.catching_up")
    async with world(tmp_path) as found:
        found.discord["always_on"] = [found.playground.discord.add_channel("ask")]
        yield found


@pytest.fixture
def ask(here: World) -> str:
    """The always-on channel."""
    return here.discord["always_on"][0]


async def caught_up(here: World, caplog: pytest.LogCaptureFixture) -> int:
    """Waits until it was looked up what was missed; returns how many questions that were."""

    def looks() -> list[int]:
        found = [vars(record) for record in caplog.records if record.message == "missed.looked_up"]
        return [record["questions"] for record in found if record["platform"] == "discord"]

    await here.until(looks, seconds=NEW_SESSION)
    [questions] = looks()
    caplog.clear()
    return questions


def answered(here: World, room: str) -> list[str]:
    """The questions that have an answer in the room, in its order."""
    return [moment.reply_to for moment in here.bot_messages(room)]


async def test_what_is_asked_while_the_bot_is_away_is_answered_once_and_oldest_first(
    here: World, ask: str, caplog: pytest.LogCaptureFixture
):
    discord = here.playground.discord
    old = discord.add_channel("old")
    direct = discord.open_dm(discord.ada)
    await here.start()
    asked = {
        discord.general: [here.ask_discord("One?")],
        direct: [discord.say(direct, discord.ada, "Hello")],
    }
    await here.until(lambda: all(answered(here, room) == asked[room] for room in asked))
    await caught_up(here, caplog)
    await here.stop()

    def say(room: str, text: str, reply_to: str = "") -> None:
        asked.setdefault(room, []).append(discord.say(room, discord.ada, text, reply_to=reply_to or None))

    thread, aside = discord.create_thread(ask, "deep water"), discord.create_thread(discord.general, "aside")
    discord.say(discord.general, discord.linus, "Nobody asks the bot.")
    say(discord.general, f"<@{discord.bot_user}> Two?")
    say(ask, "First of all?")
    say(thread, "In the thread of the channel?")
    say(discord.general, "And three?", here.bot_messages(discord.general)[0].message)
    say(direct, "Are you there?")
    say(aside, f"<@{discord.bot_user}> Aside?")
    say(ask, "And then?")
    say(ask, "And at last?")
    discord.say(old, discord.ada, f"<@{discord.bot_user}> Long ago?", ago=7200.0)
    await here.start()
    assert await caught_up(here, caplog) == 8
    await here.until(lambda: all(answered(here, room) == asked[room] for room in asked))
    assert answered(here, old) == []
    assert len(here.playground.openai.streams) == 10
    await here.stop()
    await here.start()
    assert await caught_up(here, caplog) == 0
    assert len(here.playground.openai.streams) == 10
    assert here.refusals == []


async def test_a_bot_that_was_killed_has_lost_nothing(here: World, ask: str, caplog: pytest.LogCaptureFixture):
    """The kill comes before it was noted until when everything was heard."""
    discord = here.playground.discord
    await here.start()
    await caught_up(here, caplog)
    asked = [discord.say(ask, discord.ada, f"{number}?") for number in range(3)]
    await here.until(lambda: answered(here, ask) == asked)
    await here.kill()
    asked += [discord.say(ask, discord.ada, f"{number}?") for number in range(3, 6)]
    await here.start()
    assert await caught_up(here, caplog) == 3
    asked.append(discord.say(ask, discord.ada, "And now?"))
    await here.until(lambda: answered(here, ask) == asked)


async def test_neither_a_drop_nor_a_lost_session_loses_or_doubles_a_question(
    here: World, ask: str, caplog: pytest.LogCaptureFixture
):
    discord = here.playground.discord
    await here.start()
    await caught_up(here, caplog)
    asked: list[str] = []
    for number, trouble in enumerate([discord.drop, discord.reconnect, lambda: discord.invalidate(False)]):
        asked.append(discord.say(ask, discord.ada, f"{number}, before?"))
        trouble()
        asked += [discord.say(ask, discord.ada, f"{number}, meanwhile?") for _ in range(2)]
        await here.until(lambda asked=asked: answered(here, ask) == asked, seconds=NEW_SESSION)
    assert await caught_up(here, caplog) == 2  # for a lost session replays nothing
    asked.append(discord.say(ask, discord.ada, "Afterwards?"))
    await here.until(lambda: answered(here, ask) == asked)
    assert len(here.playground.openai.streams) == len(asked)
