"""`python -m playground` as a program."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from playground.__main__ import main


@asynccontextmanager
async def program(*arguments: str) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "playground", *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(20):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process) -> str:
    assert process.stdout
    return (await process.stdout.readline()).decode()


async def test_with_json_it_tells_where_it_listens_and_ends_with_its_standard_input() -> None:
    async with program("--port", "0", "--json") as process, aiohttp.ClientSession() as session:
        told = json.loads(await line(process))
        assert set(told) == {
            "url",
            "discord_api",
            "slack_api",
            "openai_api",
            "discord_token",
            "slack_bot_token",
            "slack_app_token",
            "openai_key",
        }
        async with session.get(told["url"]) as page, session.get(f"{told['url']}/page/feed") as feed:
            assert "Rivulet" in await page.text()
            assert (await feed.content.readline()) == b"event: hello\n"
            assert process.stdin
            process.stdin.close()
            assert await process.wait() == 0
            assert process.stderr
            assert await process.stderr.read() == b""


async def test_for_people_it_prints_what_a_bot_needs_and_ends_on_a_signal() -> None:
    async with program("--port", "0") as process:
        assert (await line(process)).startswith("The playground is at http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")
        assert b"SLACK_APP_TOKEN=xapp-" in out
        assert b"\napi_url" in out.replace(b"  ", b"")


async def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with program("--port", str(port)) as process:
            out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert err.decode() == f"playground: port {port} is in use; choose another with --port, or --port 0\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--port", "high"), "'high' is not a port"),
        (("--port", "65536"), "'65536' is not a port"),
        (("--latency", "-1"), "'-1' is not a number of seconds"),
        (("--latency", "nan"), "'nan' is not a number of seconds"),
    ],
)
def test_a_wrong_value_is_told(arguments: tuple[str, str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(list(arguments))
    assert reason in capsys.readouterr().err
