"""The bot as a process of its own, and what can be told of it from outside and, by `watched.py`, from inside."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.program import environment

_WATCHED = Path(__file__).with_name("watched.py")
_PATIENCE = 120.0  # seconds that the bot may take to look at itself; traced memory takes most of a minute


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at one moment."""

    memory: float  # MiB of it that are in the machine's memory (RSS)
    blocks: int  # of memory that Python's objects hold, garbage included unless it was settled
    longest_pause: float  # seconds for which a collection of garbage has held up the process since the last look
    threads: int
    files: dict[str, int]  # open ones and sockets, by what they lead to; without idle ones
    idle: int  # connections in pools, open for the next call, which come and go with the load
    tasks: dict[str, int]  # by the coroutine that they run
    objects: dict[str, int]  # by class
    sizes: dict[str, int]  # of containers, by class and attribute
    allocated: list[str]  # where memory was taken, if that is traced

    @property
    def files_in_all(self) -> int:
        return sum(self.files.values())

    @property
    def tasks_in_all(self) -> int:
        return sum(self.tasks.values())


class Bot:
    """Run in a folder with config.toml and .env; `bot.log` there has what it complained of."""

    def __init__(self, folder: Path, *, trace: int = 0) -> None:
        """`trace`: frames of a traceback to remember for each piece of memory; 0 remembers none."""
        self._folder = folder
        self._sample = folder / "sample.json"
        self._trace = ["--trace", str(trace)] if trace else []
        self._process: Process | None = None

    async def start(self) -> None:
        with (self._folder / "bot.out").open("w") as out, (self._folder / "bot.log").open("w") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", str(_WATCHED), str(self._sample), *self._trace),
                cwd=self._folder,
                env=environment(),
                stdin=DEVNULL,
                stdout=out,
                stderr=log,
            )

    @property
    def out(self) -> str:
        return (self._folder / "bot.out").read_text()

    @property
    def log(self) -> str:
        return (self._folder / "bot.log").read_text(errors="replace")

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode if self._process else None

    async def look(self, *, settled: bool = False) -> Sample:
        """`settled`: after a collection of the garbage. Raises TimeoutError."""
        assert self._process
        self._sample.unlink(missing_ok=True)
        self._process.send_signal(signal.SIGUSR2 if settled else signal.SIGUSR1)
        async with asyncio.timeout(_PATIENCE):
            while not self._sample.exists():  # noqa: ASYNC110  (a file, which does not notify)
                await asyncio.sleep(0.02)
        inside: dict[str, Any] = json.loads(self._sample.read_text())
        process = Path(f"/proc/{self._process.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        return Sample(
            memory=int(status["VmRSS"].split()[0]) / 1024,
            threads=int(status["Threads"]),
            **inside,
        )

    async def stop(self, within: float) -> int | None:
        """SIGTERM; its exit code, or None if it had to be killed after so many seconds."""
        if self._process is None:
            return None
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(within):
                return await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            return None
