"""The terminal: a `>` prompt, text printed as it comes, `q` quits; piped input is read line by line."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Sequence
from typing import TextIO
from uuid import uuid4

from bot.core.commands import Command, parse
from bot.core.dialects import TERMINAL, Dialect
from bot.core.model import Channel, Person, Place, Prompt
from bot.core.pacing import Call, Limit, Receipt
from bot.errors import StoreError
from bot.ports import Inbox

CHANNEL = Channel("terminal", "")
_QUIT = "q"


class TerminalPlatform:
    """A Platform of one channel and one person. It cannot take anything back, so an edit prints what was added."""

    def __init__(self, source: TextIO = sys.stdin, sink: TextIO = sys.stdout) -> None:
        self._source = source
        self._sink = sink
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()  # None: no more
        self._inbox: Inbox | None = None
        self._shown: dict[str, str] = {}
        self._session = uuid4().hex[:8]  # keys of questions are never those of an earlier session
        self._asked = 0
        self._answering = False

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
        _read_lines(self._source, asyncio.get_running_loop(), self._lines)
        return f"{_QUIT} quits, Ctrl-C stops an answer"

    async def run(self) -> None:
        assert self._inbox is not None, "connect first"
        interactive = self._source.isatty()
        while True:
            if interactive:
                self._print("> ")
            line = await self._lines.get()
            if line is None or line.strip() == _QUIT:
                return
            if not line.strip():
                continue
            if command := parse(line):
                self._print(f"{await self._inbox.obey(command, CHANNEL)}\n")
                continue
            self._asked += 1
            key = f"terminal:{self._session}:{self._asked}"
            prompt = Prompt(key, CHANNEL, Place(room="", message=key), Person("me", "me"), line.strip())
            try:
                await self._inbox.receive(prompt)
            except StoreError as error:
                self._print(f"({error})\n")
            self._answering = True
            await self._inbox.quiet(CHANNEL)
            self._answering = False
            self._print("\n\n")

    async def interrupt(self) -> None:
        """Ctrl-C: stops the running answer, or tells how to quit."""
        assert self._inbox is not None, "connect first"
        if self._answering:
            await self._inbox.obey(Command.STOP, CHANNEL)
        else:
            self._print("\n(Ctrl-C again, or q, quits.)\n> ")

    def quit(self) -> None:
        """As if the person had typed `q`."""
        self._lines.put_nowait(None)

    async def post(self, place: Place, text: str, *, nonce: str, first: bool) -> Receipt:
        self._shown.clear()
        self._shown[nonce] = text
        self._print(text)
        return Receipt(nonce)

    async def edit(self, place: Place, message: str, text: str) -> Receipt:
        self._print(text.removeprefix(self._shown[message]))
        self._shown[message] = text
        return Receipt(message)

    async def delete(self, place: Place, message: str) -> Receipt:
        return Receipt(message)

    async def typing(self, place: Place) -> float:
        return 0.0

    async def close(self) -> None:
        """Nothing to do: the thread that reads ends with the process."""

    def _print(self, text: str) -> None:
        self._sink.write(text)
        self._sink.flush()


def _read_lines(source: TextIO, loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str | None]) -> None:
    """Reads in a thread of its own: reading a terminal blocks, and the end of the process must not wait for it."""

    def read() -> None:
        try:
            for line in iter(source.readline, ""):
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, None)
        except RuntimeError:
            pass  # the loop has ended: nobody wants the rest

    threading.Thread(target=read, name="terminal", daemon=True).start()
