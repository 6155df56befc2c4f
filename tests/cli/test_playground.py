"""`rivulet playground`: the stand-ins and the bot together, from any folder and without a config."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import aiohttp

from bot.config import Secrets
from bot.demo import choose
from tests.cli.program import SCRIPT, Folder

ACCESS = {
    "url": "http://127.0.0.1:1",
    "discord_api": "http://127.0.0.1:1/discord/api/v10",
    "slack_api": "http://127.0.0.1:1/slack/api/",
    "openai_api": "http://127.0.0.1:1/openai/v1",
    "discord_token": "d",
    "slack_bot_token": "xoxb",
    "slack_app_token": "xapp",
    "openai_key": "playground",
}


async def test_it_starts_anywhere_and_ctrl_c_ends_both_processes(tmp_path: Path):
    """Also beside a folder that has the package's name."""
    (tmp_path / "playground").mkdir()
    (tmp_path / "playground" / "__init__.py").write_text("raise SystemExit('the wrong one')", encoding="utf-8")
    here = Folder(tmp_path)
    async with here.start("playground", "--port", "0", "--no-browser", program=SCRIPT) as program:
        await program.shows("Ctrl-C ends it.")
        found = re.search(
            r"Open (http://127\.0\.0\.1:\d+/) and write to the bot \(a scripted model answers\)", program.out
        )
        assert found
        async with aiohttp.ClientSession() as session:
            async with session.get(found[1]) as page:
                assert page.status == 200
            program.process.send_signal(signal.SIGINT)
            assert await program.ends() == 0
            try:
                await session.get(found[1])
            except aiohttp.ClientConnectionError:
                pass
            else:
                raise AssertionError("the playground is still there")
    assert "discord: connected as" in program.out
    assert "slack: connected as" in program.out
    assert program.errors == ""
    assert {path.name for path in here.path.iterdir()} == {"playground"}


async def test_a_port_in_use_is_one_clear_line(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with Folder(tmp_path).start("playground", "--port", str(port)) as program:
            assert await program.ends() == 2
    assert program.out == ""
    assert program.errors == f"playground: port {port} is in use; choose another with --port, or --port 0\n"


def test_without_a_key_the_scripted_model_answers():
    settings, secrets = choose(ACCESS, Secrets.model_validate({"openai_api_key": ""}))
    assert settings.openai.base_url == ACCESS["openai_api"]
    assert secrets.openai_api_key.get_secret_value() == "playground"


def test_with_a_key_openais_model_answers_and_only_openai_sees_the_key():
    mine = {"openai_api_key": "sk-mine", "discord_token": "mine", "slack_bot_token": "mine", "slack_app_token": "mine"}
    settings, secrets = choose(ACCESS, Secrets.model_validate(mine))
    assert settings.openai.base_url == "https://api.openai.com/v1"
    assert secrets.openai_api_key.get_secret_value() == "sk-mine"
    assert settings.discord.api_url == ACCESS["discord_api"]
    assert settings.slack.api_url == ACCESS["slack_api"]
    tokens = [secrets.discord_token, secrets.slack_bot_token, secrets.slack_app_token]
    assert [token.get_secret_value() for token in tokens] == ["d", "xoxb", "xapp"]
    assert settings.database.url == "sqlite://"
