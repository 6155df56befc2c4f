"""Answers of too many pages, and code of more than a page: what is in messages, what in files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.actions import Attach, Delete, Edit, Post, Write
from bot.core.attaching import COMING, Attaching
from bot.core.dialects import DISCORD, SLACK, Dialect
from bot.core.discord_markdown import Measure
from bot.core.endings import sentence
from bot.core.files import File
from bot.core.model import End, Ending
from bot.core.pacing import Idle
from bot.core.paging import Pager
from bot.core.reply import Reply
from tests.core.reply_screen import ENDS, MARKDOWN, PAGED, Screen, drive, pages, steps, told, without_note, write

TWO_PAGES = Attaching(max_pages=2)
CODE = Attaching(code=True)
SMALL = replace(DISCORD, budget=220)
MORE = st.lists(MARKDOWN, min_size=20, max_size=120).map("".join)
SOME_CODE = "".join(f"line_{number} = {number}\n" for number in range(40))


def rest(dialect: Dialect, source: str) -> str:
    pager = Pager(dialect.budget, dialect.measure)
    pager.feed(source)
    return pager.rest(2)


def written(dialect: Dialect, text: str, end: End = End.COMPLETED, *, attaching: Attaching = TWO_PAGES) -> Screen:
    """A whole answer, shown after each of its words."""
    reply, screen = Reply(dialect, attaching=attaching), Screen()
    drive(
        reply, screen, [step for word in text.split(" ") for step in (("feed", f"{word} "), ("taken", ""))], Ending(end)
    )
    return screen


@pytest.mark.parametrize("dialect", PAGED, ids=lambda d: d.name)
@given(how=steps(MARKDOWN), more=MORE, end=ENDS.filter(lambda end: end is not End.SHUTDOWN))
@settings(max_examples=150)
def test_what_the_pages_do_not_show_is_in_the_file(dialect: Dialect, how: list[tuple[str, str]], more: str, end: End):
    """Whatever happens to the calls; and where everything fits there is no file."""
    reply, screen, ending = Reply(dialect, attaching=TWO_PAGES), Screen(), Ending(end, "Some detail.")
    drive(reply, screen, [*how, ("feed", more)], ending)
    shown, whole = list(screen.messages.values()), pages(dialect, reply.text, ending)
    if len(whole) <= 2:
        assert screen.files == []
        assert without_note(dialect, shown, told(ending, whole)) == whole
    else:
        [attach] = screen.files
        assert shown == whole[:2]
        assert attach.files == (File("answer.md", rest(dialect, reply.text)),)
        assert dialect.render(sentence(ending)) in attach.text
        assert attach.text.startswith(dialect.note("The").rstrip("_"))


def test_when_the_bot_goes_down_the_file_is_left_to_the_next_start():
    screen = written(SMALL, "word " * 200, End.SHUTDOWN)
    assert screen.files == []
    assert list(screen.messages.values())[-1].endswith(SMALL.note(sentence(Ending(End.SHUTDOWN))))
    assert COMING not in "".join(screen.messages.values())


@pytest.mark.parametrize("dialect", PAGED, ids=lambda d: d.name)
@given(how=steps(MARKDOWN), more=MORE, end=ENDS.filter(lambda end: end is not End.SHUTDOWN))
@settings(max_examples=80)
def test_where_files_are_not_taken_all_pages_are_shown(
    dialect: Dialect, how: list[tuple[str, str]], more: str, end: End
):
    reply, screen = Reply(dialect, attaching=replace(TWO_PAGES, code=True)), Screen(takes_files=False)
    ending = Ending(end)
    drive(reply, screen, [*how, ("feed", more)], ending)
    whole = pages(dialect, reply.text, ending)
    shown = list(screen.messages.values())
    assert without_note(dialect, shown, told(ending, whole)) == whole


@pytest.mark.parametrize("dialect", PAGED, ids=lambda d: d.name)
@given(how=steps(MARKDOWN), more=MORE, first_end=st.none() | ENDS.map(Ending))
@settings(max_examples=80)
def test_a_second_attempt_at_the_same_answer_ends_with_the_same_screen(
    dialect: Dialect, how: list[tuple[str, str]], more: str, first_end: Ending | None
):
    """The process was killed while it wrote, or when all was shown and its end not stored yet."""
    screen = Screen()
    first = Reply(dialect, attaching=TWO_PAGES)
    drive(first, screen, [*how, ("feed", more), *[("taken", "")] * 3], first_end)
    end = first_end or Ending(End.COMPLETED)
    second = Reply(dialect, list(screen.messages), resumed=True, attaching=TWO_PAGES)
    drive(second, screen, [("feed", first.text), ("taken", "")], end)
    alone = Screen()
    drive(Reply(dialect, attaching=TWO_PAGES), alone, [("feed", first.text)], end)
    assert list(screen.messages.values()) == list(alone.messages.values())
    assert screen.files == alone.files


def test_while_the_model_writes_on_past_the_last_page_it_is_said_that_a_file_comes():
    """In one call, and no further one is made for text that no page will show; it goes when the file is there."""
    reply, screen = Reply(SMALL, attaching=TWO_PAGES), Screen()
    drive(reply, screen, [step for _ in range(110) for step in (("feed", "word "), ("taken", ""))], None)
    calls = len(screen.moments)
    note = SMALL.note(COMING)
    assert "".join(screen.messages.values()).endswith(note)
    for second in range(100):
        reply.feed("more ", 200.0 + second)
        assert reply.need() == Idle()
    reply.finish(Ending(End.COMPLETED), 300.0)
    write(reply, screen, "taken")
    [attach] = screen.files
    assert attach.text == "-# The rest of the answer is in the file."
    assert "".join(screen.messages.values()).endswith(note)
    assert len(screen.moments) == calls
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert len(screen.moments) == calls + 1
    assert note not in "".join(screen.messages.values())


def test_text_for_the_file_costs_nothing_while_it_comes():
    looked: list[str] = []

    class Looking(Measure):
        def text(self, text: str) -> int:
            looked.append(text)
            return len(text)

    reply, screen = Reply(replace(SMALL, measure=Looking()), attaching=TWO_PAGES), Screen()
    drive(reply, screen, [step for _ in range(110) for step in (("feed", "word "), ("taken", ""))], None)
    looked.clear()
    for second in range(1000):
        reply.feed("more ", 200.0 + second)
        reply.need()
    assert looked == []


def test_a_note_that_has_no_room_on_the_last_page_stands_below_it_and_is_removed():
    dialect = replace(SMALL, budget=200)
    reply, screen = Reply(dialect, attaching=replace(TWO_PAGES, max_pages=1)), Screen()
    drive(reply, screen, [("feed", "x" * 176), ("taken", ""), ("feed", " and more"), *[("taken", "")] * 2], None)
    assert list(screen.messages.values()) == ["x" * 176, dialect.note(COMING)]
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert list(screen.messages.values()) == ["x" * 176]
    assert screen.files[0].files == (File("answer.md", "and more"),)


def test_an_answer_that_is_there_at_once_promises_no_file_before_it_shows_it():
    reply, screen, seen = Reply(SMALL, attaching=TWO_PAGES), Screen(), list[Write]()
    reply.feed("word " * 200, 0.0)
    reply.finish(Ending(End.COMPLETED), 0.0)
    while isinstance(action := reply.next_action(), Write):
        seen.append(action)
        reply.done(action, screen.take(action))
    assert [type(action) for action in seen] == [Post, Post, Attach]


def test_an_answer_that_just_fills_its_pages_needs_no_file():
    whole = "word " * 70
    assert len(pages(SMALL, whole)) == 2
    screen = written(SMALL, whole.strip())
    assert screen.files == []
    assert list(screen.messages.values()) == pages(SMALL, whole)


@pytest.mark.parametrize("end", [End.STOPPED, End.FAILED, End.LENGTH, End.FILTERED, End.TIMED_OUT])
def test_an_ending_is_told_below_the_last_of_the_text(end: End):
    """In the message of the file, which is the lowest; the pages above hold text only."""
    screen = written(SMALL, "word " * 120, end)
    [attach] = screen.files
    assert attach.text == f"-# The answer goes on in the file. {sentence(Ending(end))}"
    assert all(set(page.split()) == {"word"} for page in screen.messages.values())


def test_without_a_limit_every_page_is_a_message():
    screen = written(SMALL, "word " * 500, attaching=Attaching())
    assert len(screen.messages) > 10
    assert screen.files == []


# Code


@pytest.mark.parametrize("dialect", PAGED, ids=lambda d: d.name)
def test_code_longer_than_a_page_is_offered_as_a_file_below_the_answer(dialect: Dialect):
    text = f"Here:\n\n```python title=app.py\n{SOME_CODE}```\n\nDone."
    reply, screen = Reply(dialect, attaching=CODE), Screen()
    drive(reply, screen, [("feed", text)], Ending(End.COMPLETED))
    assert list(screen.messages.values()) == pages(dialect, text)
    assert screen.files == [Attach(dialect.note("The long code block as a file."), (File("app.py", SOME_CODE),))]


@pytest.mark.parametrize("end", [End.STOPPED, End.FAILED, End.LENGTH, End.FILTERED])
def test_code_of_an_answer_that_was_cut_is_no_file(end: End):
    reply, screen = Reply(SMALL, attaching=CODE), Screen()
    drive(reply, screen, [("feed", f"```\n{SOME_CODE}```\n")], Ending(end))
    assert screen.files == []


def test_the_rest_and_the_code_come_together_and_no_two_names_are_the_same():
    text = f"Here:\n\n```md title=answer.md\n{SOME_CODE}```\n\n" + "word " * 60
    reply, screen = Reply(SMALL, attaching=replace(TWO_PAGES, code=True)), Screen()
    drive(reply, screen, [("feed", text)], Ending(End.COMPLETED))
    [attach] = screen.files
    assert attach.text == "-# The rest of the answer is in the first file, the long code block is in the second."
    assert attach.files == (File("answer.md", rest(SMALL, text)), File("answer-2.md", SOME_CODE))


@pytest.mark.parametrize(
    ("blocks", "files", "words"),
    [(2, 2, "The long code blocks as files."), (12, 10, "The first long code blocks as files.")],
)
def test_more_code_blocks_than_a_message_takes_are_not_hidden(blocks: int, files: int, words: str):
    reply, screen = Reply(SMALL, attaching=CODE), Screen()
    drive(reply, screen, [("feed", f"Look:\n\n```js\n{SOME_CODE}```\n\n" * blocks)], Ending(End.COMPLETED))
    [attach] = screen.files
    assert attach.text == SMALL.note(words)
    assert len({file.name for file in attach.files}) == files


def test_code_that_fits_a_page_is_only_there():
    for dialect in (DISCORD, SLACK):
        reply, screen = Reply(dialect, attaching=CODE), Screen()
        drive(reply, screen, [("feed", f"```py\n{SOME_CODE}```\n\n" + "word " * 1000)], Ending(End.COMPLETED))
        assert screen.files == []


def test_files_that_are_not_taken_leave_the_code_on_its_pages():
    text = f"```py\n{SOME_CODE}```"
    reply, screen = Reply(SMALL, attaching=CODE), Screen(takes_files=False)
    drive(reply, screen, [("feed", text)], Ending(End.COMPLETED))
    assert list(screen.messages.values()) == pages(SMALL, text)


def test_files_that_were_not_answered_are_attached_again_as_they_were():
    reply, screen = Reply(SMALL, attaching=TWO_PAGES), Screen()
    reply.feed("word " * 120, 0.0)
    reply.finish(Ending(End.COMPLETED), 0.0)
    for _ in range(2):
        write(reply, screen, "taken")
    for outcome in ("unheard", "refused", "vanished"):
        assert isinstance(reply.next_action(), Attach)
        write(reply, screen, outcome)
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert len(screen.files) == 1


@pytest.mark.parametrize("under_way", [False, True])
def test_a_withdrawn_answer_takes_its_file_away(under_way: bool):
    """Also one whose call was under way; and what is removed is not named any more."""
    reply = Reply(SMALL, attaching=TWO_PAGES)
    reply.feed("word " * 200, 0.0)
    reply.finish(Ending(End.COMPLETED), 0.0)
    while not isinstance(action := reply.next_action(), Attach):
        assert isinstance(action, Post | Edit)
        reply.done(action, f"m{action.page}")
    if under_way:
        reply.withdraw()
    reply.done(action, "file")
    reply.withdraw()
    gone: list[str] = []
    while isinstance(action := reply.next_action(), Delete):
        gone.append(action.message)
        reply.done(action)
    assert gone == ["file", "m1", "m0"]
    assert reply.files == ()
