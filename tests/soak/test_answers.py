"""Which questions have not exactly one answer is seen, also where somebody stopped, edited or deleted one."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.timeline import Moment
from tests.cli.program import Folder
from tests.crash.answers import answer_to
from tests.crash.verdict import Asked
from tests.soak.report import answers_wrong
from tests.soak.world import Evening, World

LINE = answer_to(1, "line")
HALF = LINE[: len(LINE) // 2].rpartition(" ")[0]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One question in a room of Discord."""
    world = World(Evening("chat", 1.0), Folder(tmp_path))
    world.asked.append(Asked(1, "R", "101", "", LINE))
    return world


def show(world: World, message: str, text: str, reply_to: str = "") -> None:
    moment = Moment(2.0, "discord", "R", "posted", message, text=text, reply_to=reply_to, bot=True)
    world.screen[message] = moment


def test_one_complete_answer_is_right(world: World):
    show(world, "201", LINE)
    fates, wrong = answers_wrong(world)
    assert wrong == []
    assert fates["answered"] == 1


def test_no_answer_is_wrong(world: World):
    assert answers_wrong(world)[1] == ["q1 is lost: there is nothing"]


def test_half_an_answer_is_wrong(world: World):
    show(world, "201", HALF)
    assert answers_wrong(world)[1][0].startswith("q1 is lost: it ends after")


def test_two_answers_are_wrong(world: World):
    show(world, "201", LINE)
    show(world, "202", LINE)
    assert answers_wrong(world)[1][0].startswith("q1 is doubled")


def test_a_disturbed_question_may_have_half_an_answer_or_none(world: World):
    world.disturbed.add(1)
    assert answers_wrong(world)[1] == []
    show(world, "201", f"{HALF}\n\n-# Stopped.")
    assert answers_wrong(world)[1] == []


def test_a_disturbed_question_has_no_two_answers(world: World):
    world.disturbed.add(1)
    show(world, "201", HALF)
    show(world, "202", LINE)
    assert answers_wrong(world)[1] == ["q1 is doubled, though it was disturbed"]


def test_the_sentence_of_a_disturbed_question_is_not_taken_for_that_of_another(world: World):
    """Else a question that is lost would seem to have failed visibly."""
    world.asked.append(Asked(2, "R", "102", "", answer_to(2, "line")))
    world.disturbed.add(2)
    show(world, "201", "-# The model failed. Write `!retry` to ask again.", reply_to="102")
    assert answers_wrong(world)[1] == ["q1 is lost: there is nothing"]
