"""Who is next, and who is sent away."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.endings import sentence
from bot.core.line import UNBOUNDED, Capacity, Line
from bot.core.model import Channel, Ending

CHANNELS = [Channel("discord", name) for name in "abcdef"]


def seated(line: Line) -> list[str]:
    """Who gets a place now, one after another."""
    names: list[str] = []
    while channel := line.seat():
        names.append(channel.id)
    return names


def line_of(questions: str, places: int) -> Line:
    """Channels by their letters ask in this order."""
    line = Line(places)
    for number, name in enumerate(questions, 1):
        line.ask(Channel("discord", name), number)
    return line


def test_places_go_to_the_oldest_questions():
    line = line_of("abcd", 2)
    assert seated(line) == ["a", "b"]
    line.leave(Channel("discord", "b"))
    assert seated(line) == ["c"]


def test_a_channel_that_has_had_an_answer_stands_where_its_next_question_came():
    a = Channel("discord", "a")
    for questions, expected in [("aabc", ["a"]), ("abac", ["b"])]:
        line = line_of(questions, 1)
        assert seated(line) == ["a"]
        line.begun(a, 1)
        assert not line.stays(a)
        line.leave(a)
        line.stand(a)
        assert seated(line) == expected


def test_a_channel_for_whose_place_nobody_waits_stays_while_it_has_questions():
    a = Channel("discord", "a")
    line = line_of("aa", 1)
    assert seated(line) == ["a"]
    line.begun(a, 1)
    assert line.stays(a)
    line.begun(a, 2)
    assert not line.stays(a)


def test_who_jumps_the_line_takes_no_place_from_others_and_gives_it_back():
    a, b = CHANNELS[:2]
    line = line_of("abbc", 1)
    assert seated(line) == ["a"]
    line.jump(b)
    assert b not in line
    line.begun(b, 2)
    line.leave(a)
    assert seated(line) == [], "two had places where there is one"
    assert not line.stays(b)
    line.leave(b)
    line.stand(b)
    assert seated(line) == ["b"]


@given(
    st.integers(0, 3),
    st.lists(st.tuples(st.sampled_from(["ask", "answer", "stop"]), st.integers(0, len(CHANNELS) - 1)), max_size=60),
)
def test_every_question_gets_its_answer_once_and_no_more_run_than_there_are_places(
    places: int, steps: Sequence[tuple[str, int]]
):
    """Whatever the order in which channels ask, end their answers and jump the line."""
    line = Line(places)
    queue: dict[Channel, list[int]] = {channel: [] for channel in CHANNELS}  # the table of turns
    running: dict[Channel, bool] = {}  # whether it jumped
    answered: list[int] = []

    def seat() -> None:
        while channel := line.seat():
            others = [queue[other][0] for other in CHANNELS if other in line]
            assert all(queue[channel][0] < other for other in others), "an older question waits"
            running[channel] = False
        assert not places or len([jumped for jumped in running.values() if not jumped]) <= places
        assert {channel for channel in CHANNELS if channel in line} == {
            channel for channel in CHANNELS if queue[channel] and channel not in running
        }

    def answer(channel: Channel) -> None:
        turn = queue[channel].pop(0)
        answered.append(turn)
        line.begun(channel, turn)
        if not line.stays(channel):
            del running[channel]
            line.leave(channel)
            line.stand(channel)

    asked = 0
    for step, number in steps:
        channel = CHANNELS[number]
        if step == "ask":
            asked += 1
            queue[channel].append(asked)
            line.ask(channel, asked)
        elif step == "answer" and channel in running:
            answer(channel)
        elif step == "stop" and channel in line:
            line.jump(channel)
            running[channel] = True
        seat()
    while running:
        answer(next(iter(running)))
        seat()
    assert sorted(answered) == list(range(1, asked + 1))


def test_thousands_stand_in_line_in_order():
    line = Line(1)
    for number in range(1, 5001):
        line.ask(Channel("discord", str(number)), number)
    for number in range(1, 5001):
        channel = line.seat()
        assert channel is not None
        assert channel.id == str(number)
        line.begun(channel, number)
        line.leave(channel)
    assert line.seat() is None


# Capacity


@given(st.integers(0, 1000), st.integers(0, 1000), st.booleans())
def test_without_limits_nothing_is_refused(queued: int, in_all: int, running: bool):
    assert UNBOUNDED.refusal(queued, in_all, running=running) is None


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (10, "There are already 10 questions waiting here. Ask again after the next answer."),
        (1, "There is already a question waiting here. Ask again after the next answer."),
    ],
)
def test_a_refusal_says_how_many_wait(waiting: int, words: str):
    capacity = Capacity(waiting=waiting)
    assert capacity.refusal(waiting, waiting, running=False) is None
    refusal = capacity.refusal(waiting, waiting, running=True)
    assert isinstance(refusal, Ending)
    assert sentence(refusal) == words
