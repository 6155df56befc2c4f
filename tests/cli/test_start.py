"""Starting and serving, without a process around it: platforms out of reach, tokens that are refused."""

from __future__ import annotations

import asyncio

import pytest

from bot import app
from bot.app import run
from bot.config import Secrets, Settings
from bot.errors import ConfigError
from bot.signals import Signals
from playground.openai.script import Script
from playground.server import Playground
from tests.cli.program import ask, secrets, settings, texts, until


def configured(playground: Playground, **more: str) -> tuple[Settings, Secrets]:
    """Everything in memory; `more` are other tokens, empty ones for a platform that is off."""
    tokens = {name.lower(): value for name, value in (secrets(playground) | more).items()}
    return (
        Settings.model_validate(settings(playground, database={"url": "sqlite://"})),
        Secrets.model_validate(tokens),
    )


@pytest.mark.parametrize(
    ("tokens", "named"),
    [
        ({"DISCORD_TOKEN": "wrong", "SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""}, "DISCORD_TOKEN: "),
        ({"DISCORD_TOKEN": "", "SLACK_BOT_TOKEN": "xoxb-wrong"}, "SLACK_BOT_TOKEN: "),
        ({"DISCORD_TOKEN": "", "SLACK_APP_TOKEN": "xapp-wrong"}, "SLACK_APP_TOKEN: "),
        (
            {"DISCORD_TOKEN": "", "SLACK_BOT_TOKEN": "xapp-playground", "SLACK_APP_TOKEN": "xoxb-playground"},
            "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are swapped",
        ),
    ],
)
async def test_a_refused_token_ends_the_start_with_one_line(playground: Playground, tokens: dict[str, str], named: str):
    said: list[str] = []
    with pytest.raises(ConfigError) as caught:
        await run(*configured(playground, **tokens), said.append, Signals())
    assert str(caught.value).startswith(named)
    assert len(str(caught.value).splitlines()) == 1
    assert "ready" not in said


async def test_platforms_out_of_reach_are_tried_until_they_answer(
    unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(app, "_PATIENCE", 0.1)
    later = Playground(latency=0.01)
    later.url = f"http://127.0.0.1:{unused_tcp_port}"
    said: list[str] = []
    signals = Signals()
    bot = asyncio.create_task(run(*configured(later), said.append, signals))
    await until(lambda: len(said) == 2)
    assert {line.split(":")[0] for line in said} == {"discord", "slack"}
    assert all("no connection yet, still trying; `rivulet check` tells what is wrong" in line for line in said)
    await later.start(unused_tcp_port)
    try:
        await until(lambda: "ready" in said)
        signals.arrive()
        await bot
    finally:
        await later.close()


async def test_a_signal_while_connecting_ends_it(playground: Playground):
    """Nothing answers the bot's first calls, and it does not wait for that."""
    called = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()  # until the bot hangs up
        writer.close()
        await writer.wait_closed()

    said, signals = list[str](), Signals()
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        given, tokens = configured(playground)
        there = {"discord": {"api_url": url}, "slack": {"api_url": url}}
        bot = asyncio.create_task(run(given.model_validate(given.model_dump() | there), tokens, said.append, signals))
        async with asyncio.timeout(10):
            await called.wait()
            signals.arrive()
            await bot
    assert said == []


async def test_a_second_signal_does_not_wait_for_the_answers(playground: Playground):
    given, tokens = configured(playground)
    given = given.model_validate(given.model_dump() | {"bot": {"shutdown_grace": 600.0}})
    said, signals = list[str](), Signals()
    bot = asyncio.create_task(run(given, tokens, said.append, signals))
    await until(lambda: "ready" in said)
    minute = Script(" ".join(["long"] * 600), tokens_per_second=10, first_token=0.0)
    await ask(playground, minute, minute)
    signals.arrive()
    await until(lambda: "stopping: running answers are finished first" in said)
    signals.arrive()
    async with asyncio.timeout(10):
        await bot
    for room in (playground.discord.general, playground.slack.general):
        assert "Interrupted: the bot is restarting" in texts(playground, room)[-1]


async def test_a_signal_before_anybody_waits_for_one_is_not_lost(playground: Playground):
    """As while the database is being opened."""
    signals, said = Signals(), list[str]()
    signals.arrive()
    await run(*configured(playground), said.append, signals)
    assert said == []


async def test_a_token_revoked_later_ends_the_bot_after_its_running_answers(playground: Playground):
    discord, slack, said = playground.discord, playground.slack, list[str]()
    bot = asyncio.create_task(run(*configured(playground), said.append, Signals()))
    await until(lambda: "ready" in said)
    playground.openai.script(Script("This is finished first.", tokens_per_second=10, first_token=0.0))
    slack.say(slack.general, slack.ada, f"<@{slack.bot_user}> Hello?")
    await until(lambda: playground.openai.streams)
    discord.settings.token = "another"
    discord.drop()
    with pytest.raises(ConfigError, match=r"^DISCORD_TOKEN: Discord does not accept this token\."):
        await bot
    assert texts(playground, slack.general) == ["This is finished first."]
