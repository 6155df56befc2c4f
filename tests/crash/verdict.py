"""What became of each question, from nothing but what stands on the screen at the end.

Every question has to have exactly one complete answer or exactly one visible failure: the first words of its answer, or
none of them, and below a sentence of the bot's own that says so. What is neither is lost, doubled or broken.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from bot.core.attaching import COMING
from bot.core.endings import NOT_STORED, sentence
from bot.core.model import End, Ending
from playground.timeline import Moment
from tests.crash.answers import long_blocks, numbered
from tests.visible import faults, has_cursor, words

# How a visible failure begins. Nobody stops an answer here, so that one is none.
_FAILURES = [
    said.split(".")[0]
    for said in (NOT_STORED, *(sentence(Ending(end)) for end in End if end is not End.STOPPED))
    if said
]
_IN_FILE = "The answer goes on in the file. "  # which then says how it ended
_REST = "answer.md"  # the file of what its pages did not hold
_LEAST_FILE = {"discord": 2_000, "slack": 12_000}  # characters of code that one message cannot hold: it is a file too


class Fate(StrEnum):
    ANSWERED = "answered"
    FAILED = "failed visibly"
    LOST = "lost"
    DOUBLED = "doubled"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, and where its answer belongs."""

    number: int
    room: str
    message: str  # its own id
    thread: str  # of Slack, that it was written in
    answer: str  # what the model says to it


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of the bot as it stands at the end, with the texts of its files by name."""

    moment: Moment
    files: Mapping[str, str]

    @property
    def owners(self) -> set[int]:
        """The questions whose words it has."""
        return {number for text in (self.moment.text, *self.files.values()) for number, _ in numbered(text)}

    @property
    def failure(self) -> str:
        """The bot's own sentence that it ends in, if that tells of a failure."""
        last = self.moment.text.rpartition("\n\n")[2].strip().removeprefix("-# ").strip("_ ").removeprefix(_IN_FILE)
        return last if any(last.startswith(failure) for failure in _FAILURES) else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` is empty for an answer, and the sentence for a visible failure."""

    fate: Fate
    why: str = ""


def judge(asked: Sequence[Asked], shown: Sequence[Shown]) -> tuple[dict[int, Verdict], list[str]]:
    """A verdict for every question, and what is wrong with messages that belong to none."""
    by_message = {question.message: question.number for question in asked}
    theirs: defaultdict[int, list[Shown]] = defaultdict(list)
    unowned: defaultdict[tuple[str, str], list[Shown]] = defaultdict(list)
    wrong: list[str] = []
    for message in shown:
        owners = message.owners or {by_message.get(message.moment.reply_to, 0)} - {0}
        match list(owners):
            case [owner]:
                theirs[owner].append(message)
            case []:
                unowned[_line(message.moment)].append(message)
            case several:
                wrong.append(f"words of questions {several} in one message: {message.moment.text!r}")
    verdicts = {question.number: _verdict(question, theirs[question.number]) for question in asked}
    # a sentence that nothing ties to its question belongs to one of its line that has nothing else
    for question in asked:
        at = (question.room, question.thread)
        if verdicts[question.number].fate is Fate.LOST and (left := unowned[at]) and left[0].failure:
            verdicts[question.number] = _verdict(question, [*theirs[question.number], left.pop(0)])
    wrong += [f"a message that nobody waits for: {left.moment.text!r}" for rest in unowned.values() for left in rest]
    return verdicts, wrong


def _line(moment: Moment) -> tuple[str, str]:
    return moment.room, moment.reply_to if moment.platform == "slack" else ""


def _verdict(question: Asked, messages: Sequence[Shown]) -> Verdict:
    """LOST also where an answer stops in the middle without a word about it."""
    pages = [message for message in messages if numbered(message.moment.text) or not message.files]
    filed = [file for message in messages for file in message.files.items()]
    if not messages:
        return Verdict(Fate.LOST, "there is nothing")
    if looks := [look for message in messages for look in _looks(message.moment)]:
        return Verdict(Fate.BROKEN, "; ".join(looks))
    all_words = [word for _, word in numbered(question.answer)]
    read = [*(page.moment.text for page in pages), *(text for name, text in filed if name == _REST)]
    seen = [word for text in read for _, word in numbered(text)]
    if files := [name for (name, _), times in Counter(filed).items() if times > 1]:
        return Verdict(Fate.DOUBLED, f"files: {files}")
    if twice := [word for word, times in Counter(seen).items() if times > 1]:
        return Verdict(Fate.DOUBLED, f"{len(twice)} words stand there twice, from q{question.number}x{twice[0]} on")
    if seen != all_words[: len(seen)]:
        where = next(n for n, (a, b) in enumerate(zip(seen, all_words, strict=False)) if a != b)
        return Verdict(Fate.BROKEN, f"word {seen[where]} stands where word {all_words[where]} belongs")
    if len(places := {_line(message.moment) for message in messages}) > 1 or not places <= _places(question):
        return Verdict(Fate.BROKEN, f"it stands in {sorted(places)}")
    failures = [message.failure for message in messages if message.failure]
    if len(failures) > 1:
        return Verdict(Fate.DOUBLED, f"it says twice how it ended: {failures}")
    if failures:
        return Verdict(Fate.FAILED, failures[0])
    if len(seen) < len(all_words):
        return Verdict(Fate.LOST, f"it ends after {len(seen)} of {len(all_words)} words")
    return _complete(question, pages, filed)


def _looks(moment: Moment) -> list[str]:
    """What makes a message look as if it was still being written."""
    cursor = ["a cursor"] if has_cursor(moment) else []
    stream = ["an open stream"] if moment.live else []
    coming = ["a file is promised"] if COMING in moment.text else []
    return [*cursor, *stream, *coming, *faults(moment)]


def _places(question: Asked) -> set[tuple[str, str]]:
    """Where it is said; on Slack also below the question, where an answer that is streamed has to stand."""
    return {(question.room, question.thread), (question.room, question.message)}


def _complete(question: Asked, pages: Sequence[Shown], filed: Sequence[tuple[str, str]]) -> Verdict:
    """All numbered words are there; so is nothing else, and each file once."""
    known = Counter(words(question.answer))
    more = {word for page in pages for word in words(page.moment.text)} - set(known)
    if more:
        return Verdict(Fate.BROKEN, f"it says also: {' '.join(sorted(more))}")
    expected = [code for code in long_blocks(question.answer) if len(code) > _LEAST_FILE[pages[0].moment.platform]]
    if [text for name, text in filed if name != _REST] != expected:
        return Verdict(Fate.BROKEN, f"it has {len(filed)} files, not exactly those {len(expected)} of its long code")
    ids = [page.moment.message for page in pages]
    if any(int(a.replace(".", "")) > int(b.replace(".", "")) for a, b in pairwise(ids)):
        return Verdict(Fate.BROKEN, "its pages are not in order")
    return Verdict(Fate.ANSWERED)
