"""Long answers end in a file, and long code is offered as one: once, whatever the platform does."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from bot.core.attaching import COMING, Attaching
from bot.core.dialects import DISCORD
from bot.core.endings import sentence
from bot.core.model import Delta, End, Ended, Ending, Status
from bot.core.pacing import Call
from bot.core.paging import Pager
from bot.errors import Gone, Refused, Rejected, Unreachable
from tests.engine.fake_backend import COMPLETED, SILENCE, says
from tests.engine.fake_platform import Message
from tests.engine.stage import Stage, prompt

WORDS = " ".join(f"word{number}" for number in range(900))  # four pages
CODE = "".join(f"line_{number} = {number}\n" for number in range(400))
TWO_PAGES = Attaching(max_pages=2, code=True)


def stage() -> Stage:
    return Stage(attaching=TWO_PAGES)


def pages(text: str) -> list[str]:
    pager = Pager(DISCORD.budget, DISCORD.measure)
    pager.feed(text)
    return [*pager.sealed, pager.last()]


def with_files(here: Stage) -> list[Message]:
    return [message for message in here.platform.messages if message.files]


def without_files(here: Stage) -> list[str]:
    return [message.text for message in here.platform.messages if not message.files and message.deleted_at is None]


def squeezed(text: str) -> str:
    return "".join(text.split())


async def test_what_is_too_long_for_the_channel_comes_as_a_file():
    here = stage()
    await here.answer(says(WORDS, seconds=30, pieces=300))
    [file] = with_files(here)
    assert without_files(here) == pages(WORDS)[:2]
    assert file is here.platform.messages[-1]
    assert file.text == "-# The rest of the answer is in the file."
    assert [each.name for each in file.files] == ["answer.md"]
    assert squeezed("".join([*without_files(here), file.files[0].text])) == squeezed(WORDS)
    row = here.store.row("q1")
    assert row.answer == WORDS
    assert file.id not in row.turn.messages, "it is no page: a second attempt must not write into it"
    assert here.platform.refused == []


@pytest.mark.parametrize("effect", [True, False])
async def test_a_message_that_says_that_a_file_comes_is_removed_also_where_its_call_was_not_answered(effect: bool):
    """The last page has no room for it, and the answer ends before it is made again."""
    text = " ".join(f"a2w{number}" for number in range(400))
    here = Stage(attaching=Attaching(max_pages=1))
    end = asyncio.Event()
    answering = asyncio.create_task(here.answer([Delta(text), end, COMPLETED]))
    await here.until(lambda: here.screen)
    here.platform.fail(Call.POST, Unreachable("no answer"), effect=effect)
    await here.until(lambda: len(here.platform.when(Call.POST)) == 2)
    await asyncio.sleep(0.2)
    end.set()
    await answering
    assert len(with_files(here)) == 1
    assert without_files(here) == pages(text)[:1]


async def test_nobody_thinks_that_the_bot_hangs_while_the_file_grows():
    """One call says that a file comes, and none is made until the end."""
    here = stage()
    await here.answer(says(WORDS, seconds=120, pieces=900))
    full_at = 120 * len("".join(pages(WORDS)[:2])) / len(WORDS)
    assert here.shown_at(full_at + 5).endswith(f"-# {COMING}")
    assert here.shown_at(110).endswith(f"-# {COMING}")
    assert COMING not in "".join(here.screen)
    made = [here.since_start(arrival.at) for arrival in here.platform.arrivals if arrival.call is not Call.TYPING]
    assert not [at for at in made if full_at + 5 < at < 110]


@pytest.mark.parametrize("end", [End.STOPPED, End.FAILED, End.LENGTH, End.FILTERED, End.CONNECTION_LOST])
async def test_how_a_long_answer_ended_is_told_with_the_file(end: End):
    here = stage()
    ending = await here.answer([*says(WORDS, seconds=20, pieces=200)[:-1], Ended(Ending(end))])
    assert len(with_files(here)) == 1
    assert ending.end is end
    assert here.screen == [*pages(WORDS)[:2], f"-# The answer goes on in the file. {sentence(ending)}"]
    assert here.store.row("q1").turn.status is ending.status


async def test_a_long_answer_that_is_stopped_keeps_what_was_written_so_far():
    here = stage()
    here.backend.script([Delta(WORDS[:6000]), SILENCE])
    relay = await here.relay()
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(10)
    relay.stop(Ending(End.STOPPED))
    await running
    [file] = with_files(here)
    assert squeezed("".join([*without_files(here), file.files[0].text])) == squeezed(WORDS[:6000])
    assert file.text.endswith("Stopped.")


async def test_an_answer_stopped_before_its_last_page_is_full_has_no_file():
    here = stage()
    await here.answer([Delta(WORDS[:3000]), 2.0, Ended(Ending(End.STOPPED))])
    assert with_files(here) == []
    assert here.screen[-1].endswith("\n\n-# Stopped.")


async def test_files_that_are_rejected_are_shown_as_pages(caplog: pytest.LogCaptureFixture):
    here = stage()
    here.platform.fail(Call.ATTACH, Rejected("the bot needs Attach Files in this channel"))
    ending = await here.answer(says(WORDS, seconds=30, pieces=300))
    assert ending == Ending(End.COMPLETED)
    assert here.screen == pages(WORDS)
    assert len(here.store.row("q1").turn.messages) == len(pages(WORDS))
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == ["call.rejected"]


async def test_a_stopped_answer_whose_file_is_rejected_says_so_under_its_last_page():
    here = stage()
    here.platform.fail(Call.ATTACH, Rejected("no files here"))
    await here.answer([Delta(WORDS), 5.0, Ended(Ending(End.STOPPED))])
    assert here.screen == [*pages(WORDS)[:-1], f"{pages(WORDS)[-1]}\n\n-# Stopped."]


@pytest.mark.parametrize("effect", [False, True])
async def test_files_without_an_answer_are_attached_again_and_appear_once(effect: bool):
    here = stage()
    here.platform.fail(Call.ATTACH, *[Unreachable("no answer")] * 3, effect=effect)
    await here.answer(says(WORDS, seconds=5, pieces=50))
    assert len(with_files(here)) == 1
    assert COMING not in "".join(here.screen)


async def test_a_refused_file_is_waited_for():
    here = stage()
    here.platform.fail(Call.ATTACH, Refused(3.0))
    await here.answer(says(WORDS, seconds=5, pieces=50))
    assert len(with_files(here)) == 1
    assert without_files(here) == pages(WORDS)[:2]


async def test_a_channel_that_is_gone_before_the_file_ends_the_answer_quietly():
    here = stage()
    here.platform.fail(Call.ATTACH, Gone("no such channel"))
    await here.answer(says(WORDS, seconds=5, pieces=50))
    assert with_files(here) == []
    assert here.store.row("q1").turn.status is Status.DONE


@pytest.mark.parametrize("killed_at", [10.0, 19.9, 20.05, 20.15, 20.3])
async def test_a_second_attempt_at_a_long_answer_ends_with_the_same_screen(killed_at: float):
    """Killed while it writes, while the file is on its way, and when it is there."""
    here = stage()
    here.backend.script(says(WORDS, seconds=20, pieces=200))
    here.store.latency = 1.0  # so the end is not stored yet
    running = asyncio.create_task((await here.relay()).run())
    await asyncio.sleep(killed_at)
    running.cancel()
    here.store.fail("finish", 100)
    await asyncio.gather(running, return_exceptions=True)
    here.store = type(here.store)(0.0, here.store.rows, here.store.conversations)
    await here.store.requeue(here.store.row("q1").turn)
    here.backend.script(says(WORDS, seconds=1, pieces=10))
    await (await here.relay()).run()
    assert without_files(here) == pages(WORDS)[:2]
    assert [message.text for message in with_files(here)] == ["-# The rest of the answer is in the file."]


async def test_long_code_is_offered_as_a_file_under_the_name_that_it_should_have():
    here = Stage(attaching=Attaching(max_pages=8, code=True))
    await here.answer(says(f"Save this as:\n\n**pond.py**\n```python\n{CODE}```\n\nDone.", seconds=10, pieces=100))
    [file] = with_files(here)
    assert file.text == "-# The long code block as a file."
    assert [(each.name, each.text) for each in file.files] == [("pond.py", CODE)]
    assert here.screen[-2].endswith("Done.")
    assert here.platform.refused == []


async def test_code_is_offered_in_the_same_message_as_the_rest():
    here = stage()
    await here.answer([Delta(f"```python\n{CODE}```\n\n{WORDS}"), COMPLETED])
    [file] = with_files(here)
    assert [each.name for each in file.files] == ["answer.md", "code.py"]
    assert len(here.platform.when(Call.ATTACH)) == 1


async def test_a_turn_that_breaks_leaves_no_cursor_behind():
    """A bug in an adapter: the sentence stands where the answer seemed to go on."""
    here = stage()
    here.backend.script(says(WORDS[:1500], seconds=20, pieces=200))
    here.platform.fail(Call.EDIT, KeyError("id"))
    async with here.open() as dispatcher:
        await dispatcher.receive(prompt())
        await dispatcher.quiet(prompt().channel)
    assert here.screen == [sentence(Ending(End.FAILED))]


async def test_where_it_says_nothing_of_files_there_are_none():
    here = Stage(attaching=replace(TWO_PAGES, max_pages=0, code=False))
    await here.answer(says(f"{WORDS}\n```\n{CODE}```", seconds=10, pieces=100))
    assert with_files(here) == []
    assert len(here.screen) > 4
