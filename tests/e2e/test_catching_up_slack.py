"""What was asked on Slack while the bot was away or cut off is answered when it is back, once and oldest first."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.slack.platform import SlackPlatform
from bot.app import open_engine
from bot.config import Secrets, Settings
from tests.e2e.world import World, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncGenerator[World]:
    """The channel `help` is always on. Slack delivers nothing again, so what nobody heard can only be looked up."""
    async with world(tmp_path) as found:
        found.slack["always_on"] = [found.playground.slack.add_channel("help")]
        found.playground.slack.limits.redeliver_after = ()
        yield found


def answered(here: World, room: str) -> list[str]:
    """The questions that the built-in assistant has said back, in the order of its answers."""
    return [quoted for text in here.texts(room) for quoted in re.findall(r"> (?:\w+: )?(.+)", text)]


async def answers(here: World, room: str, *questions: str) -> None:
    """Waits until these are answered, and no others."""
    try:
        await here.until(lambda: answered(here, room) == list(questions))
    except TimeoutError:
        raise AssertionError(f"stands there: {here.texts(room)!r}\nexpected: {list(questions)!r}") from None


async def test_what_was_asked_while_it_was_away_is_answered_once(here: World):
    slack = here.playground.slack
    [help] = here.slack["always_on"]
    direct = slack.open_dm(slack.ada)
    await here.start()
    root = here.ask_slack("zero")
    await answers(here, slack.general, "zero")
    await here.stop()

    asked = [
        slack.say(slack.general, slack.linus, "<@BOT> one"),
        slack.say(slack.general, slack.ada, "two", thread_ts=root),
        slack.say(slack.general, slack.ada, "I was talking to Linus"),
        slack.say(slack.general, slack.ada, "<@BOT> three", thread_ts=root),
        slack.say(direct, slack.ada, "four"),
        slack.say(direct, slack.ada, "five"),
        slack.say(help, slack.linus, "six"),
    ]
    await here.start()
    await answers(here, slack.general, "zero", "one", "two", "three")
    await answers(here, direct, "four", "five")
    await answers(here, help, "six")

    slack.say(direct, slack.ada, "seven")  # and it listens
    await answers(here, direct, "four", "five", "seven")
    for ts in asked:
        slack.redeliver(ts)
    await here.stop()
    await here.start()
    slack.say(slack.general, slack.ada, "eight", thread_ts=root)
    await answers(here, slack.general, "zero", "one", "two", "three", "eight")
    await answers(here, direct, "four", "five", "seven")
    await answers(here, help, "six")
    assert len(here.playground.openai.streams) == 9
    assert here.refusals == []


async def test_what_people_said_before_the_bot_was_asked_in_their_thread_is_no_question_later(here: World):
    slack = here.playground.slack
    await here.start()
    root = slack.say(slack.general, slack.ada, "has anybody seen my keys?")
    slack.say(slack.general, slack.linus, "ask the bot", thread_ts=root)
    slack.say(slack.general, slack.ada, "<@BOT> have you?", thread_ts=root)
    await answers(here, slack.general, "have you?")
    await here.stop()
    slack.say(slack.general, slack.linus, "it has not", thread_ts=root)
    await here.start()
    await answers(here, slack.general, "have you?", "it has not")
    slack.say(slack.general, slack.ada, "and my bag?", thread_ts=root)
    await answers(here, slack.general, "have you?", "it has not", "and my bag?")


@asynccontextmanager
async def cut_off_soon(here: World) -> AsyncGenerator[None]:
    """The bot on Slack alone, with a connection that it takes for lost after a fraction of a second."""
    playground = here.playground
    platform = SlackPlatform(
        playground.slack.bot_token, playground.slack.app_token, api_url=playground.slack_api, heartbeat=0.1
    )
    settings = Settings.model_validate({"openai": {"base_url": playground.openai_api}})
    secrets = Secrets.model_validate({"openai_api_key": playground.openai.api_key})
    async with open_engine(settings, secrets, [platform], f"sqlite:///{here.database}") as engine:
        await platform.connect(engine.dispatcher)
        engine.dispatcher.back(platform.name)
        yield
        await engine.dispatcher.drain(3.0)


async def test_what_was_asked_while_the_connection_was_down_is_answered_once(here: World):
    """As long as Slack does not give the bot an address; some of it Slack delivers again after that."""
    slack = here.playground.slack
    async with cut_off_soon(here):
        root = here.ask_slack("zero")
        await answers(here, slack.general, "zero")
        slack.fail("apps.connections.open", status=503, times=8)
        slack.drop()
        slack.say(slack.general, slack.linus, "<@BOT> one")
        again = [
            slack.say(slack.general, slack.ada, "two", thread_ts=root),
            slack.say(slack.general, slack.ada, "<@BOT> three"),
        ]
        await answers(here, slack.general, "zero", "one", "two", "three")
        for ts in again:
            slack.redeliver(ts)
        slack.say(slack.general, slack.ada, "four", thread_ts=root)
        await answers(here, slack.general, "zero", "one", "two", "three", "four")
    assert len(here.playground.openai.streams) == 5
