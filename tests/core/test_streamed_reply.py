"""The streamed reply: whatever a stream takes, refuses or loses, the screen ends equal to the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.actions import Append, Attach, Delete, Edit, Post, Shown, Start, Stop
from bot.core.attaching import Attaching
from bot.core.dialects import SLACK_STREAM
from bot.core.endings import sentence
from bot.core.files import File
from bot.core.model import End, Ending
from bot.core.pacing import Call, Done, Idle, Need, Urgency
from bot.core.paging import Pager
from bot.core.slack_markdown import bytes_of, settled, streamed
from bot.core.streamed_reply import StreamedReply

SMALL = replace(SLACK_STREAM, budget=300)  # small pages, so that short examples have many of them

MARKDOWN = st.sampled_from(
    [
        "word ", "a somewhat longer run of words ", "\n", "\n\n", "```python\n", "\n```\n", "``", "- ", "- item\n",
        "| a | b |\n|---|---|\n", "| 1 | 2 |\n", "<!channel> <@U1> ", "<", "!here>", "<https://a.b", "|label>",
        "**bold",
        "x" * 90, "日本語", " ", "", "\r", "<!DOCTYPE html>\n", "# Head\n", "\u3000", "👩‍👩‍👧‍👦",
    ]
)  # fmt: skip
# taken; refused by a limit; no answer, and nothing happened; no answer, though it was taken; never accepted; the
# stream has ended of age; a person has stopped it
OUTCOMES = st.sampled_from(["taken"] * 6 + ["refused", "vanished", "unheard", "rejected", "expired", "stopped"])
ENDS = st.sampled_from(list(End))
STEPS = st.lists(
    st.tuples(st.just("feed"), MARKDOWN) | st.tuples(OUTCOMES, st.just("") | MARKDOWN) | st.just(("age", "")),
    max_size=60,
)


@dataclass
class Screen:
    """What Slack shows. A live stream takes no edits, and what is appended loses the white space it begins with."""

    messages: dict[str, str] = field(default_factory=dict[str, str])
    live: set[str] = field(default_factory=set[str])
    started: set[str] = field(default_factory=set[str])  # as streams, and not refused to be edited since
    made: dict[int, str] = field(default_factory=dict[int, str])
    moments: list[list[str]] = field(default_factory=list[list[str]])
    files: tuple[File, ...] = ()

    def take(self, action: Shown) -> str:
        match action:
            case Start(page, text) | Post(page, text):
                assert text.strip()
                if self.made.get(page) in self.messages:
                    return self.made[page]
                message = self.made[page] = f"m{len(self.made)}-{len(self.moments)}"
                self.messages[message] = text
                if isinstance(action, Start):
                    self.live.add(message)
                    self.started.add(message)
            case Append(_, message, text) | Stop(_, message, text, _):
                assert message in self.live
                assert not text[:1].isspace(), "Slack would drop it"
                self.messages[message] += text.lstrip()
                if isinstance(action, Stop):
                    self.live.discard(message)
            case Edit(_, message, text):
                self.live.discard(message)  # as the adapter does it: a stream that is still open is ended first
                assert text.strip()
                self.messages[message] = text
            case Delete(_, message):
                self.messages.pop(message, None)
                self.live.discard(message)
            case Attach(_, files):
                self.files, message = files, "files"
        self.moments.append(list(self.messages.values()))
        return message


def write(reply: StreamedReply, screen: Screen, outcome: str, *, meanwhile: str = "", now: float = 0.0) -> bool:
    """Makes the next call; whether there was one."""
    need, action = reply.need(), reply.next_action()
    if isinstance(action, Idle | Done):
        assert need == action
        return False
    assert isinstance(need, Need)
    assert need.call is action.call
    streams = isinstance(action, Append | Stop)
    if streams and action.message not in screen.live and outcome in {"taken", "unheard"}:
        outcome = "expired"
    if outcome in {"expired", "stopped"} and not streams:
        outcome = "taken"
    message = screen.take(action) if outcome in {"taken", "unheard"} else ""
    if meanwhile:
        reply.feed(meanwhile, now)
    match outcome:
        case "taken":
            reply.done(action, message)
        case "refused":
            reply.failed()
            if isinstance(action, Stop):
                reply.append_first()
        case "rejected":
            if isinstance(action, Post) or (isinstance(action, Edit) and action.message not in screen.started):
                reply.failed()  # what has no other way is not under test here
            elif isinstance(action, Edit):
                screen.started.discard(action.message)
                assert reply.rejected(action, "no")
            elif not reply.rejected(action, "no"):
                reply.failed()
        case "expired" | "stopped":
            assert streams
            screen.live.discard(action.message)
            reply.ended(action, by_person=outcome == "stopped")
        case _:
            reply.unknown(action)
    return True


def drive(reply: StreamedReply, screen: Screen, how: Sequence[tuple[str, str]], ending: Ending | None) -> None:
    """Plays the steps, then ends the answer and makes every call that is left."""
    now = 0.0
    for what, text in how:
        now += 300 if what == "age" else 1
        if what == "feed":
            reply.feed(text, now)
        elif what != "age":
            write(reply, screen, what, meanwhile=text, now=now)
    if ending is None:
        return
    reply.finish(ending, now)
    for _ in range(1000):
        if not write(reply, screen, "taken"):
            assert reply.next_action() == Done()
            return
    raise AssertionError("it is never done")


def words(text: str) -> str:
    """What is left where pages may be cut anywhere: the characters, without white space."""
    return "".join(text.split())


@given(how=STEPS, end=ENDS)
@settings(max_examples=400)
@example(how=[("feed", "- item\n"), ("feed", "<"), ("taken", "")], end=End.LENGTH)
def test_the_screen_ends_equal_to_the_pages_and_no_stream_stays_open(how: list[tuple[str, str]], end: End):
    reply, screen, ending = StreamedReply(SMALL), Screen(), Ending(end, "Some detail.")
    drive(reply, screen, how, ending)
    pager = reply._pager  # pyright: ignore[reportPrivateUsage]  (where it was cut depends on the time)
    expected = [streamed(page) for page in [*pager.sealed, pager.last(broken_off=bool(sentence(ending)))] if page]
    note = sentence(ending) or ("" if expected else sentence(Ending(End.EMPTY)))
    shown = list(screen.messages.values())
    if note:
        note = SMALL.note(streamed(note))
        assert shown[-1].endswith(note)
        last = shown[-1].removesuffix(note).removesuffix("\n\n")
        shown = [*shown[:-1], last] if last else shown[:-1]
    assert [text.rstrip() for text in shown] == expected  # a stream may have got the space before a next word
    assert not screen.live
    assert reply.streaming == ""


@given(
    how=st.lists(
        st.tuples(st.just("feed") | st.just("taken"), st.sampled_from(["word ", "another\n", "日本語", "\n\n"]))
    )
)
def test_plain_words_are_all_there_once_and_never_taken_back(how: list[tuple[str, str]]):
    """Where nothing goes wrong no message is edited, and each state of the screen is a beginning of the next."""
    reply, screen = StreamedReply(SMALL), Screen()
    drive(reply, screen, how, Ending(End.COMPLETED))
    if not reply.text.strip():
        return
    assert words("".join(screen.messages.values())) == words(reply.text)
    states = [words("".join(moment)) for moment in screen.moments]
    assert all(words(reply.text).startswith(state) for state in states)
    assert states == sorted(states, key=len)


@given(how=STEPS)
def test_nothing_acts_however_it_is_cut(how: list[tuple[str, str]]):
    screen = Screen()
    drive(StreamedReply(SMALL), screen, how, Ending(End.COMPLETED))
    for moment in screen.moments:
        for text in moment:
            assert "<!channel" not in text
            assert "<!here" not in text
            assert "<@U" not in text
            assert "<https://a.b|" not in text


@given(text=st.lists(MARKDOWN).map("".join), more=st.lists(MARKDOWN).map("".join))
@settings(max_examples=500)
def test_what_a_stream_shows_of_a_page_is_how_the_whole_begins(text: str, more: str):
    assert streamed(text + more).startswith(settled(text))
    assert settled(text + more).startswith(settled(text))
    assert len(streamed(text).encode()) <= bytes_of(text)


def test_what_only_looks_like_a_sequence_in_code_is_left_alone():
    code = "```html\n<!DOCTYPE html> <@decorator <!-- x -->\n```"
    assert streamed(code) == code
    assert streamed("`<!channel>` <!-- x -->") == "`<\u200b!channel>` <\u200b!-- x -->"


def test_pages_keep_a_streams_measure_in_bytes():
    reply, screen = StreamedReply(SLACK_STREAM), Screen()
    for number in range(400):
        reply.feed("川は海へ流れる。それは長い道のりだ。\n\n" if number % 3 else "<div> " * 20, number / 100)
        write(reply, screen, "taken")
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert len(screen.messages) > 2
    assert all(len(text.encode()) <= 9_000 for text in screen.messages.values())


def test_the_last_word_waits_for_what_follows_and_the_rest_comes_with_the_stop():
    reply, shown = StreamedReply(SLACK_STREAM), ""
    for number, piece in enumerate(("Hello there, Ada", " Lovelace", " and all ", "the others")):
        reply.feed(piece, number)
        action = reply.next_action()
        assert isinstance(action, Append if number else Start)
        assert action.text == action.text.lstrip(), "Slack would drop it"
        shown += action.text
        assert reply.text.startswith(shown)
        assert shown.endswith(" ")
        reply.done(action, "m1")
    reply.finish(Ending(End.STOPPED), 5.0)
    assert reply.next_action() == Stop(0, "m1", reply.text.removeprefix(shown) + "\n\n_Stopped._")
    need = reply.need()
    assert isinstance(need, Need)
    assert (need.call, need.urgency) == (Call.STOP, Urgency.FINAL)


def test_a_stream_is_given_no_half_of_a_span_a_row_or_an_item():
    """What it has taken stays as it is until the next append, so what is half written waits."""
    source = (
        "Some **bold words**, `inline code` and [a long link](https://example.org/a_b) at the end.\n\n"
        "- one\n  - two\n- three\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nThe rest of it.\n"
    )
    reply, states = StreamedReply(SLACK_STREAM), [""]
    for number, character in enumerate(source):
        reply.feed(character, number / 100)
        action = reply.next_action()
        if isinstance(action, Start | Append):
            states.append(states[-1] + action.text)
            reply.done(action, "m1")
    assert states[-1] == source.removesuffix("it.\n")
    for state in states:
        last = state[state.rfind("\n") + 1 :]
        assert last.count("**") % 2 == last.count("`") % 2 == 0
        assert last.count("[") == last.count("(") == last.count(")")
        assert not last.startswith("|"), "rows are added whole, with their newline"
        assert last.strip() != "-"


def test_an_answer_that_is_whole_before_anything_is_shown_is_posted():
    """A stream would take two calls of a small budget."""
    reply = StreamedReply(SLACK_STREAM)
    reply.feed("Yes.", 1.0)
    assert reply.next_action() == Idle()
    reply.finish(Ending(End.COMPLETED), 1.1)
    assert reply.next_action() == Post(0, "Yes.")


def test_a_stream_is_ended_before_it_ends_by_itself():
    reply, screen = StreamedReply(SLACK_STREAM), Screen()
    reply.feed("The first of many words. ", 10.0)
    write(reply, screen, "taken")
    reply.feed("Others follow, after a while. ", 249.0)
    write(reply, screen, "taken")
    assert isinstance(reply.next_action(), Idle)
    reply.feed("And others.", 251.0)
    stop = reply.next_action()
    assert isinstance(stop, Stop)
    reply.done(stop, stop.message)
    drive(reply, screen, [("feed", " And more.")], Ending(End.COMPLETED))
    assert len(screen.messages) == 2


def test_what_an_expired_stream_did_not_take_goes_on_in_a_new_message():
    reply, screen = StreamedReply(SLACK_STREAM), Screen()
    reply.feed("One two three ", 1.0)
    write(reply, screen, "taken")
    reply.feed("four five ", 2.0)
    write(reply, screen, "expired")
    edit = reply.next_action()
    assert isinstance(edit, Edit), "it would look unfinished for ever"
    reply.done(edit, edit.message)
    reply.feed("six seven eight ", 3.0)
    assert isinstance(reply.next_action(), Start)


def test_an_append_without_an_answer_is_never_repeated():
    """It may have been taken: the stream is stopped, and the message's text replaced."""
    reply, screen = StreamedReply(SLACK_STREAM), Screen()
    reply.feed("One two three ", 1.0)
    write(reply, screen, "taken")
    reply.feed("four five ", 2.0)
    write(reply, screen, "unheard")
    seen: list[type] = []
    while not isinstance(action := reply.next_action(), Idle | Done):
        seen.append(type(action))
        reply.done(action, screen.take(action))
    assert seen == [Stop, Edit]
    assert list(screen.messages.values()) == ["One two three four five"]


def test_a_stream_that_can_neither_be_stopped_nor_edited_is_replaced_by_a_message():
    reply, screen = StreamedReply(SLACK_STREAM), Screen()
    reply.feed("One two three ", 1.0)
    write(reply, screen, "taken")
    reply.feed("four five ", 2.0)
    seen: list[type] = []
    for _ in range(3):
        seen.append(type(reply.next_action()))
        write(reply, screen, "rejected")
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert seen == [Append, Stop, Edit]
    assert list(screen.messages.values()) == ["One two three four five"]


def test_where_no_stream_is_to_be_had_the_answer_is_posted_and_edited():
    reply, screen = StreamedReply(SLACK_STREAM), Screen()
    reply.feed("One two three ", 1.0)
    assert isinstance(action := reply.next_action(), Start)
    assert reply.rejected(action, "no")
    write(reply, screen, "taken")
    reply.feed("four five", 2.0)
    assert isinstance(reply.next_action(), Edit)
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert list(screen.messages.values()) == ["One two three four five"]


def test_a_stop_that_has_to_wait_does_not_keep_its_text():
    reply, screen = StreamedReply(SLACK_STREAM), Screen()
    reply.feed("One two three ", 1.0)
    write(reply, screen, "taken")
    reply.finish(Ending(End.COMPLETED), 2.0)
    write(reply, screen, "refused")
    assert reply.next_action() == Append(0, "m0-0", "three")
    need = reply.need()
    assert isinstance(need, Need)
    assert need.urgency is Urgency.FINAL
    write(reply, screen, "taken")
    assert reply.next_action() == Stop(0, "m0-0", "")


@pytest.mark.parametrize("end", End)
def test_an_answer_without_a_word_still_says_something(end: End):
    reply, screen = StreamedReply(SLACK_STREAM), Screen()
    drive(reply, screen, [("feed", " \n")], Ending(end))
    [shown] = screen.messages.values()
    assert any(char.isalpha() for char in shown)


@given(how=STEPS)
def test_nothing_is_written_into_what_is_lost(how: list[tuple[str, str]]):
    reply = StreamedReply(SMALL)
    drive(reply, Screen(), how, None)
    reply.lost()
    reply.feed("more", 99.0)
    assert reply.need() == reply.next_action() == Done()


@given(text=st.lists(MARKDOWN, max_size=60), cuts=st.lists(st.booleans(), min_size=60, max_size=60))
def test_a_page_is_sealed_with_what_was_certain_of_it(text: list[str], cuts: list[bool]):
    pager, certain, seen = Pager(SMALL.budget, SMALL.measure), "", 0
    for piece, cut in zip(text, cuts, strict=False):
        pager.feed(piece)
        if cut:
            pager.cut()
        for page in pager.sealed[seen:]:
            assert page.startswith(certain.rstrip())
            certain = ""
        seen = len(pager.sealed)
        assert pager.certain().startswith(certain)
        certain = pager.certain()
        assert pager.last().startswith(certain.rstrip())


def test_code_longer_than_a_message_is_offered_as_a_file_as_well():
    reply, screen = StreamedReply(SMALL, Attaching(code=True)), Screen()
    code = "".join(f"line_{number} = {number}\n" for number in range(40))
    drive(reply, screen, [("feed", f"```python\n{code}```\n")], Ending(End.COMPLETED))
    assert screen.files == (File("code.py", code),)


@given(how=STEPS, more=st.integers(0, 60))
@example(how=[("feed", "word \n\u3000\n"), ("taken", "word ")], more=0)
def test_what_comes_after_the_most_messages_goes_into_a_file(how: list[tuple[str, str]], more: int):
    """Nothing is lost between them."""
    reply, screen = StreamedReply(SMALL, Attaching(max_pages=2)), Screen()
    drive(reply, screen, [*how, ("feed", "more words " * more)], Ending(End.COMPLETED))
    shown = [*screen.messages.values(), *(file.text for file in screen.files)]
    remaining = iter(words("".join(shown)))
    assert all(char in remaining for char in words(reply.text))
    assert len(screen.messages) <= 2 + (not screen.files)


def test_files_that_are_rejected_are_shown_in_further_messages():
    reply, screen = StreamedReply(SMALL, Attaching(max_pages=1)), Screen()
    reply.feed("more words " * 100, 1.0)
    reply.finish(Ending(End.COMPLETED), 2.0)
    write(reply, screen, "taken")
    write(reply, screen, "rejected")
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert words("".join(screen.messages.values())) == words("more words " * 100)
    assert screen.files == ()


@given(how=STEPS, end=st.none() | ENDS)
@settings(max_examples=200)
def test_a_withdrawn_answer_leaves_nothing_on_the_screen(how: list[tuple[str, str]], end: End | None):
    """Also what was started by a call whose answer was lost, the last one perhaps."""
    reply, screen = StreamedReply(SMALL), Screen()
    drive(reply, screen, how, None)
    if end is not None:
        reply.finish(Ending(end), 900.0)
        write(reply, screen, "taken")
    reply.withdraw()
    reply.finish(Ending(End.STOPPED), 1000.0)
    while write(reply, screen, "taken"):
        pass
    assert screen.messages == {}
    assert isinstance(reply.next_action(), Done)


@pytest.mark.parametrize("ended", [False, True])
def test_a_stream_that_somebody_removed_is_followed_by_another(ended: bool):
    reply, screen = StreamedReply(SMALL), Screen()
    reply.feed("word " * 100, 1)
    while write(reply, screen, "taken"):
        pass
    gone = list(screen.messages)[-1]
    del screen.messages[gone]
    reply.feed("more words " * 5, 2)
    if ended:
        reply.finish(Ending(End.COMPLETED), 3)
    action = reply.next_action()
    assert isinstance(action, Append | Stop)
    assert action.message == gone
    assert reply.vanished(action)
    action = reply.next_action()
    assert isinstance(action, Post | Start)
    assert action.again == 1
    reply.finish(Ending(End.COMPLETED), 3)
    while write(reply, screen, "taken"):
        pass
    assert " ".join(screen.messages.values()).split() == reply.text.split()


def test_where_nothing_is_taken_a_sentence_says_so():
    reply, screen = StreamedReply(SLACK_STREAM), Screen()
    reply.feed("One two three ", 1.0)
    assert isinstance(start := reply.next_action(), Start)
    assert reply.rejected(start, "no streams")
    assert isinstance(post := reply.next_action(), Post)
    assert reply.rejected(post, "Slack says no")
    drive(reply, screen, [], Ending(End.COMPLETED))
    assert list(screen.messages.values()) == ["_The rest of the answer cannot be shown here. Slack says no._"]
    assert reply.ending == Ending(End.UNSHOWN, "Slack says no")
