"""The reply: whatever the order of deltas, permits, refusals and lost answers, the screen ends equal to the text."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.actions import Delete, Edit, Post, Write
from bot.core.dialects import DISCORD, SLACK, TERMINAL, Dialect
from bot.core.discord_markdown import Measure
from bot.core.endings import sentence
from bot.core.model import End, Ending
from bot.core.pacing import Call, Done, Idle, Need, Urgency
from bot.core.reply import Reply
from tests.core.reply_screen import (
    DIALECTS,
    ENDS,
    MARKDOWN,
    PAGED,
    PLAIN,
    Screen,
    drive,
    pages,
    steps,
    told,
    without_note,
    write,
)
from tests.cursor import without_cursor


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
@given(how=steps(MARKDOWN), end=ENDS)
@settings(max_examples=150)
def test_the_screen_ends_equal_to_the_text(dialect: Dialect, how: list[tuple[str, str]], end: End):
    reply, screen, ending = Reply(dialect), Screen(), Ending(end, "Some detail.")
    drive(reply, screen, how, ending)
    shown = list(screen.messages.values())
    expected = pages(dialect, reply.text, ending)
    assert [page for page in without_note(dialect, shown, told(ending, expected)) if page.strip()] == expected
    assert shown, "nobody is left without an answer"


@pytest.mark.parametrize("dialect", PAGED, ids=lambda d: d.name)
@given(
    first=steps(MARKDOWN),
    unnoted=st.integers(0, 1),
    second=steps(MARKDOWN),
    end=st.sampled_from([End.COMPLETED, End.STOPPED]),
)
@settings(max_examples=150)
def test_a_second_attempt_fills_the_messages_of_the_first_and_removes_what_is_left(
    dialect: Dialect, first: list[tuple[str, str]], unnoted: int, second: list[tuple[str, str]], end: End
):
    """Also when the first attempt's last post was never noted: posting that page again finds it as it was."""
    screen = Screen()
    drive(Reply(dialect), screen, first, None)
    known = list(screen.messages)[: len(screen.messages) - unnoted]
    reply, touched = Reply(dialect, known, resumed=True), set[str]()
    screen.touched = touched
    drive(reply, screen, second, Ending(end))
    expected = pages(dialect, reply.text, Ending(end))
    shown = [text for message, text in screen.messages.items() if message in touched or message in known]
    assert without_note(dialect, shown, told(Ending(end), expected)) == expected


@pytest.mark.parametrize("dialect", PAGED, ids=lambda d: d.name)
@given(how=steps(MARKDOWN), end=ENDS, detail=st.text(max_size=1500))
def test_every_message_fits_at_every_moment(dialect: Dialect, how: list[tuple[str, str]], end: End, detail: str):
    """Whatever a server says in its error: the sentence under the answer fits too."""
    dialect = replace(dialect, budget=1200)
    screen = Screen()
    drive(Reply(dialect), screen, how, Ending(end, detail))
    for moment in screen.moments:
        assert all(dialect.length(text) <= dialect.budget or len(text) <= dialect.budget for text in moment)
        assert all(text.strip() for text in moment), "platforms refuse empty messages"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
@given(how=steps(PLAIN))
def test_nothing_older_is_shown_after_something_newer(dialect: Dialect, how: list[tuple[str, str]]):
    """In plain words every state of the screen is a beginning of the text. It grows, except that a page which is cut
    before its end gives the rest to the next page with the next write."""
    reply, screen = Reply(dialect), Screen()
    drive(reply, screen, how, Ending(End.COMPLETED))
    whole = "".join(reply.text.split())
    states = ["".join("".join(map(without_cursor, moment)).split()) for moment in screen.moments]
    if whole:
        assert all(whole.startswith(state) for state in states)
        shrunk = sum(len(later) < len(earlier) for earlier, later in itertools.pairwise(states))
        assert shrunk < len(screen.messages)


@given(how=steps(MARKDOWN), end=ENDS)
def test_on_a_terminal_each_state_is_a_beginning_of_the_next(how: list[tuple[str, str]], end: End):
    screen = Screen()
    drive(Reply(TERMINAL), screen, how, Ending(end))
    texts = ["".join(moment) for moment in screen.moments]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert all(len(moment) == 1 for moment in screen.moments)


@given(how=steps(MARKDOWN))
def test_what_waits_has_waited_since_its_first_character_came(how: list[tuple[str, str]]):
    """A refused or unanswered write makes its text wait again, from when it came; nothing is counted twice."""
    reply, screen, shows = Reply(DIALECTS[0]), Screen(), False
    arrived: list[tuple[int, int]] = []  # not taken by a write that had effect
    for now, (what, text) in enumerate(how):
        if what == "feed":
            reply.feed(text, now)
        else:
            shows = isinstance(reply.need(), Need)
            write(reply, screen, what, meanwhile=text, now=now)
            if shows and what == "taken":
                arrived.clear()
        if text and (what == "feed" or shows):
            arrived.append((now, len(text)))
        need = reply.need()
        if isinstance(need, Need) and need.chars:
            assert need.chars == sum(chars for _, chars in arrived)
            assert need.since == arrived[0][0]


def test_feeding_does_no_work_on_the_text():
    """A delta costs the same however long the answer is; pages are made when a write is near."""
    looked: list[str] = []

    class Looking(Measure):
        def text(self, text: str) -> int:
            looked.append(text)
            return len(text)

    reply = Reply(replace(DISCORD, measure=Looking()))
    looked.clear()
    for number in range(2000):
        reply.feed("word ", number / 100)
    assert looked == []
    assert isinstance(reply.need(), Need)
    assert looked != []


def test_first_words_wait_a_moment_for_a_few_more_but_no_longer():
    reply = Reply(DISCORD)
    assert reply.need() == Idle()
    reply.feed("Hello", 10.0)
    need = reply.need()
    assert isinstance(need, Need)
    assert (need.call, need.urgency, need.not_before) == (Call.POST, Urgency.FIRST, 10.0 + DISCORD.first_words)
    reply.feed(" there, how are you", 10.1)
    need = reply.need()
    assert isinstance(need, Need)
    assert need.not_before <= 10.1


@pytest.mark.parametrize("dialect", [TERMINAL, replace(DISCORD, first_words=5.0)], ids=["terminal", "ended"])
def test_first_words_do_not_wait_where_nothing_is_won(dialect: Dialect):
    """A terminal notifies nobody; an answer of one word that has ended will not grow."""
    reply = Reply(dialect)
    reply.feed("Yes.", 10.0)
    if not dialect.append_only:
        reply.finish(Ending(End.COMPLETED), 10.2)
    need = reply.need()
    assert isinstance(need, Need)
    assert need.not_before <= 10.0


def test_white_space_alone_is_not_shown():
    for dialect in DIALECTS:
        reply = Reply(dialect)
        reply.feed(" \n\n ", 0.0)
        assert reply.need() == Idle(), dialect.name


def test_the_final_state_is_more_urgent_than_first_words_and_those_than_progress():
    reply = Reply(DISCORD)
    reply.feed("One two three four five.", 0.0)
    seen: list[Urgency] = []
    for _ in range(2):
        need, action = reply.need(), reply.next_action()
        assert isinstance(need, Need)
        assert isinstance(action, Write)
        seen.append(need.urgency)
        reply.done(action, "m1")
        reply.feed(" more", 1.0)
    reply.finish(Ending(End.COMPLETED), 2.0)
    need = reply.need()
    assert isinstance(need, Need)
    assert [*seen, need.urgency] == [Urgency.FIRST, Urgency.PROGRESS, Urgency.FINAL]


@pytest.mark.parametrize("end", End)
def test_an_answer_without_a_word_still_says_something(end: End):
    for dialect in DIALECTS:
        for text in ("", " \n"):
            reply, screen = Reply(dialect), Screen()
            drive(reply, screen, [("feed", text)], Ending(end))
            [shown] = screen.messages.values()
            assert any(char.isalpha() for char in shown)


def test_the_sentence_gets_a_message_of_its_own_where_the_page_is_full():
    dialect = replace(DISCORD, budget=220)
    reply, screen = Reply(dialect), Screen()
    drive(reply, screen, [("feed", "x" * 190)], Ending(End.LENGTH))
    assert list(screen.messages.values()) == ["x" * 190, f"-# {sentence(Ending(End.LENGTH))}"]


def test_a_servers_words_do_not_act_on_slack():
    """An error may quote the question: what it says is as inert as the model's text."""
    reply, screen = Reply(SLACK), Screen()
    drive(reply, screen, [], Ending(End.BAD_REQUEST, "Invalid: <!channel> <https://example.com|here>"))
    [shown] = screen.messages.values()
    assert "<!" not in shown
    assert "<https" not in shown


def test_a_servers_words_stay_on_one_line():
    """Discord's small print ends with its line."""
    reply, screen = Reply(DISCORD), Screen()
    drive(reply, screen, [], Ending(End.BAD_REQUEST, "First line.\nSecond line."))
    [shown] = screen.messages.values()
    assert "\n" not in shown


def test_the_first_ending_counts():
    reply, screen = Reply(DISCORD), Screen()
    reply.finish(Ending(End.STOPPED), 0.0)
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert reply.ending == Ending(End.STOPPED)
    assert list(screen.messages.values()) == ["-# Stopped."]


@given(how=steps(MARKDOWN))
def test_nothing_is_written_into_what_is_lost(how: list[tuple[str, str]]):
    reply, screen = Reply(DIALECTS[0]), Screen()
    drive(reply, screen, how, None)
    reply.lost()
    reply.feed("more", 99.0)
    assert reply.need() == Done()
    assert reply.next_action() == Done()
    reply.finish(Ending(End.STOPPED), 99.0)
    assert reply.next_action() == Done()


def test_leftover_messages_stay_until_the_answer_has_ended():
    """Somebody reads them; the new text may still need them."""
    reply = Reply(DISCORD, ["m1", "m2", "m3"], resumed=True)
    assert reply.visible
    assert reply.next_action() == Idle()
    reply.feed("Short.", 0.0)
    assert reply.next_action() == Edit(0, "m1", "Short. ▌")
    reply.done(Edit(0, "m1", "Short. ▌"))
    assert reply.next_action() == Idle()
    reply.finish(Ending(End.COMPLETED), 1.0)
    for expected in (Edit(0, "m1", "Short."), Delete(2, "m3"), Delete(1, "m2")):
        assert reply.next_action() == expected
        reply.done(expected)
    assert reply.next_action() == Done()


def test_a_page_that_a_lost_answer_may_have_posted_is_brought_up_to_date():
    """A post repeated after silence gives the message that is there, which shows the older text."""
    reply, screen = Reply(DISCORD), Screen()
    reply.feed("Hello", 0.0)
    write(reply, screen, "unheard")
    reply.feed(" world.", 1.0)
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert list(screen.messages.values()) == ["Hello world."]


def test_a_lost_answer_to_a_post_costs_one_edit_of_that_page_alone():
    """The pages posted after it are known: only the one that was posted again may show an older text."""
    reply, screen = Reply(DIALECTS[0]), Screen()
    reply.feed("word " * 30, 0.0)
    write(reply, screen, "unheard")
    reply.feed("word " * 90, 1.0)
    reply.finish(Ending(End.COMPLETED), 1.0)
    calls: list[tuple[type, int]] = []
    while isinstance(action := reply.next_action(), Post | Edit):
        calls.append((type(action), action.page))
        reply.done(action, screen.take(action))
    whole = pages(DIALECTS[0], reply.text)
    assert calls == [(Post, 0), (Edit, 0), *((Post, page) for page in range(1, len(whole)))]
    assert list(screen.messages.values()) == whole


def test_a_page_whose_edit_was_not_answered_does_not_keep_what_has_moved_to_the_next():
    """The seam falls where the page was shown before: without asking again, the end of it would stand twice."""
    dialect = replace(DISCORD, budget=220)
    reply, screen = Reply(dialect), Screen()
    first, second = "first " * 25, f"**{'second ' * 20}end**"
    reply.feed(first, 0.0)
    write(reply, screen, "taken")
    reply.feed(second[:40], 1.0)
    write(reply, screen, "unheard")
    reply.feed(second[40:], 2.0)
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert list(screen.messages.values()) == [first.strip(), second.strip()]


def test_a_further_page_has_waited_as_long_as_the_text_before_it():
    reply = Reply(DISCORD)
    reply.feed("word " * 900, now=3.0)
    first = reply.next_action()
    assert isinstance(first, Post)
    reply.done(first, "m1")
    need = reply.need()
    assert isinstance(need, Need)
    assert (need.call, need.since) == (Call.POST, 3.0)


@pytest.mark.parametrize("dialect", PAGED, ids=lambda d: d.name)
@given(how=steps(MARKDOWN), meanwhile=st.none() | st.sampled_from(["taken", "refused", "vanished", "unheard"]))
def test_a_withdrawn_answer_leaves_nothing_on_the_screen(
    dialect: Dialect, how: list[tuple[str, str]], meanwhile: str | None
):
    """Also what was posted by a call whose answer was lost, the last one perhaps."""
    reply, screen = Reply(dialect), Screen()
    drive(reply, screen, how, None)
    if meanwhile:
        reply.feed("Some more words. ", 99)
        write(reply, screen, meanwhile)
    reply.withdraw()
    drive(reply, screen, [], Ending(End.STOPPED))
    assert screen.messages == {}
    assert reply.messages == ()


@pytest.mark.parametrize("dialect", PAGED, ids=lambda d: d.name)
@given(before=st.integers(80, 300), after=st.integers(0, 200), times=st.integers(1, 3))
def test_an_answer_goes_on_in_another_message_when_a_later_one_was_removed(
    dialect: Dialect, before: int, after: int, times: int
):
    """The messages show the whole text in its order, and the one that is gone is not posted again as itself."""
    reply, screen = Reply(dialect), Screen()
    reply.feed("word " * before, 1)
    for time in range(times):
        while isinstance(action := reply.next_action(), Write):
            reply.done(action, screen.take(action))
        gone = list(screen.messages)[-1]
        del screen.messages[gone]
        reply.feed("\n\nMore words. " + "word " * after, 2)
        action = reply.next_action()
        assert isinstance(action, Edit)
        assert action.message == gone
        assert reply.vanished(action)
        action = reply.next_action()
        assert isinstance(action, Post)
        assert action.again == time + 1
        screen.posted.clear()  # none of these is meant
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert list(screen.messages.values()) == pages(dialect, reply.text)


def test_an_answer_does_not_go_on_without_its_first_message():
    reply = Reply(DISCORD)
    reply.feed("Hello.", 1)
    action = reply.next_action()
    assert isinstance(action, Post)
    reply.done(action, "m0")
    reply.finish(Ending(End.COMPLETED), 2)
    action = reply.next_action()
    assert isinstance(action, Edit)
    assert not reply.vanished(action)


def test_an_answer_does_not_go_on_without_a_first_message_whose_post_had_no_answer():
    """It is this attempt's all the same."""
    reply, screen = Reply(DISCORD), Screen()
    reply.feed("Hello", 0.0)
    write(reply, screen, "unheard")
    write(reply, screen, "taken")
    action = reply.next_action()
    assert isinstance(action, Edit)
    assert not reply.vanished(action)


def test_an_answer_begins_in_another_message_when_the_first_one_was_removed_before_this_attempt():
    """Nobody who removed it wanted to be rid of this answer. From its first write on it is as with any other."""
    reply = Reply(DISCORD, ["m0", "m1"], resumed=True)
    reply.feed("Hello.", 1)
    action = reply.next_action()
    assert isinstance(action, Edit)
    assert action.message == "m0"
    assert reply.vanished(action)
    action = reply.next_action()
    assert isinstance(action, Edit)
    assert action.message == "m1"
    reply.done(action)
    reply.finish(Ending(End.COMPLETED), 2)
    action = reply.next_action()
    assert isinstance(action, Edit)
    assert not reply.vanished(action)


def test_a_post_that_gives_a_page_of_an_earlier_attempt_is_made_as_another_message():
    """The second message was an earlier attempt's second page and is this one's first, since the first was removed."""
    reply = Reply(DISCORD, ["m0", "m1"], resumed=True)
    reply.feed("word " * 500, 1)
    for message, gone in (("m0", True), ("m1", False)):
        action = reply.next_action()
        assert isinstance(action, Edit)
        assert action.message == message
        if gone:
            assert reply.vanished(action)
        else:
            reply.done(action)
    for copy, message in ((1, "m1"), (2, "m2")):
        action = reply.next_action()
        assert isinstance(action, Post)
        assert (action.page, action.again) == (1, copy)
        reply.done(action, message)
    assert reply.messages == ("m1", "m2")


def test_under_the_last_that_was_taken_it_is_said_that_the_rest_was_not():
    reply, screen = Reply(DISCORD, ["old 1", "old 2", "old 3"]), Screen({"old 1": "", "old 2": "", "old 3": ""})
    reply.feed("word " * 30, 1.0)
    write(reply, screen, "taken")
    reply.feed("worse", 2.0)
    assert isinstance(action := reply.next_action(), Edit)
    assert reply.rejected(action, "Blocked")
    reply.finish(Ending(End.STOPPED), 3.0)
    drive(reply, screen, [], Ending(End.COMPLETED))
    note = DISCORD.note("The rest of the answer cannot be shown here. Blocked.")
    assert list(screen.messages.values()) == [f"{('word ' * 30).strip()}\n\n{note}"]
    assert not reply.rejected(action, "Blocked"), "once"
