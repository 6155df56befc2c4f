"""A screen in memory for a reply, and what can happen to it, as Hypothesis plays it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from bot.core.actions import Attach, Delete, Edit, Post, Write
from bot.core.dialects import DISCORD, SLACK, TERMINAL, Dialect
from bot.core.endings import sentence
from bot.core.model import End, Ending
from bot.core.pacing import Done, Need
from bot.core.paging import Pager
from bot.core.reply import Reply

# small pages, so that short examples have many of them
DIALECTS = [replace(DISCORD, budget=220), replace(SLACK, budget=220), TERMINAL]
PAGED = DIALECTS[:2]

MARKDOWN = st.sampled_from(
    [
        "word ", "a somewhat longer run of words ", "\n", "\n\n", "```python\n", "\n```\n", "``", "- ", "- item\n",
        "| a | b |\n|---|---|\n", "| 1 | 2 |\n", "<!channel> <@U1> ", "<", "**bold", "x" * 90, "日本語", " ", "",
        "👩‍👩‍👧‍👦",
    ]
)  # fmt: skip
PLAIN = st.sampled_from(["word ", "another ", "line\n", "para\n\n", "longer words here ", "y" * 60])
# how a call goes: taken; refused; no answer, and nothing happened; no answer, though it was taken
OUTCOMES = st.sampled_from(["taken", "taken", "taken", "refused", "vanished", "unheard"])
ENDS = st.sampled_from(list(End))


def steps(text: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Deltas and calls in any order; a call may find that text arrived while it was on its way."""
    write = st.tuples(OUTCOMES, st.just("") | text)
    return st.lists(st.tuples(st.just("feed"), text) | write, max_size=60)


@dataclass
class Screen:
    """What a platform shows. A page posted again is not shown again (its nonce is the same), and keeps its text."""

    messages: dict[str, str] = field(default_factory=dict[str, str])
    posted: dict[int, str] = field(default_factory=dict[int, str])
    takes_files: bool = True
    files: list[Attach] = field(default_factory=list[Attach])
    moments: list[list[str]] = field(default_factory=list[list[str]])
    touched: set[str] = field(default_factory=set[str])

    def take(self, action: Write) -> str:
        match action:
            case Post(page, text):
                if page in self.posted:
                    self.touched.add(self.posted[page])
                    return self.posted[page]
                message = self.posted[page] = f"m{len(self.posted)}-{len(self.moments)}"
                self.messages[message] = text
            case Edit(_, message, text):
                assert message in self.messages
                self.messages[message] = text
            case Delete(_, message):
                self.messages.pop(message, None)
            case Attach():  # the same again is not shown again
                if action not in self.files:
                    self.files.append(action)
                return "files"
        self.touched.add(message)
        self.moments.append(list(self.messages.values()))
        return message


def drive(reply: Reply, screen: Screen, how: Sequence[tuple[str, str]], ending: Ending | None) -> None:
    """Plays the steps, then ends the answer and makes every call that is left."""
    now = 0.0
    for what, text in how:
        now += 1
        if what == "feed":
            reply.feed(text, now)
        else:
            write(reply, screen, what, meanwhile=text, now=now)
    if ending is None:
        return
    reply.finish(ending, now)
    for _ in range(1000):
        if isinstance(reply.next_action(), Done):
            return
        write(reply, screen, "taken")
    raise AssertionError("it is never done")


def write(reply: Reply, screen: Screen, outcome: str, *, meanwhile: str = "", now: float = 0.0) -> None:
    need = reply.need()
    action = reply.next_action()
    if not isinstance(action, Write):
        assert need == action
        return
    assert isinstance(need, Need)
    assert need.call is action.call
    if isinstance(action, Attach) and not screen.takes_files:
        reply.rejected(action, "too large")
        return
    message = screen.take(action) if outcome in {"taken", "unheard"} else ""
    if meanwhile:
        reply.feed(meanwhile, now)
    match outcome:
        case "taken":
            reply.done(action, message)
        case "refused":
            reply.failed()
        case _:
            reply.unknown(action)


def pages(dialect: Dialect, source: str, ending: Ending | None = None) -> list[str]:
    """What the model's text looks like without the bot's own sentence."""
    if dialect.append_only:
        return [source] if source.strip() else []
    pager = Pager(dialect.budget, dialect.measure)
    pager.feed(source)
    broken_off = bool(ending and sentence(ending))
    return [dialect.render(page) for page in [*pager.sealed, pager.last(broken_off=broken_off)] if page]


def told(ending: Ending, whole: list[str]) -> Ending:
    """What people are told of an answer with these pages: nobody is left without a word."""
    return ending if whole or sentence(ending) else Ending(End.EMPTY)


def without_note(dialect: Dialect, shown: list[str], ending: Ending) -> list[str]:
    """The screen without the sentence under it, which has to be there exactly where the ending has one."""
    note = sentence(ending)
    if not note:
        return shown
    note = dialect.note(dialect.render(note))
    assert shown[-1].endswith(note)
    rest = shown[-1].removesuffix(note).removesuffix("\n\n")
    return [*shown[:-1], rest] if rest else shown[:-1]
