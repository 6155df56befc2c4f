"""`rivulet run` in a process of its own, forked off one that has imported everything before.

So a start costs a few tenths of a second of the processor and not two seconds, most of which are imports; that is what
makes hundreds of them bearable.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from pathlib import Path

from tests.cli.program import SECRETS

_OUT, _LOG = "bot.out", "bot.log"
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(
    ["bot.app", "adapters.discord.platform", "adapters.slack.platform", "adapters.database.open", __name__]
)


class Bot:
    """One process, in a folder with config.toml and .env; `bot.log` there has what all of them complained of."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = _forks.Process(target=_run, args=(str(folder),), daemon=True)

    async def start(self) -> None:
        (self._folder / _OUT).write_text("")
        await asyncio.to_thread(self._process.start)  # the first one waits for the imports

    @property
    def out(self) -> str:
        """What it has printed."""
        return (self._folder / _OUT).read_text()

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    async def ends(self, within: float) -> int | None:
        """Its exit code, or None if it is still there after so many seconds."""
        await asyncio.to_thread(self._process.join, within)
        return self.exit_code


def _run(folder: str) -> None:
    """The whole life of the process."""
    from bot.__main__ import main

    os.chdir(folder)
    for name in SECRETS:
        os.environ.pop(name, None)
    os.dup2(os.open(_OUT, os.O_WRONLY | os.O_TRUNC), 1)
    os.dup2(os.open(_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
    sys.exit(main(["run", "--config", "config.toml"]))
