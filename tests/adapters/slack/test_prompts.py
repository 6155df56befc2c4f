"""Recorded events, and the questions they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.prompts import is_addressed, is_post, is_reply, people_in, to_prompt
from bot.core.model import Channel, Person, Place

SAMPLES = Path(__file__).parents[2] / "samples" / "slack"
BOT, TEAM = "U0BOT0001", "T061EG9R6"
NOWHERE: frozenset[str] = frozenset()


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def prompt_of(event: dict[str, Any], **more: Any) -> Any:
    return to_prompt(event, team=TEAM, bot_user=BOT, **more)


def test_a_mention_is_a_question_answered_in_its_own_thread():
    prompt = prompt_of(sample("app_mention"), names={"U061F7AUR": "Ada"})
    assert prompt.key == "slack:T061EG9R6:C061EG9SL:1785491823.000349"
    assert str(prompt.channel) == "slack:T061EG9R6:C061EG9SL"
    assert prompt.place == Place("C061EG9SL", message="1785491823.000349", thread="1785491823.000349")
    assert prompt.author == Person("U061F7AUR", "Ada")
    assert prompt.text == "what is a rivulet (https://en.wikipedia.org/wiki/Rivulet), & is 1 < 2?"
    assert prompt.shared


def test_app_mention_and_message_of_one_post_give_the_same_prompt():
    assert prompt_of(sample("app_mention")) == prompt_of(sample("message_with_mention"))


@pytest.mark.parametrize("name", ["app_mention", "message_with_mention", "message_im", "message_file_share"])
def test_mentions_and_direct_messages_are_addressed(name: str):
    event = sample(name)
    assert is_post(event, bot_user=BOT)
    assert is_addressed(event, bot_user=BOT, always_on=NOWHERE)


def test_a_reply_without_a_mention_is_addressed_only_in_an_always_on_channel():
    event = sample("message_in_thread")
    assert is_reply(event)
    assert not is_addressed(event, bot_user=BOT, always_on=NOWHERE)
    assert is_addressed(event, bot_user=BOT, always_on=frozenset({"C061EG9SL"}))


def test_a_reply_stays_in_its_thread_and_names_whom_it_mentions():
    event = sample("message_in_thread")
    assert people_in(event, bot_user=BOT) == ["U061F7AUR", "U0GRACE01"]
    assert people_in(sample("app_mention"), bot_user=BOT) == ["U061F7AUR"]
    prompt = prompt_of(event, names={"U0GRACE01": "Grace"})
    assert prompt.place.thread == "1785491823.000349"
    assert prompt.text == "and what does @Grace say?"
    assert prompt.author.name == "U061F7AUR"


def test_a_thread_can_have_a_conversation_of_its_own():
    root = prompt_of(sample("app_mention"), scope="thread")
    reply = prompt_of(sample("message_in_thread"), scope="thread")
    assert str(root.channel) == "slack:T061EG9R6:C061EG9SL:1785491823.000349"
    assert reply.channel == root.channel


def test_a_direct_message_is_answered_where_it_stands():
    event = sample("message_im")
    prompt = prompt_of(event, scope="thread")
    assert prompt.place == Place("D024BE91L", message="1785491950.000100", thread="")
    assert prompt.channel == Channel("slack", "T061EG9R6:D024BE91L")
    assert not prompt.shared
    threaded = prompt_of(event | {"thread_ts": "1785491900.000000"}, scope="thread")
    assert threaded.place.thread == "1785491900.000000"
    assert threaded.channel == Channel("slack", "T061EG9R6:D024BE91L:1785491900.000000")


@pytest.mark.parametrize("name", ["message_file_share", "message_thread_broadcast"])
def test_posts_with_files_and_replies_sent_to_the_channel_are_posts(name: str):
    assert prompt_of(sample(name)).text == sample(name)["text"]


@pytest.mark.parametrize("event", sample("not_questions"), ids=lambda e: f"{e['type']}-{e.get('subtype', '')}")
def test_what_no_person_wrote_just_now_is_no_question(event: dict[str, Any]):
    assert not is_post(event, bot_user=BOT)
    assert prompt_of(event) is None


@pytest.mark.parametrize("text", ["<@U0BOT0001>", " <@U0BOT0001|rivulet>  "])
def test_a_mention_without_a_word_asks_for_help(text: str):
    assert prompt_of(sample("app_mention") | {"text": text}).text == "!help"


def test_a_picture_without_words_in_a_channel_asks_for_nothing():
    event = sample("message_file_share") | {"text": "", "channel": "C061EG9SL", "channel_type": "channel"}
    assert prompt_of(event) is None


def test_a_command_is_bare_once_the_mention_is_gone():
    assert prompt_of(sample("app_mention") | {"text": "<@U0BOT0001> !stop"}).text == "!stop"
