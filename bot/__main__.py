"""The command line: rivulet run | chat | playground | check."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from bot import logs
from bot.app import chat, run
from bot.check import check
from bot.config import Secrets, Settings, load_secrets, load_settings, missing_key, require_platforms
from bot.demo import demo
from bot.errors import ConfigError, RivuletError
from bot.signals import Signals

_DEFAULT = Path("config.toml")


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0, 1 where `check` found something or the bot could not go on, 2 for wrong settings."""
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(_dispatch(options))
    except ConfigError as error:
        _complain(error)
        return 2
    except RivuletError as error:
        _complain(error)
        return 1


async def _dispatch(options: argparse.Namespace) -> int:
    if options.command == "playground":
        logs.set_up("warning")
        await demo(options.port, options.latency, load_secrets(Path()), _say, browser=not options.no_browser)
        return 0
    settings, secrets = _load(options.config)
    logs.set_up(settings.bot.log_level)
    match options.command:
        case "run":
            require_platforms(settings, secrets)
            await run(settings, secrets, _say, Signals())
        case "chat":
            if problems := missing_key(settings, secrets):
                raise ConfigError("\n".join(problems))
            await chat(settings, secrets, Signals(), keep=options.keep)
        case _:
            require_platforms(settings, secrets)
            return 0 if await check(settings, secrets, _say) else 1
    return 0


def _load(path: Path | None) -> tuple[Settings, Secrets]:
    """The settings of this file, or of config.toml where there is one, else the defaults."""
    if path is None and not _DEFAULT.exists():
        return Settings(), load_secrets(Path())
    path = path or _DEFAULT
    return load_settings(path), load_secrets(path.parent)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rivulet", description="Streams an OpenAI model's answers into Discord, Slack and the terminal."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, metavar="FILE", help="default: config.toml, if there is one")
    commands.add_parser("run", parents=[config], help="run the bot")
    talk = commands.add_parser("chat", parents=[config], help="talk to the model in this terminal; q quits")
    talk.add_argument("--keep", action="store_true", help="keep the conversation and go on with it next time")
    commands.add_parser("check", parents=[config], help="test settings, keys, tokens, intents and scopes")
    play = commands.add_parser("playground", help="try the bot in a browser, without tokens")
    play.add_argument("--port", type=int, default=8470, help="of the page on 127.0.0.1; 0 takes a free one")
    play.add_argument("--latency", type=float, default=0.08, help="seconds that a call takes (default: 0.08)")
    play.add_argument("--no-browser", action="store_true", help="only print the page's address")
    return parser


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(error: Exception) -> None:
    for line in str(error).splitlines():
        print(f"rivulet: {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
