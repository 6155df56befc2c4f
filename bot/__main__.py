"""The command line: rivulet run | chat | check | playground.

A command imports what it needs when it runs: the SDKs take seconds, and neither --help nor a mistyped setting should.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import math
import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import ConfigError, RivuletError

if TYPE_CHECKING:
    from bot.config import Secrets, Settings

_DEFAULT = Path("config.toml")


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0, 2 for wrong settings, 1 where the bot could not go on or `check` found something."""
    options = _parser().parse_args(arguments)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback where nobody listens for signals yet
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no “…” shows a question mark
    try:
        return asyncio.run(options.command(options))
    except RivuletError as error:
        for line in str(error).splitlines():
            print(f"rivulet: {line}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done: one Ctrl-C too many must not trip the interpreter


async def _run(options: argparse.Namespace) -> int:
    from bot.config import require_platforms

    settings, secrets = _load(options.config)
    require_platforms(settings, secrets)

    from bot import logs
    from bot.app import run
    from bot.signals import Signals

    logs.set_up(settings.bot.log_level)
    await run(settings, secrets, _say, Signals())
    return 0


async def _chat(options: argparse.Namespace) -> int:
    from bot.config import missing_key

    settings, secrets = _load(options.config)
    if problems := missing_key(settings, secrets):
        raise ConfigError("\n".join(problems))

    from bot import logs
    from bot.chat import chat
    from bot.signals import Signals

    # What a warning would say stands in words below the answer.
    logs.set_up("error" if settings.bot.log_level == "warning" else settings.bot.log_level)
    await chat(settings, secrets, Signals(), keep=options.keep)
    return 0


async def _check(options: argparse.Namespace) -> int:
    settings, secrets = _load(options.config)

    from bot import logs
    from bot.check import check

    logs.set_up("error")
    file = options.config or _DEFAULT
    _say("config: ok" if file.exists() else f"config: ok (the defaults: there is no {file} here)")
    return await check(settings, secrets, _say)


async def _playground(options: argparse.Namespace) -> int:
    from bot import logs
    from bot.config import load_secrets
    from bot.demo import demo
    from bot.signals import Signals

    logs.set_up("warning")
    secrets = load_secrets(Path())
    return await demo(options.port, options.latency, secrets, _say, Signals(), browser=not options.no_browser)


def _load(path: Path | None) -> tuple[Settings, Secrets]:
    """The settings of this file, or of config.toml where there is one, else the defaults. Raises ConfigError."""
    from bot.config import Settings, load_secrets, load_settings

    if path is None and not _DEFAULT.exists():
        return Settings(), load_secrets(Path())
    path = path or _DEFAULT
    return load_settings(path), load_secrets(path.parent)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rivulet", description="Streams an OpenAI model's answers into Discord, Slack and the terminal."
    )
    parser.add_argument("--version", action="version", version=f"rivulet {version('rivulet')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, metavar="FILE", help="default: config.toml here, if there is one")

    def add(name: str, work: object, summary: str, more: str, *parents: argparse.ArgumentParser):
        command = commands.add_parser(name, parents=parents, help=summary, description=f"{summary}. {more}")
        command.set_defaults(command=work)
        return command

    add(
        "run",
        _run,
        "Run the bot",
        "A platform is on when its tokens are set in the environment or in .env beside the config. SIGTERM or Ctrl-C "
        "ends it when the running answers are finished; a second one does not wait for them.",
        config,
    )
    talk = add(
        "chat",
        _chat,
        "Talk to the model in this terminal",
        "q quits, Ctrl-C stops an answer. Input may also be piped in: each line is a question.",
        config,
    )
    talk.add_argument("--keep", action="store_true", help="keep the conversation, and go on with it the next time")
    add(
        "check",
        _check,
        "Test settings, database, key, tokens, intents and scopes",
        "Says what is wrong and how to mend it. Exit code: 0 all is well, 2 settings are wrong or missing, 1 other.",
        config,
    )
    play = add(
        "playground",
        _playground,
        "Try the bot in a browser, without tokens",
        "Starts stand-ins for Discord and Slack on this machine, and the bot. With OPENAI_API_KEY set, OpenAI's model "
        "answers; without it a scripted one.",
    )
    play.add_argument("--port", type=_port, default=8470, help="of the page on 127.0.0.1; 0 takes a free one (8470)")
    play.add_argument("--latency", type=_seconds, default=0.08, help="seconds that a call takes (0.08)")
    play.add_argument("--no-browser", action="store_true", help="only print the page's address")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; they are numbers from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 60:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds between 0 and 60")
    return seconds


def _say(line: str) -> None:
    try:
        print(line, flush=True)
    except OSError:  # nobody reads any more (`rivulet run | head -1`): the bot goes on, and the last flush is quiet too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
