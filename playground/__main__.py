"""`python -m playground`: the stand-ins and their page by themselves, for any bot that speaks these protocols."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import os
import signal
import sys
import threading
from contextlib import suppress

from playground.server import Playground

PORT = 8470


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code: 2 if the port cannot be had."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(options.port, options.latency, as_json=options.json))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "is in use" if error.errno == errno.EADDRINUSE else "needs more rights than yours"
        print(f"playground: port {options.port} {why}; choose another with --port, or --port 0", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m playground", description=__doc__)
    parser.add_argument("--port", type=_port, default=PORT, help=f"on 127.0.0.1; 0 takes a free one (default {PORT})")
    parser.add_argument(
        "--latency", type=_seconds, default=0.08, help="seconds that a call to Discord or Slack takes (default 0.08)"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print addresses and tokens as one line of JSON, and end when the standard input does",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; they are numbers from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 60:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds between 0 and 60")
    return seconds


async def _serve(port: int, latency: float, *, as_json: bool) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    playground = Playground(latency=latency)
    try:
        await playground.start(port)
        print(json.dumps(_access(playground)) if as_json else _for_people(playground), flush=True)
        if as_json:
            _end_with_standard_input(loop, stop)
        await stop.wait()
    finally:
        await playground.close()


def _access(playground: Playground) -> dict[str, str]:
    return {
        "url": playground.url,
        "discord_api": playground.discord_api,
        "slack_api": playground.slack_api,
        "openai_api": playground.openai_api,
        "discord_token": playground.discord.token,
        "slack_bot_token": playground.slack.bot_token,
        "slack_app_token": playground.slack.app_token,
        "openai_key": playground.openai.api_key,
    }


def _for_people(playground: Playground) -> str:
    return f"""\
The playground is at {playground.url}/ (Ctrl-C ends it).

To bring a bot here, put this into its config.toml:
  [openai]
  base_url = "{playground.openai_api}"
  [discord]
  api_url = "{playground.discord_api}"
  [slack]
  api_url = "{playground.slack_api}"

and this into the .env beside it:
  OPENAI_API_KEY={playground.openai.api_key}
  DISCORD_TOKEN={playground.discord.token}
  SLACK_BOT_TOKEN={playground.slack.bot_token}
  SLACK_APP_TOKEN={playground.slack.app_token}
"""


def _end_with_standard_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Whoever started this holds the other end of the pipe; when they are gone, nothing is left behind."""

    def watch() -> None:
        # os.read and not sys.stdin: a thread that waits inside sys.stdin makes the interpreter's end fail
        with suppress(OSError):  # it was closed from the beginning
            while os.read(0, 4096):
                pass
        with suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="standard-input", daemon=True).start()


if __name__ == "__main__":
    raise SystemExit(main())
