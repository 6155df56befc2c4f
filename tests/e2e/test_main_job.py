"""A question becomes an answer that grows, on both platforms, with every backend; and is remembered."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from playground.openai.script import Script
from tests.cursor import without_cursor
from tests.e2e.world import World, world

LONG = " ".join(f"word{number}" for number in range(120))
APIS = ["responses", "assistants", "chat"]


@pytest.fixture
async def here(tmp_path: Path) -> AsyncGenerator[World]:
    async with world(tmp_path) as found:
        await found.start()
        yield found


async def test_a_mention_on_discord_is_answered_in_a_reply_that_grows(here: World):
    discord = here.playground.discord
    here.model_says(Script(LONG, tokens_per_second=80, first_token=0.0))
    question = here.ask_discord("Tell me something long.")
    await here.shows(discord.general, LONG)
    [answer] = here.bot_messages(discord.general)
    states = here.playground.timeline.states(answer.message)
    assert len(states) >= 4
    assert states[0].reply_to == question
    texts = [without_cursor(state.text) for state in states]
    assert all(LONG.startswith(text) for text in texts)
    assert texts == sorted(texts, key=len)
    assert here.refusals == []
    assert discord.pings == []


async def test_discord_shows_typing_until_the_first_words_are_there(here: World):
    here.model_says(Script("Hello there, Ada.", first_token=0.3))
    here.ask_discord("Hello?")
    await here.shows(here.playground.discord.general, "Hello there, Ada.")
    kinds = [m.kind for m in here.playground.timeline.moments if m.bot]
    assert kinds[0] == "typing"
    assert "typing" not in kinds[1:]


async def test_a_mention_on_slack_is_answered_in_its_thread(here: World):
    slack = here.playground.slack
    here.model_says(Script(LONG, tokens_per_second=80, first_token=0.0))
    question = here.ask_slack("Tell me something long.")
    await here.shows(slack.general, LONG)
    [answer] = here.bot_messages(slack.general)
    states = here.playground.timeline.states(answer.message)
    assert len(states) >= 3
    assert answer.reply_to == question
    assert all(LONG.startswith(without_cursor(state.text)) for state in states)
    assert here.refusals == []
    assert len(here.playground.openai.streams) == 1  # app_mention and message.channels were both delivered


async def test_a_slack_thread_goes_on_without_a_mention(here: World):
    slack = here.playground.slack
    here.model_says("First.", "Second.")
    question = here.ask_slack("One?")
    await here.shows(slack.general, "First.")
    slack.say(slack.general, slack.ada, "And two?", thread_ts=question)
    await here.shows(slack.general, "First.", "Second.")
    slack.say(slack.general, slack.linus, "Nobody asked you.")
    here.model_says("Third.")
    slack.say(slack.general, slack.ada, "And three?", thread_ts=question)
    await here.shows(slack.general, "First.", "Second.", "Third.")


async def test_direct_messages_need_no_mention(here: World):
    discord, slack = here.playground.discord, here.playground.slack
    room = discord.open_dm(discord.ada)
    here.model_says("Hello, Discord.")
    discord.say(room, discord.ada, "Hello")
    await here.shows(room, "Hello, Discord.")
    room = slack.open_dm(slack.ada)
    here.model_says("Hello, Slack.")
    slack.say(room, slack.ada, "Hello")
    await here.shows(room, "Hello, Slack.")
    assert here.playground.openai.streams[-1].request.question == "Hello"


async def test_a_discord_thread_is_a_channel_of_its_own(here: World):
    discord = here.playground.discord
    here.model_says("In general.", "In the thread.")
    here.ask_discord("Remember the number 7.")
    await here.shows(discord.general, "In general.")
    thread = discord.create_thread(discord.general, "aside")
    here.ask_discord("What number?", room=thread)
    await here.shows(thread, "In the thread.")
    assert "number 7" not in here.playground.openai.streams[-1].request.whole


async def test_the_model_is_told_who_speaks_where_several_people_write(here: World):
    here.model_says("Hello.", "Hello too.")
    here.ask_discord("Who am I?")
    await here.shows(here.playground.discord.general, "Hello.")
    here.ask_discord("And I?", person=here.playground.discord.linus)
    await here.shows(here.playground.discord.general, "Hello.", "Hello too.")
    whole = here.playground.openai.streams[-1].request.whole
    assert "user: Ada: Who am I?" in whole
    assert whole.endswith("user: Linus: And I?")


@pytest.mark.parametrize("api", APIS)
async def test_a_second_question_remembers_the_first_also_after_a_restart(tmp_path: Path, api: str):
    async with world(tmp_path, openai={"api": api}) as here:
        await here.start()
        room = here.playground.discord.general
        here.model_says("Noted.", "It is 42.", "Still 42.")
        here.ask_discord("The number is 42.")
        await here.shows(room, "Noted.")
        here.ask_discord("What is the number?")
        await here.shows(room, "Noted.", "It is 42.")
        assert "The number is 42." in here.playground.openai.streams[-1].request.whole
        await here.stop()
        await here.start()
        here.ask_discord("And now?")
        await here.shows(room, "Noted.", "It is 42.", "Still 42.")
        whole = here.playground.openai.streams[-1].request.whole
        assert "The number is 42." in whole
        assert "It is 42." in whole
        assert whole.count("What is the number?") == 1


async def test_slack_threads_have_a_memory_of_their_own_where_configured(tmp_path: Path):
    async with world(tmp_path, slack={"conversation_scope": "thread"}) as here:
        await here.start()
        room = here.playground.slack.general
        here.model_says("One.", "Two.")
        here.ask_slack("The secret is 5.")
        await here.shows(room, "One.")
        here.ask_slack("What is the secret?")
        await here.shows(room, "One.", "Two.")
        assert "secret is 5" not in here.playground.openai.streams[-1].request.whole


async def test_questions_of_one_channel_are_answered_in_order_and_channels_at_once(here: World):
    discord = here.playground.discord
    other = discord.add_channel("other")
    here.model_says(*[Script(f"Answer {number}.", first_token=0.15) for number in range(3)])
    questions = [here.ask_discord(f"Question {number}?") for number in range(3)]
    await here.until(lambda: here.playground.openai.streams)
    here.playground.openai.script(Script("Elsewhere."))
    await here.shows(discord.general, "Answer 0.", "Answer 1.", "Answer 2.")
    assert [moment.reply_to for moment in here.bot_messages(discord.general)] == questions
    assert [s.request.question for s in here.playground.openai.streams] == [f"Ada: Question {n}?" for n in range(3)]
    here.ask_discord("And here?", room=other)
    await here.shows(other, "Elsewhere.")


async def test_a_long_answer_goes_on_in_further_messages_with_its_fence_reopened(here: World):
    code = "\n".join(f"print('line {number} of a long program')" for number in range(120))
    here.model_says(f"Here:\n\n```python\n{code}\n```\n\nDone.")
    here.ask_discord("A long program, please.")
    room = here.playground.discord.general
    await here.until(lambda: here.texts(room) and here.texts(room)[-1].endswith("Done."))
    pages = here.texts(room)
    assert len(pages) == 3
    assert all(len(page) <= 2000 and page.count("```") == 2 for page in pages)
    lines = [line for page in pages for line in page.split("\n") if line.startswith("print")]
    assert "\n".join(lines) == code
    assert here.refusals == []


async def test_mentions_in_the_models_text_reach_nobody(here: World):
    discord, slack = here.playground.discord, here.playground.slack
    text = f"@everyone <@{discord.linus}> <!channel> <@{slack.linus}> <https://example.com|label> a < b"
    here.model_says(text, text)
    here.ask_discord("Ping them all.")
    apart = text.replace("@everyone", "@\u200beveryone").replace("<@1", "<@\u200b1")
    await here.shows(discord.general, apart)
    here.ask_slack("Ping them all.")
    await here.until(lambda: "".join(here.texts(slack.general)).endswith("a < b"))
    assert discord.pings == []
    assert slack.pings == []


async def test_a_redelivered_question_is_answered_once(here: World):
    discord, slack = here.playground.discord, here.playground.slack
    here.model_says("Once.", "Once here.")
    question = here.ask_discord("Hello?")
    await here.shows(discord.general, "Once.")
    discord.redeliver(question)
    asked = here.ask_slack("Hello?")
    await here.shows(slack.general, "Once here.")
    slack.redeliver(asked)
    here.model_says("Next.")
    here.ask_discord("Next?")
    await here.shows(discord.general, "Once.", "Next.")
    assert len(here.playground.openai.streams) == 3
