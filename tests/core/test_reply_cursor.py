"""The cursor: it shows that more is coming, where it does not change what the text means, and never stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from bot.core.actions import Post
from bot.core.dialects import DISCORD, SLACK, TERMINAL, Dialect
from bot.core.model import End, Ending
from bot.core.pacing import Idle
from bot.core.reply import Reply
from tests.core.reply_screen import DIALECTS, ENDS, MARKDOWN, Screen, drive, steps, write
from tests.cursor import MARK


@pytest.mark.parametrize(
    ("dialect", "text", "shown"),
    [
        (DISCORD, "Some words", "Some words ▌"),
        (DISCORD, "Some words\n\n", "Some words ▌"),
        (SLACK, "- one\n- two", "- one\n- two ▌"),
        (DISCORD, "```py\nx = 1", "```py\nx = 1\n```\n▌"),
        (SLACK, "```py\nx = 1\n```", "```py\nx = 1\n```\n▌"),
        (SLACK, "> ~~~\n> x\n> ~~~", "> ~~~\n> x\n> ~~~\n▌"),
        (SLACK, "| a | b |\n|---|---|\n| 1 | 2 |\n", "| a | b |\n|---|---|\n| 1 | 2 |\n\n▌"),
        (SLACK, "Above\n\n* * *\n", "Above\n\n* * *\n\n▌"),
        (TERMINAL, "Some words", "Some words"),
    ],
)
def test_it_stands_in_the_last_line_unless_that_must_stay_bare(dialect: Dialect, text: str, shown: str):
    """A fence's end with anything behind it is code; a line below a table is a row; a rule is nothing but its marks."""
    reply = Reply(dialect)
    reply.feed(text, 0.0)
    assert reply.next_action() == Post(0, shown)


def test_it_stands_on_its_own_line_below_a_table_that_discord_shows_as_code():
    reply = Reply(DISCORD)
    reply.feed("| a | b |\n|---|---|\n| 1 | 2 |", 0.0)
    action = reply.next_action()
    assert isinstance(action, Post)
    assert action.text.endswith("```\n▌")


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
@given(how=steps(MARKDOWN), end=ENDS)
@settings(max_examples=150)
def test_only_the_page_being_written_has_one_and_none_has_one_at_the_end(
    dialect: Dialect, how: list[tuple[str, str]], end: End
):
    """Whatever happens to the calls."""
    reply, screen = Reply(dialect), Screen()
    drive(reply, screen, how, None)
    for moment in screen.moments:
        assert all(MARK not in text for text in moment[:-1])
    drive(reply, screen, [], Ending(end))
    assert all(MARK not in text for text in screen.messages.values())


def test_a_stream_that_goes_quiet_keeps_it():
    reply, screen = Reply(DISCORD), Screen()
    drive(reply, screen, [("feed", "Some words"), ("taken", "")], None)
    assert reply.next_action() == Idle()
    assert list(screen.messages.values()) == ["Some words ▌"]


def test_what_the_model_does_instead_of_writing_takes_its_place():
    reply, screen = Reply(DISCORD), Screen()
    drive(reply, screen, [("feed", "Some words"), ("taken", "")], None)
    reply.work("Searching the web", 2.0)
    write(reply, screen, "taken")
    assert list(screen.messages.values()) == ["Some words\n\n-# Searching the web…"]


def test_a_page_without_room_for_it_has_none():
    """What is rendered may take all of a message."""
    fills = "{:x<219}".format
    reply = Reply(replace(DISCORD, budget=220, render=fills))
    reply.feed("Some words", 0.0)
    assert reply.next_action() == Post(0, "Some words".ljust(219, "x"))


def test_a_page_that_goes_on_below_loses_it_before_the_next_one_is_posted():
    reply, screen = Reply(replace(DISCORD, budget=220)), Screen()
    drive(reply, screen, [("feed", "word " * 35), ("taken", ""), ("feed", "word " * 20), *[("taken", "")] * 2], None)
    states = [[text.endswith(MARK) for text in moment] for moment in screen.moments]
    assert states == [[True], [False], [False, True]]
