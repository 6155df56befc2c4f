"""The terminal as a Platform: what it prints and what it hears, over pipes and a real pseudo-terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import termios
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TextIO

import pytest

from adapters.terminal import CHANNEL, TerminalPlatform
from bot.core.commands import Command
from bot.core.files import File
from bot.core.model import Channel, Place, Prompt
from bot.errors import Gone, Rejected, StoreError

PLACE = Place("")
WELCOME = "q quits, Ctrl-C stops an answer, !help tells more.\n\n> "
STOP = "\n\n(Stopped.)"


@dataclass
class Inbox:
    """Answers each question with what `answers` has for it, else by repeating it; one that is `held` waits for `go`."""

    answers: dict[str, str] = field(default_factory=dict[str, str])
    held: str = ""
    prompts: list[Prompt] = field(default_factory=list[Prompt])
    obeyed: list[Command] = field(default_factory=list[Command])
    broken: bool = False
    go: asyncio.Event = field(default_factory=asyncio.Event)
    terminal: TerminalPlatform | None = None
    _answer: asyncio.Task[None] | None = None

    async def receive(self, prompt: Prompt) -> None:
        if self.broken:
            raise StoreError("the database does not answer")
        self.prompts.append(prompt)
        self._answer = asyncio.create_task(self._say(prompt))

    async def edited(self, prompt: Prompt) -> None:
        return

    async def deleted(self, key: str) -> None:
        return

    async def obey(self, command: Command, channel: Channel) -> str:
        assert channel == CHANNEL
        self.obeyed.append(command)
        self.go.set()
        if command is Command.RETRY:
            self._answer = asyncio.create_task(self._say_again(self.prompts[-1]))
        return f"obeyed {command}"

    async def knows(self, channel: Channel, place: Place) -> bool:
        return False

    def heard(self, platform: str, at: float) -> None:
        pass

    def back(self, platform: str) -> None:
        pass

    async def quiet(self, channel: Channel) -> None:
        assert channel == CHANNEL
        if self._answer:
            await self._answer

    async def _say_again(self, prompt: Prompt) -> None:
        assert self.terminal
        await self.terminal.edit(prompt.place, prompt.key, self.answers.get(prompt.text, f"You said {prompt.text}"))

    async def _say(self, prompt: Prompt) -> None:
        assert self.terminal
        text = self.answers.get(prompt.text, f"You said {prompt.text}")
        try:
            await self.terminal.post(prompt.place, text[:4], nonce=prompt.key, first=True)
            if prompt.text == self.held:
                await self.go.wait()
                text = text[:4] + (STOP if Command.STOP in self.obeyed else text[4:])
            await self.terminal.edit(prompt.place, prompt.key, text)
        except Gone:
            pass


@contextmanager
def pipe() -> Generator[tuple[TextIO, TextIO]]:
    """Something to read, and something to write what is read."""
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8", newline="") as source, os.fdopen(writing, "w", encoding="utf-8") as sink:
        yield source, sink


async def piped(data: bytes, inbox: Inbox | None = None) -> str:
    """What is printed when this is piped in."""
    with pipe() as (source, feed), pipe() as (shown, sink):
        terminal = TerminalPlatform(source, sink)
        inbox = inbox or Inbox()
        inbox.terminal = terminal
        await terminal.connect(inbox)
        writing = asyncio.create_task(asyncio.to_thread(_write, feed, data))
        reading = asyncio.create_task(asyncio.to_thread(shown.read))
        async with asyncio.timeout(10):
            await terminal.run()
        sink.close()
        await writing
        return await reading


def _write(feed: TextIO, data: bytes) -> None:
    feed.buffer.write(data)
    feed.close()


@pytest.mark.parametrize("data", [b"one\ntwo\nq\nthree\n", b"one\ntwo", b"one\r\n\n  \ntwo\n"])
async def test_piped_questions_are_answered_in_order_with_an_empty_line_between(data: bytes):
    assert await piped(data) == "You said one\n\nYou said two\n"


async def test_nothing_piped_is_nothing_printed():
    assert await piped(b"") == ""


async def test_every_question_has_a_key_of_its_own():
    inbox = Inbox()
    await piped(b"one\none\n", inbox)
    await piped(b"one\n", inbox)
    assert len({prompt.key for prompt in inbox.prompts}) == 3


async def test_commands_are_obeyed_and_help_speaks_of_the_terminal():
    inbox = Inbox()
    shown = await piped(b"!new\n!STOP\n!help\n", inbox)
    assert inbox.prompts == []
    assert inbox.obeyed == [Command.NEW, Command.STOP]
    assert shown.startswith("obeyed new\n\nobeyed stop\n\nWrite a question, and the answer comes below it.")
    assert "Mention" not in shown


async def test_an_answer_that_is_asked_for_again_is_printed_whole_below():
    """Although the first one stands above it, and the new one has the same words."""
    assert await piped(b"one\n!retry\ntwo\n") == "You said one\n\nobeyed retry\nYou said one\n\nYou said two\n"


async def test_what_the_database_says_is_shown_and_the_next_question_is_taken():
    assert await piped(b"one\n!help", Inbox(broken=True)) == (
        "(the database does not answer)\n\n" + await piped(b"!help")
    )


async def test_any_text_arrives_as_it_was_written():
    """However it is cut into reads, and however long it is."""
    inbox = Inbox(answers={"Grüße 👋": "¡Olé! 🎉"})
    long = "wörd " * 400_000
    shown = await piped(f"Grüße 👋\n{long}\n".encode(), inbox)
    assert [prompt.text for prompt in inbox.prompts] == ["Grüße 👋", long.strip()]
    assert shown == f"¡Olé! 🎉\n\nYou said {long.strip()}\n"


async def test_what_is_not_unicode_is_replaced():
    assert await piped(b"caf\xe9\n") == "You said caf\ufffd\n"


async def test_control_sequences_in_an_answer_do_nothing():
    inbox = Inbox(answers={"one": "a\x1b]0;title\x07b\x1b[2J\r\n\tc\x9b1md"})
    assert await piped(b"one", inbox) == "a]0;titleb[2J\n\tc1md\n"


async def test_only_what_was_added_is_printed():
    with pipe() as (source, _), pipe() as (shown, sink):
        terminal = TerminalPlatform(source, sink)
        message = (await terminal.post(PLACE, "Hello", nonce="n", first=True)).message
        await terminal.edit(PLACE, message, "Hello, wor")
        await terminal.edit(PLACE, message, "Hello, world")
        await terminal.edit(PLACE, "of an earlier process", "Again.")
        sink.close()
        assert shown.read() == "Hello, worldAgain."


async def test_files_are_refused_and_leave_nothing_on_the_screen():
    with pipe() as (source, _), pipe() as (shown, sink):
        terminal = TerminalPlatform(source, sink)
        with pytest.raises(Rejected):
            await terminal.attach(PLACE, "The rest is below.", [File("answer.md", "x")], nonce="n")
        sink.close()
        assert shown.read() == ""


async def test_nobody_reading_any_more_ends_it():
    """An answer is told that it is gone, and later lines are not asked."""
    inbox = Inbox(held="one")
    with pipe() as (source, feed), pipe() as (shown, sink):
        inbox.terminal = terminal = TerminalPlatform(source, sink)
        await terminal.connect(inbox)
        feed.write("one\ntwo\n")
        feed.flush()
        running = asyncio.create_task(terminal.run())
        await until(lambda: inbox.prompts)
        shown.close()
        inbox.go.set()
        async with asyncio.timeout(10):
            await running
        assert [prompt.text for prompt in inbox.prompts] == ["one"]
        feed.close()
        await nobody_reads()


# A person at a terminal


@dataclass
class Person:
    """Types into a pseudo-terminal, and sees what stands there."""

    screen: int
    terminal: TerminalPlatform
    inbox: Inbox
    running: asyncio.Task[None]
    seen: str = ""

    def types(self, text: str) -> None:
        os.write(self.screen, text.encode())

    async def sees(self, words: str) -> None:
        """Waits until exactly this is new on the screen."""
        try:
            await until(lambda: self.seen == words)
        except TimeoutError:
            raise AssertionError(f"sees {self.seen!r}\nnot {words!r}") from None
        self.seen = ""

    async def leaves(self) -> None:
        async with asyncio.timeout(10):
            await self.running


@asynccontextmanager
async def person(inbox: Inbox) -> AsyncGenerator[Person]:
    screen, line = pty.openpty()
    attributes = termios.tcgetattr(line)
    attributes[3] &= ~termios.ECHO
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(line, termios.TCSANOW, attributes)
    with os.fdopen(line, "w", encoding="utf-8") as sink, os.fdopen(os.dup(line), encoding="utf-8") as source:
        terminal = inbox.terminal = TerminalPlatform(source, sink)
        await terminal.connect(inbox)
        somebody = Person(screen, terminal, inbox, asyncio.create_task(terminal.run()))

        def look() -> None:
            somebody.seen += os.read(screen, 65_536).decode()

        asyncio.get_running_loop().add_reader(screen, look)
        try:
            await somebody.sees(WELCOME)
            yield somebody
        finally:
            somebody.running.cancel()
            await asyncio.gather(somebody.running, return_exceptions=True)
            somebody.types("\n\x04")
            await nobody_reads()
            asyncio.get_running_loop().remove_reader(screen)
    os.close(screen)


async def nobody_reads() -> None:
    """The thread that reads has met the end of its input; until then that must stay open."""
    await until(lambda: all(thread.name != "terminal" for thread in threading.enumerate()))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  (any condition, not one that could notify)
            await asyncio.sleep(0.005)


async def test_a_person_is_greeted_prompted_and_let_go_by_q():
    async with person(Inbox()) as ada:
        ada.types("one\n")
        await ada.sees("You said one\n\n> ")
        ada.types("\n")
        await ada.sees("> ")
        ada.types("q\n")
        await ada.leaves()


async def test_ctrl_d_quits_and_leaves_the_shells_prompt_a_line_of_its_own():
    async with person(Inbox()) as ada:
        ada.types("\x04")
        await ada.sees("\n")
        await ada.leaves()


async def test_ctrl_c_stops_the_running_answer():
    async with person(Inbox(held="one")) as ada:
        ada.types("one\n")
        await ada.sees("You ")
        ada.terminal.interrupt()
        await ada.sees(f"{STOP}\n\n> ")
        assert ada.inbox.obeyed == [Command.STOP]


async def test_stop_acts_while_the_answer_runs_and_other_lines_wait_their_turn():
    async with person(Inbox(held="one")) as ada:
        ada.types("one\n")
        await ada.sees("You ")
        ada.types("two\n!stop\n")
        await ada.sees(f"{STOP}\n\n> You said two\n\n> ")


async def test_q_while_an_answer_runs_stops_it_and_quits():
    async with person(Inbox(held="one")) as ada:
        ada.types("one\n")
        await ada.sees("You ")
        ada.types("two\nq\n")
        await ada.leaves()
        await ada.sees(f"{STOP}\n\n")
        assert len(ada.inbox.prompts) == 1


async def test_ctrl_c_at_the_prompt_tells_how_to_quit_and_the_next_one_quits():
    async with person(Inbox()) as ada:
        ada.terminal.interrupt()
        await ada.sees("\n(Ctrl-C again, or q, quits.)\n> ")
        ada.types("one\n")
        await ada.sees("You said one\n\n> ")
        ada.terminal.interrupt()
        await ada.sees("\n(Ctrl-C again, or q, quits.)\n> ")
        ada.terminal.interrupt()
        await ada.leaves()


async def test_ctrl_c_twice_stops_the_answer_and_quits():
    async with person(Inbox(held="one")) as ada:
        ada.types("one\n")
        await ada.sees("You ")
        ada.terminal.interrupt()
        await ada.sees(f"{STOP}\n\n> ")
        ada.terminal.interrupt()
        await ada.leaves()
        await ada.sees("\n")


async def test_a_stop_is_for_one_answer_only():
    async with person(Inbox(held="one")) as ada:
        ada.types("one\n")
        await ada.sees("You ")
        ada.terminal.interrupt()
        await ada.sees(f"{STOP}\n\n> ")
        ada.types("two\n")
        await ada.sees("You said two\n\n> ")
        assert ada.inbox.obeyed == [Command.STOP]


async def test_a_terminal_that_is_closed_ends_it():
    """Reading from it fails then."""
    screen, line = pty.openpty()
    inbox = Inbox()
    with os.fdopen(line, "w", encoding="utf-8") as sink, os.fdopen(os.dup(line), encoding="utf-8") as source:
        inbox.terminal = terminal = TerminalPlatform(source, sink)
        await terminal.connect(inbox)
        running = asyncio.create_task(terminal.run())
        os.close(screen)
        async with asyncio.timeout(10):
            await running
