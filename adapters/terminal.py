"""The terminal: a `>` prompt, text printed as it comes, `q` quits; piped input is read line by line."""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from typing import TextIO
from uuid import uuid4

from bot.core.commands import Command, parse
from bot.core.dialects import TERMINAL, Dialect
from bot.core.files import File
from bot.core.model import Channel, Person, Place, Prompt
from bot.core.pacing import Call, Limit, Receipt
from bot.errors import Gone, Rejected, StoreError
from bot.ports import Inbox, Strays, Streaming

CHANNEL = Channel("terminal", "")
_QUIT = "q"
_WELCOME = "q quits, Ctrl-C stops an answer, !help tells more."
_HELP = """\
Write a question, and the answer comes below it. `q` or Ctrl-D quits.
- `!new` makes me forget this conversation; the next question starts another.
- `!stop` or Ctrl-C stops the running answer; what is shown stays.
- `!retry` asks the last question again.
- `!help` shows this."""

# Escape sequences in a model's words could rewrite the screen, the window's title or the clipboard.
_CONTROL = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


class TerminalPlatform:
    """A Platform of one channel and one person. It cannot take anything back, so an edit prints what was added."""

    def __init__(self, source: TextIO | None = None, sink: TextIO | None = None) -> None:
        self._source = source or sys.stdin
        self._sink = sink or sys.stdout
        self._interactive = self._source.isatty()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()  # None: no more
        self._inbox: Inbox | None = None
        self._shown: dict[str, str] = {}
        self._session = uuid4().hex[:8]  # keys of questions are never those of an earlier session
        self._asked = 0
        self._answering = False
        self._stopped = asyncio.Event()
        self._interrupted = False  # by Ctrl-C, and nothing was written since
        self._ended = False

    @property
    def name(self) -> str:
        return "terminal"

    @property
    def dialect(self) -> Dialect:
        return TERMINAL

    def limits(self, call: Call, place: Place) -> Sequence[Limit]:
        return ()

    async def connect(self, inbox: Inbox) -> str:
        self._inbox = inbox
        _read_lines(self._source, asyncio.get_running_loop(), self._heard)
        return _WELCOME

    async def run(self) -> None:
        """Serves until the person quits, or their input ends."""
        assert self._inbox is not None, "connect first"
        if self._interactive:
            self._print(f"{_WELCOME}\n\n")
        while not self._ended:
            if self._interactive:
                self._print("> ")
            line = await self._lines.get()
            if line is None and self._interactive:
                self._print("\n")  # the shell's prompt must not follow ours
            if line is None or self._ended or line.strip() == _QUIT:
                return
            if question := line.strip():
                await self._answer(question, self._inbox)

    def interrupt(self) -> None:
        """Ctrl-C: stops the running answer, or tells how to quit; the second one, with nothing written since, quits."""
        if self._interrupted:
            self.quit()
            return
        self._interrupted = True
        if self._answering:
            self._stopped.set()
        else:
            self._print("\n(Ctrl-C again, or q, quits.)\n" + ("> " if self._interactive else ""))

    def quit(self) -> None:
        """Stops the running answer and ends `run`, whatever else has been typed."""
        self._ended = True
        self._stopped.set()
        self._lines.put_nowait(None)

    async def missed(self, since: float, places: Sequence[Place]) -> AsyncGenerator[Prompt]:
        """Nobody can write to a program that does not run."""
        for prompt in ():
            yield prompt

    async def reread(self, prompt: Prompt) -> Prompt | None:
        """What was typed stays as it is."""
        return prompt

    def streaming(self, place: Place) -> Streaming | None:
        return None

    async def post(self, place: Place, text: str, *, nonce: str, first: bool) -> Receipt:
        self._shown.clear()
        return self._show(nonce, text)

    async def strays(self, place: Place, nonces: str, known: Sequence[str]) -> Strays:
        return Strays()

    async def attach(self, place: Place, text: str, files: Sequence[File], *, nonce: str) -> Receipt:
        """A terminal has no pages and shows the whole answer; whoever wants a file writes `rivulet chat > file`."""
        raise Rejected("a terminal takes no files")

    async def edit(self, place: Place, message: str, text: str) -> Receipt:
        return self._show(message, text)

    async def delete(self, place: Place, message: str) -> Receipt:
        return Receipt(message)

    async def typing(self, place: Place) -> float:
        return 0.0

    async def quiet(self, place: Place) -> None:
        """Nothing is shown that would have to be taken back."""

    async def close(self) -> None:
        """Nothing to do: the thread that reads ends with the process."""

    async def _answer(self, question: str, inbox: Inbox) -> None:
        """Obeys or asks; returns when the answer has ended."""
        if self._asked and not self._interactive:
            self._print("\n")
        self._asked += 1
        self._stopped.clear()
        self._answering = True
        try:
            if command := parse(question):
                self._print(_HELP if command is Command.HELP else await inbox.obey(command, CHANNEL))
                if command is Command.RETRY:
                    await self._show_again(inbox)
            else:
                key = f"terminal:{self._session}:{self._asked}"
                prompt = Prompt(key, CHANNEL, Place(room="", message=key), Person("me", "me"), question)
                await inbox.receive(prompt)
                await self._quiet(inbox)
        except StoreError as error:
            self._print(f"({error})")
        finally:
            self._answering = False
        self._print("\n\n" if self._interactive else "\n")

    async def _show_again(self, inbox: Inbox) -> None:
        """The new answer is printed whole, below: what stands above cannot be changed."""
        self._shown.clear()
        self._print("\n")
        await self._quiet(inbox)

    async def _quiet(self, inbox: Inbox) -> None:
        async def stop() -> None:
            await self._stopped.wait()
            await inbox.obey(Command.STOP, CHANNEL)

        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(stop())
            await inbox.quiet(CHANNEL)
            stopping.cancel()

    def _heard(self, line: str | None) -> None:
        """A line was written: it waits its turn, unless a person wants to be rid of the answer that they see."""
        self._interrupted = False
        if self._answering and self._interactive and line is not None:
            if line.strip() == _QUIT:
                self.quit()
                return
            if parse(line) is Command.STOP:
                self._stopped.set()
                return
        self._lines.put_nowait(line)

    def _show(self, message: str, text: str) -> Receipt:
        if not self._print(text.removeprefix(self._shown.get(message, "")).translate(_CONTROL)):
            raise Gone("nobody reads the answer any more")
        self._shown[message] = text
        return Receipt(message)

    def _print(self, text: str) -> bool:
        """Whether somebody could read it; if not, `run` ends."""
        try:
            self._sink.write(text)
            self._sink.flush()
        except OSError:  # `rivulet chat | head -1`, or the window was closed; what is buffered has to go somewhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._sink.fileno())
            self.quit()
            return False
        return True


def _read_lines(source: TextIO, loop: asyncio.AbstractEventLoop, heard: Callable[[str | None], None]) -> None:
    """Calls `heard` with each line, then with None. Reads in a thread of its own, which the end of the process must not
    wait for; past Python's own buffer, whose lock a waiting thread would hold at that end."""

    descriptor = source.fileno()

    def read() -> None:
        decoder = codecs.getincrementaldecoder(source.encoding)(errors="replace")
        rest = ""
        with suppress(RuntimeError):  # the loop has ended: nobody wants the rest
            with suppress(OSError):  # the terminal was closed
                while data := os.read(descriptor, 65_536):
                    *lines, rest = (rest + decoder.decode(data)).split("\n")
                    for line in lines:
                        loop.call_soon_threadsafe(heard, line)
            if rest := rest + decoder.decode(b"", final=True):
                loop.call_soon_threadsafe(heard, rest)
            loop.call_soon_threadsafe(heard, None)

    threading.Thread(target=read, name="terminal", daemon=True).start()
