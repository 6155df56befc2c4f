"""Answers that are too long for a channel, and long code: on both platforms, through their own libraries."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from playground.discord.permissions import Permission
from playground.openai.faults import Incomplete
from playground.openai.script import Script
from playground.timeline import Moment
from tests.cursor import MARK
from tests.e2e.world import World, world

WORDS = " ".join(f"word{number}" for number in range(4000))  # 36,000 characters: 18 messages on Discord, 3 on Slack


@pytest.fixture
async def here(tmp_path: Path) -> AsyncGenerator[World]:
    async with world(tmp_path, bot={"max_pages": 2}) as found:
        await found.start()
        yield found


def room_of(here: World, platform: str) -> str:
    return here.playground.discord.general if platform == "discord" else here.playground.slack.general


def ask(here: World, platform: str) -> str:
    """The room in which the question was asked."""
    if platform == "discord":
        here.ask_discord("Tell me everything.")
    else:
        here.ask_slack("Tell me everything.")
    return room_of(here, platform)


async def with_files(here: World, room: str) -> Moment:
    """The one message with files, when it is there and the answer has ended."""
    await here.until(lambda: any(moment.files for moment in here.bot_messages(room)))
    await here.until(lambda: "comes as a file" not in "".join(here.texts(room)))
    [message] = [moment for moment in here.bot_messages(room) if moment.files]
    return message


def contents(here: World, message: Moment) -> list[tuple[str, str]]:
    stand_in = here.playground.discord if message.platform == "discord" else here.playground.slack
    return [(name, content.decode()) for name, content in (stand_in.file(file.id) for file in message.files)]


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("platform", ["discord", "slack"])
async def test_what_two_messages_do_not_hold_is_in_a_file_below_them(here: World, platform: str):
    here.model_says(WORDS)
    room = ask(here, platform)
    message = await with_files(here, room)
    first, second, last = here.bot_messages(room)
    assert last == message
    assert "The rest of the answer is in the file." in message.text
    [(name, rest)] = contents(here, message)
    assert name == "answer.md"
    assert squeezed(first.text + second.text + rest) == squeezed(WORDS)
    assert WORDS.endswith(rest)
    assert here.refusals == []


@pytest.mark.parametrize("platform", ["discord", "slack"])
async def test_400_lines_of_code_are_offered_as_a_file_with_their_name(tmp_path: Path, platform: str):
    async with world(tmp_path, bot={"max_pages": 0}) as here:
        await here.start()
        longer = "" if platform == "discord" else "  # a comment, since a message of Slack holds more"
        code = "".join(f"print({number}){longer}\n" for number in range(400))
        here.model_says(f"Save this:\n\n```python title=pond.py\n{code}```\n\nDone.")
        room = ask(here, platform)
        message = await with_files(here, room)
        assert contents(here, message) == [("pond.py", code)]
        assert "The long code block as a file." in message.text
        pages = here.texts(room)[:-1]
        assert pages[-1].endswith("Done.")
        assert sum(page.count("print(") for page in pages) == 400
        assert here.refusals == []


async def test_an_answer_that_grows_past_its_last_page_says_that_a_file_comes(here: World):
    room = here.playground.discord.general
    here.model_says(Script(WORDS[:9000], tokens_per_second=900, first_token=0.0))
    here.ask_discord("Tell me everything.")
    await here.until(lambda: "-# The rest comes as a file…" in "".join(here.texts(room)))
    [(_, rest)] = contents(here, await with_files(here, room))
    assert squeezed("".join(here.texts(room)[:2]) + rest) == squeezed(WORDS[:9000])
    assert MARK not in "".join(here.texts(room))
    assert here.refusals == []


async def test_a_long_answer_that_is_cut_says_so_with_its_file(here: World):
    room = here.playground.discord.general
    here.model_says(Script(WORDS, fault=Incomplete(after=4000)))
    here.ask_discord("Tell me everything.")
    message = await with_files(here, room)
    assert message.text.startswith("-# The answer goes on in the file. Cut off: the answer reached its maximum length.")


@pytest.mark.parametrize("platform", ["discord", "slack"])
async def test_where_the_bot_may_not_attach_files_the_whole_answer_is_in_messages(here: World, platform: str):
    here.playground.discord.forbid(here.playground.discord.general, Permission.ATTACH_FILES)
    here.playground.slack.scopes.discard("files:write")
    text = WORDS[:9000] if platform == "discord" else WORDS
    here.model_says(text)
    room = ask(here, platform)
    await here.until(lambda: squeezed("".join(here.texts(room))) == squeezed(text))
    assert len(here.texts(room)) >= 3
    assert not [moment for moment in here.bot_messages(room) if moment.files]


async def test_a_restart_in_the_middle_of_a_long_answer_ends_with_one_file(tmp_path: Path):
    async with world(tmp_path, bot={"max_pages": 2, "shutdown_grace": 0.0}) as here:
        await here.start()
        room = here.playground.discord.general
        here.model_says(Script(WORDS, tokens_per_second=400, first_token=0.0))
        here.ask_discord("Tell me everything.")
        await here.until(lambda: "comes as a file" in "".join(here.texts(room)))
        await here.stop()
        assert here.texts(room)[-1].endswith("-# Interrupted: the bot is restarting, and goes on when it is back.")
        assert not [moment for moment in here.bot_messages(room) if moment.files]
        await here.start()
        message = await with_files(here, room)
        assert message.text == "-# The rest of the answer is in the file."
        assert len(here.texts(room)) == 3
        assert MARK not in "".join(here.texts(room))
