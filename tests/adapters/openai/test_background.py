"""When an answer is asked for in the background: by the setting, by what the server takes, and by what it costs."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from adapters.openai.background import WORTH, Background, Setting
from bot.core.model import Began, Exchange
from playground.openai.faults import JsonInstead
from playground.openai.script import Script
from playground.openai.server import OpenAIStandIn
from tests.adapters.openai.talk import Talk, talking


def choices(background: Background, slower: float, answers: int) -> list[bool]:
    """Of so many answers, on a server where those in the background begin later by so many seconds."""
    chosen: list[bool] = []
    for _ in range(answers):
        chosen.append(background.choose())
        background.began(chosen[-1], 1.0 + slower * chosen[-1])
    return chosen


def test_the_setting_decides_alone_where_it_is_on_or_off() -> None:
    for setting in ("on", "off"):
        background = Background(setting)
        background.refused()
        assert choices(background, 10 if setting == "on" else -10, 40) == [setting == "on"] * 40


def test_the_first_answers_are_asked_for_in_both_ways_in_turn() -> None:
    assert choices(Background("auto"), 0, 6) == [True, False] * 3


@pytest.mark.parametrize(("slower", "chosen"), [(-0.2, True), (WORTH - 0.01, True), (WORTH + 0.01, False), (3, False)])
def test_it_is_used_as_long_as_it_begins_hardly_later(slower: float, chosen: bool) -> None:
    background = Background("auto")
    choices(background, slower, 6)
    later = choices(background, slower, 160)
    assert later.count(not chosen) == 10, "the other way is looked at now and then"


def test_a_single_slow_answer_changes_nothing() -> None:
    background = Background("auto")
    choices(background, 0, 20)
    background.began(True, 60)
    assert background.worth_it


def test_a_server_that_changes_is_followed() -> None:
    background = Background("auto")
    choices(background, 0, 20)
    assert choices(background, 3, 40).count(True) < 10
    assert choices(background, 0, 400)[-100:].count(True) > 90


def test_after_a_refusal_it_is_not_tried_again() -> None:
    background = Background("auto")
    assert background.choose()
    background.refused()
    assert not any(choices(background, 0, 40))


def test_answers_at_once_are_asked_for_in_both_ways_too() -> None:
    background = Background("auto")
    assert [background.choose() for _ in range(6)] == [True, False] * 3


@pytest.fixture
async def talk() -> AsyncGenerator[Talk]:
    async with talking("responses", background="auto") as talk:
        yield talk


def asked(server: OpenAIStandIn) -> list[bool]:
    """Whether each question was asked in the background."""
    return ["background" in request.body for request in server.requests if request.path == "/responses"]


async def test_auto_measures_and_decides(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.openai.background.WORTH", 0.1)
    talk.server.background_delay = 0.2
    for _ in range(3):
        await talk.ask("Hello")
        await talk.ask("Hello")
    talk.server.background_delay = 0
    before = len(asked(talk.server))
    await talk.ask("Hello")
    assert asked(talk.server)[before:] == [False]


async def test_what_the_model_thinks_first_is_no_delay(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its length would decide."""
    monkeypatch.setattr("adapters.openai.background.WORTH", 0.1)
    for _ in range(3):
        talk.server.script(Script("Hello.", reasoning="They greet me.", tokens_per_second=20))
        await talk.ask("Hello")
        await talk.ask("Hello")
    assert (await talk.ask("Hello")).began.response


async def test_a_server_that_refuses_the_field_is_asked_without_it_at_once_and_from_then_on(talk: Talk) -> None:
    talk.server.background = "off"
    for _ in range(3):
        outcome = await talk.ask("Hello")
        assert outcome.text
        assert not outcome.began.response
    assert asked(talk.server) == [True, False, False, False]


async def test_a_server_that_ignores_the_field_gives_nothing_that_can_be_taken_up(talk: Talk) -> None:
    talk.server.background = "ignored"
    for _ in range(3):
        assert not (await talk.ask("Hello")).began.response
    assert asked(talk.server) == [True, False, False]


async def test_a_server_that_tells_of_the_answer_in_a_document_is_looked_up(talk: Talk) -> None:
    talk.server.script(Script("One two three.", fault=JsonInstead()))
    outcome = await talk.ask("Hello")
    assert outcome.text == "One two three."
    assert outcome.began.response


@pytest.mark.parametrize("setting", ["on", "off"])
async def test_a_setting_that_is_not_auto_is_obeyed(setting: Setting) -> None:
    async with talking("responses", background=setting) as talk:
        for _ in range(8):
            assert bool((await talk.ask("Hello")).began.response) == (setting == "on")


async def test_a_refusal_of_what_was_set_is_told() -> None:
    async with talking("responses", background="on") as talk:
        talk.server.background = "off"
        outcome = await talk.ask("Hello")
    assert not outcome.text
    assert "background" in outcome.ending.detail


async def test_where_the_history_is_local_nothing_is_asked_for_in_the_background() -> None:
    async with talking("responses, no conversations", background="on") as talk:
        await talk.ask("Hello")
    assert asked(talk.server) == [False]


async def test_an_answer_that_does_not_know_the_history_is_cancelled() -> None:
    async with talking("responses, conversations ignored", background="on") as talk:
        talk.history = [Exchange("One?", "1.")]
        outcome = await talk.ask("Two?")
        assert asked(talk.server) == [True, False]
        assert [event.response for event in outcome.events if isinstance(event, Began)] == ["", ""]
        first, _ = talk.server.streams
        assert f"/responses/{first.id}/cancel" in [request.path for request in talk.server.requests]
