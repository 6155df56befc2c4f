"""More questions than the bot may take on, as Discord and Slack deliver them."""

from __future__ import annotations

from pathlib import Path

from playground.openai.script import Script
from tests.e2e.world import world

LONG = " ".join(f"word{number}" for number in range(60))
SLOW = Script(LONG, tokens_per_second=40, first_token=0.0)
FULL = "There is already a question waiting here. Ask again after the next answer."


async def test_a_question_beyond_the_limit_is_refused_once_in_a_reply_to_it(tmp_path: Path):
    """Slack delivers each of them twice, as a mention and as a message."""
    async with world(tmp_path, bot={"max_waiting": 1}) as here:
        await here.start()
        discord, slack = here.playground.discord, here.playground.slack
        here.model_says(SLOW, SLOW, "Second.", "Second.")
        for _ in range(2):
            here.ask_discord("First or second?")
            here.ask_slack("First or second?")
        refused = {discord.general: here.ask_discord("A third?"), slack.general: here.ask_slack("A third?")}
        for room, question in refused.items():
            await here.until(lambda room=room: FULL in here.texts(room))
            [refusal] = [moment for moment in here.bot_messages(room) if moment.text == FULL]
            assert refusal.reply_to == question
            await here.until(lambda room=room: here.texts(room)[-1] == "Second.")
            assert sorted(here.texts(room)) == sorted([LONG, FULL, "Second."])
        assert len(here.playground.openai.streams) == 4
        assert here.refusals == []


async def test_a_channel_that_waits_for_another_is_answered_after_it_and_after_a_restart(tmp_path: Path):
    async with world(tmp_path, bot={"max_running": 1, "shutdown_grace": 0.0}) as here:
        await here.start()
        discord, slack = here.playground.discord, here.playground.slack
        here.model_says(SLOW, "On Slack.")
        here.ask_discord("First?")
        await here.until(lambda: here.texts(discord.general))
        here.ask_slack("Second?")
        await here.until(lambda: here.texts(discord.general) == [LONG])
        await here.shows(slack.general, "On Slack.")

        here.model_says(SLOW)
        here.ask_discord("Third?")
        await here.until(lambda: len(here.texts(discord.general)) == 2)
        here.ask_slack("Fourth?")
        await here.stop()
        assert here.texts(discord.general)[-1].endswith("and goes on when it is back.")
        assert here.texts(slack.general) == ["On Slack."]
        here.model_says("After the restart.")
        await here.start()
        await here.until(lambda: here.texts(discord.general)[-1] == LONG)
        await here.shows(slack.general, "On Slack.", "After the restart.")
