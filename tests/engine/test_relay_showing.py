"""What a reader sees while an answer comes, and when."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from bot.core.dialects import DISCORD, TERMINAL
from bot.core.model import Delta, End, Ended, Ending, Place, Status, Working
from bot.core.pacing import Call
from bot.errors import Gone, Refused, Rejected, Unreachable
from tests.cursor import without_cursor
from tests.engine.fake_backend import COMPLETED, SILENCE, Step, says
from tests.engine.fake_platform import FakePlatform
from tests.engine.stage import Stage

WORDS = " ".join(f"word{number}" for number in range(220))


def spoken(steps: list[Step], seconds: float) -> str:
    """How much of a script the model has said after so many seconds."""
    text = ""
    for step in steps:
        match step:
            case int() | float():
                seconds -= step
            case Delta(piece) if seconds >= -1e-9:
                text += piece
            case _:
                pass
    return text


async def test_the_first_words_appear_at_once():
    stage = Stage()
    await stage.answer(says(WORDS, seconds=20, pieces=100, first=1.0))
    first = stage.message.states[0]
    assert stage.since_start(first.at) <= 1.0 + DISCORD.first_words + stage.platform.latency
    assert len(first.text.split()) >= 4
    assert stage.message.first


async def test_an_answer_grows_and_its_final_state_is_exact():
    stage = Stage()
    ending = await stage.answer(says(WORDS, seconds=20, pieces=200))
    texts = stage.growth
    assert ending == Ending(End.COMPLETED)
    assert texts[-1] == WORDS
    assert len(texts) >= 10
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    row = stage.store.row("q1")
    assert (row.turn.status, row.answer, row.turn.messages) == (Status.DONE, WORDS, (stage.message.id,))


@pytest.mark.parametrize("headers", [True, False])
@pytest.mark.parametrize("seconds", [0.5, 3, 5, 10, 30, 180])
async def test_the_final_state_hardly_waits_for_a_window(seconds: float, headers: bool):
    """0.6 s before a window comes back its last permit may have been spent on progress."""
    stage = Stage(FakePlatform(headers=headers))
    await stage.answer(says(WORDS, seconds=seconds, pieces=220))
    assert stage.since_start(stage.message.states[-1].at) <= seconds + 0.6 + 2 * stage.platform.latency
    assert stage.platform.refused == []


@pytest.mark.parametrize("headers", [True, False])
async def test_readers_are_never_far_behind_and_a_stalled_model_hides_nothing(headers: bool):
    """Half a minute of text, then silence: what is shown never lacks more than what came in the last two seconds."""
    stage = Stage(FakePlatform(headers=headers))
    steps = says(WORDS, seconds=30, pieces=220)[:-1]
    await stage.answer([*steps, 20.0, COMPLETED])
    for tenth in range(20, 490):
        seconds = tenth / 10
        assert len(stage.shown_at(seconds)) >= len(spoken(steps, seconds - 2.5).rstrip()), seconds
    assert stage.shown_at(32) == WORDS
    assert stage.platform.refused == []


async def test_text_that_came_while_a_write_was_waiting_is_in_it():
    """A platform of one edit in ten seconds: each edit holds everything that the model had said when it was made."""
    stage = Stage(FakePlatform(windows={Call.POST: (5, 5.0), Call.EDIT: (2, 20.0)}, headers=False))
    steps = says(WORDS, seconds=60, pieces=440)
    await stage.answer(steps)
    for state in stage.message.states[1:-1]:
        made = stage.since_start(state.at) - stage.platform.latency / 2
        assert len(without_cursor(state.text)) >= len(spoken(steps, made - 0.01).rstrip())
    assert 4 <= len(stage.message.states) <= 10


async def test_a_permit_for_an_edit_is_not_spent_on_a_post():
    """Text that comes between the permit and the write may move on to another page: that takes a permit of its own."""
    dialect, windows = replace(DISCORD, budget=220), {Call.POST: (1, 10.0), Call.EDIT: (1, 1.0)}
    stage = Stage(FakePlatform(dialect=dialect, windows=windows, headers=False))
    first, second, more = "first " * 25, f"**{'second ' * 20}end**", asyncio.Event()
    stage.backend.script([Delta(first), 1.0, Delta(second[:40]), more, Delta(second[40:]), 1.0, COMPLETED])
    held = await stage.gate.side_call(Call.EDIT, Place("r1"))
    running = asyncio.create_task((await stage.relay()).run())
    await asyncio.sleep(5)  # the page is shown as it will be sealed, and an edit is waiting
    more.set()
    held.unused()
    await running
    assert stage.screen == [first.strip(), second.strip()]
    assert stage.platform.refused == []


async def test_a_slow_platform_does_not_slow_the_reading():
    stage = Stage(FakePlatform(latency=5.0))
    await stage.answer(says(WORDS, seconds=3, pieces=30))
    [stream] = stage.backend.streams
    assert stage.since_start(stream.closed_at) == 3.0
    assert stage.screen == [WORDS]
    assert stage.platform.most_at_once == 1


async def test_one_call_of_a_reply_is_under_way_at_a_time():
    stage = Stage(FakePlatform(latency=0.7))
    await stage.answer(says(WORDS * 3, seconds=20, pieces=220))
    assert stage.platform.most_at_once == 1
    assert len(stage.screen) == 3


async def test_a_long_answer_goes_on_below_and_only_its_first_page_is_a_reply():
    stage = Stage()
    await stage.answer(says(WORDS * 3, seconds=20, pieces=220))
    assert [message.first for message in stage.platform.messages] == [True, False, False]
    assert all(len(text) <= 2000 for text in stage.screen)
    assert "".join("".join(stage.screen).split()) == "".join((WORDS * 3).split())
    assert stage.store.row("q1").turn.messages == tuple(message.id for message in stage.platform.messages)
    assert stage.platform.refused == []


async def test_many_answers_in_one_channels_budget_are_all_shown_without_a_refusal():
    """Eight replies share five edits in five seconds, as threads of one workspace would."""
    stage = Stage()
    relays = [await stage.relay(f"q{number}") for number in range(8)]
    stage.backend.script(*[says(WORDS, seconds=20, pieces=200) for _ in relays])
    await asyncio.gather(*[relay.run() for relay in relays])
    assert stage.screen == [WORDS] * 8
    assert stage.platform.refused == []
    assert all(len(message.states) >= 2 for message in stage.platform.messages)


async def test_replies_of_different_channels_do_not_wait_for_each_other():
    stage = Stage()
    relays = [await stage.relay(f"q{number}", room=f"r{number}") for number in range(20)]
    stage.backend.script(*[says(WORDS, seconds=10, pieces=100) for _ in relays])
    await asyncio.gather(*[relay.run() for relay in relays])
    assert stage.now <= 10.5
    assert stage.platform.refused == []


async def test_a_terminal_prints_each_piece_once():
    stage = Stage(FakePlatform(name="terminal", dialect=TERMINAL, windows={}, latency=0.0))
    steps: list[Step] = [0.1, Delta("One"), 0.1, Delta(" two"), 0.1, Delta(" three"), COMPLETED]
    await stage.answer(steps)
    assert [state.text for state in stage.message.states] == ["One", "One two", "One two three"]


async def test_typing_is_shown_from_the_start_until_the_first_page():
    stage = Stage()
    await stage.answer(says("Hello there, dear Ada.", first=30.0))
    posted = stage.message.states[0].at
    typing = [stage.since_start(at) for at in stage.platform.when(Call.TYPING)]
    assert typing[0] <= 0.1
    assert all(later - earlier <= 8.2 for earlier, later in zip(typing, [*typing[1:], 30.0], strict=True))
    assert all(at < posted for at in stage.platform.when(Call.TYPING))


async def test_typing_is_not_shown_again_while_the_first_page_is_on_its_way():
    """The first words come just before the eight seconds are over; typing again would stay on for ten seconds more."""
    stage = Stage(FakePlatform(latency=0.4))
    await stage.answer([8.35, Delta("Hello there, dear Ada, good morning."), 3.0, COMPLETED])
    posted = stage.message.states[0].at
    assert stage.platform.when(Call.TYPING)
    assert all(at < posted for at in stage.platform.when(Call.TYPING))


@pytest.mark.parametrize("error", ["refused", "unreachable", "gone", "rejected"])
async def test_typing_that_fails_does_not_hurt_the_answer(error: str):
    errors = {
        "refused": Refused(2.0),
        "unreachable": Unreachable("no answer"),
        "gone": Gone("no permission"),
        "rejected": Rejected("not here"),
    }
    stage = Stage()
    stage.platform.fail(Call.TYPING, errors[error])
    assert await stage.answer(says("Hello.", first=1.0)) == Ending(End.COMPLETED)
    assert stage.screen == ["Hello."]


async def test_an_answer_that_shows_nothing_for_long_leaves_no_typing_behind():
    stage = Stage(timeouts=replace(Stage().timeouts, first_token=20.0))
    await stage.answer([SILENCE])
    last = stage.platform.when(Call.TYPING)[-1]
    assert last < stage.message.states[0].at
    await asyncio.sleep(60)
    assert stage.platform.when(Call.TYPING)[-1] == last


async def test_a_model_that_thinks_for_long_says_so_and_the_words_go_with_the_first_text():
    stage = Stage()
    await stage.answer([Working("Thinking"), 20.0, Delta("Well, it depends on the weather."), 2.0, COMPLETED])
    assert stage.platform.when(Call.POST)[0] - stage.start == pytest.approx(5.04)
    assert stage.shown_at(19) == "-# Thinking…"
    assert stage.shown_at(20.2) == "Well, it depends on the weather."
    assert len(stage.platform.messages) == 1


async def test_a_model_that_thinks_shortly_only_types():
    stage = Stage()
    await stage.answer([Working("Thinking"), 4.0, Delta("Well, it depends."), 1.0, COMPLETED])
    assert stage.growth == ["Well, it depends."]
    assert stage.platform.when(Call.TYPING)


async def test_what_a_model_does_in_the_middle_of_an_answer_is_said_below_it():
    """Once all of the text so far is shown; and it is gone with the next text."""
    stage = Stage()
    steps: list[Step] = [Delta("Let me look that up."), Working("Searching the web"), 6.0, Delta(" Here it is.")]
    await stage.answer([*steps, 2.0, COMPLETED])
    assert stage.shown_at(1) == "Let me look that up."
    assert stage.shown_at(5) == "Let me look that up.\n\n-# Searching the web…"
    assert stage.screen == ["Let me look that up. Here it is."]


@pytest.mark.parametrize("end", [Ended(Ending(End.COMPLETED)), ValueError("broken")])
async def test_what_a_model_did_last_is_not_left_on_the_screen(end: Step):
    stage = Stage()
    await stage.answer([Delta("Let me look."), Working("Searching the web"), 6.0, end])
    assert "Searching" in stage.shown_at(5)
    assert "Searching" not in "".join(stage.screen)
