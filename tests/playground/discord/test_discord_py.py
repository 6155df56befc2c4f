"""The real discord.py lives with the stand-in as it does with Discord."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands

from playground.discord.permissions import Permission
from playground.discord.server import DiscordStandIn
from playground.timeline import Timeline


async def test_login_shows_the_bot_its_guild_and_channels(stand_in: DiscordStandIn, bot: Any) -> None:
    assert str(bot.user.id) == stand_in.bot_user
    assert [guild.name for guild in bot.guilds] == ["Rivulet Playground"]
    assert [channel.name for channel in bot.guilds[0].text_channels] == ["general"]
    assert str(bot.application_id) == stand_in.application


async def test_a_wrong_token_is_refused_at_login(stand_in: DiscordStandIn, bot: Any) -> None:
    """`bot` has already pointed discord.py here."""
    other = discord.Client(intents=discord.Intents.none())
    with pytest.raises(discord.LoginFailure):
        await other.start("wrong")
    await other.close()


async def test_a_mention_is_answered_with_a_reply_that_is_edited(
    stand_in: DiscordStandIn, bot: Any, timeline: Timeline, until: Any
) -> None:
    asked = stand_in.say(stand_in.general, stand_in.ada, "what is a river?", mentions_bot=True)
    await until(lambda: bot.heard)
    question = bot.heard[0]
    assert question.mentions == [bot.guilds[0].me]
    assert question.author.display_name == "Ada"
    answer = await question.reply("A river", mention_author=False)
    await answer.edit(content="A river is water.")

    states = timeline.states(str(answer.id))
    assert [(state.kind, state.text) for state in states] == [("posted", "A river"), ("edited", "A river is water.")]
    assert states[0].reply_to == asked
    assert states[0].bot
    assert timeline.shown(stand_in.general)[str(answer.id)] == "A river is water."
    assert answer.reference
    assert str(answer.reference.message_id) == asked


async def test_a_persons_reply_shows_what_it_answers(stand_in: DiscordStandIn, bot: Any, until: Any) -> None:
    channel = bot.get_channel(int(stand_in.general))
    answer = await channel.send("anything else?")
    stand_in.say(stand_in.general, stand_in.linus, "yes", reply_to=str(answer.id))
    await until(lambda: bot.texts() == ["yes"])
    reply = bot.heard[-1]
    assert reply.reference.resolved.id == answer.id
    assert reply.mentions == [bot.guilds[0].me]


async def test_edits_and_deletions_of_people_are_told(stand_in: DiscordStandIn, bot: Any, until: Any) -> None:
    message = stand_in.say(stand_in.general, stand_in.ada, "helo")
    stand_in.edit(message, "hello")
    stand_in.delete(message)
    await until(lambda: bot.deletions)
    assert [edit.message.content for edit in bot.edits] == ["hello"]
    assert bot.deletions == [int(message)]


async def test_history_is_read_from_both_ends(stand_in: DiscordStandIn, bot: Any) -> None:
    ids = [stand_in.say(stand_in.general, stand_in.ada, f"line {number}") for number in range(130)]
    channel = bot.get_channel(int(stand_in.general))
    newest = [message.content async for message in channel.history(limit=2)]
    after = [message.content async for message in channel.history(after=discord.Object(int(ids[9])), limit=None)]
    assert newest == ["line 129", "line 128"]
    assert after == [f"line {number}" for number in range(10, 130)]


async def test_a_dm_is_a_channel_of_its_own(stand_in: DiscordStandIn, bot: Any, until: Any) -> None:
    room = stand_in.open_dm(stand_in.ada)
    stand_in.say(room, stand_in.ada, "just between us")
    await until(lambda: bot.heard)
    assert isinstance(bot.heard[0].channel, discord.DMChannel)
    await bot.heard[0].channel.send("of course")
    person = await bot.fetch_channel(int(room))
    assert [message.content async for message in person.history()] == ["of course", "just between us"]


async def test_a_dm_can_be_begun_by_the_bot(stand_in: DiscordStandIn, bot: Any, timeline: Timeline, until: Any) -> None:
    stand_in.say(stand_in.general, stand_in.ada, "write me")
    await until(lambda: bot.heard)
    sent = await bot.heard[0].author.send("here I am")
    assert str(sent.channel.id) == stand_in.open_dm(stand_in.ada)


async def test_threads_of_people_and_of_the_bot_are_channels(stand_in: DiscordStandIn, bot: Any, until: Any) -> None:
    thread = stand_in.create_thread(stand_in.general, "side talk")
    stand_in.say(thread, stand_in.ada, "in here")
    await until(lambda: "in here" in bot.texts())
    heard = next(message for message in bot.heard if message.content == "in here")
    assert isinstance(heard.channel, discord.Thread)
    assert heard.channel.parent_id == int(stand_in.general)

    start = stand_in.say(stand_in.general, stand_in.linus, "open one from this")
    await until(lambda: "open one from this" in bot.texts())
    made = await bot.get_channel(int(stand_in.general)).get_partial_message(int(start)).create_thread(name="mine")
    await made.send("first")
    assert str(made.id) == start


async def test_typing_is_seen(stand_in: DiscordStandIn, bot: Any, timeline: Timeline) -> None:
    async with bot.get_channel(int(stand_in.general)).typing():
        pass
    assert [(moment.kind, moment.author) for moment in timeline.moments] == [("typing", "Rivulet")]


async def test_files_are_accepted(stand_in: DiscordStandIn, bot: Any) -> None:
    file = discord.File(io.BytesIO(b"a,b\n"), filename="table.csv")
    sent = await bot.get_channel(int(stand_in.general)).send("see the file", file=file)
    assert [(each.filename, each.size) for each in sent.attachments] == [("table.csv", 4)]
    assert sent.content == "see the file"


async def test_a_synced_command_is_deferred_and_followed_up(
    stand_in: DiscordStandIn, bot: Any, timeline: Timeline, until: Any
) -> None:
    @bot.tree.command(name="ask", description="Ask something")
    async def ask(interaction: discord.Interaction, text: str) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.edit_original_response(content=f"you asked: {text}")
        await interaction.followup.send("and that was it", ephemeral=True)

    synced = await bot.tree.sync()
    assert [command.name for command in synced] == ["ask"]
    pressed = stand_in.press_command(stand_in.general, stand_in.ada, "ask", {"text": "why?"})
    await until(lambda: len(stand_in.responses(pressed)) == 2)

    original, follow_up = stand_in.responses(pressed)
    assert (original.content, follow_up.content) == ("you asked: why?", "and that was it")
    assert [state.text for state in timeline.states(original.id)] == ["", "you asked: why?"]
    assert timeline.states(follow_up.id)[0].private_to == "Ada"
    assert ask.name == "ask"


async def test_a_command_can_be_answered_at_once(stand_in: DiscordStandIn, bot: Any, until: Any) -> None:
    @bot.tree.command(name="help", description="Help", guild=discord.Object(int(stand_in.guild)))
    async def help(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("like this", ephemeral=True)

    await bot.tree.sync(guild=discord.Object(int(stand_in.guild)))
    pressed = stand_in.press_command(stand_in.general, stand_in.ada, "help")
    await until(lambda: stand_in.responses(pressed))
    channel = bot.get_channel(int(stand_in.general))
    assert [message async for message in channel.history()] == [], "only Ada sees an ephemeral message"
    assert isinstance(help, app_commands.Command)


async def test_a_button_changes_its_message(stand_in: DiscordStandIn, bot: Any, until: Any) -> None:
    class Buttons(discord.ui.View):
        @discord.ui.button(label="Stop", custom_id="stop")
        async def stop_it(self, interaction: discord.Interaction, button: discord.ui.Button[Any]) -> None:
            await interaction.response.edit_message(content="stopped", view=None)

    sent = await bot.get_channel(int(stand_in.general)).send("running", view=Buttons(timeout=None))
    stand_in.press_button(str(sent.id), stand_in.ada, "stop")
    await until(lambda: stand_in.state.message(str(sent.id)).content == "stopped")


async def test_nothing_is_lost_when_the_socket_is_dropped(stand_in: DiscordStandIn, bot: Any, until: Any) -> None:
    stand_in.say(stand_in.general, stand_in.ada, "before")
    stand_in.drop()
    stand_in.say(stand_in.general, stand_in.ada, "meanwhile")
    await stand_in.connected()
    stand_in.say(stand_in.general, stand_in.ada, "after")
    await until(lambda: len(bot.texts()) == 3)
    assert bot.texts() == ["before", "meanwhile", "after"]
    assert (bot.times_ready, bot.times_resumed) == (1, 1)


async def test_nothing_is_lost_when_discord_asks_to_reconnect(stand_in: DiscordStandIn, bot: Any, until: Any) -> None:
    stand_in.reconnect()
    stand_in.say(stand_in.general, stand_in.ada, "meanwhile")
    await stand_in.connected()
    await until(lambda: bot.texts() == ["meanwhile"])
    assert (bot.times_ready, bot.times_resumed) == (1, 1)


async def test_a_resumable_invalid_session_is_resumed(stand_in: DiscordStandIn, bot: Any, until: Any) -> None:
    stand_in.invalidate(resumable=True)
    stand_in.say(stand_in.general, stand_in.ada, "meanwhile")
    await until(lambda: bot.texts() == ["meanwhile"])
    assert bot.times_resumed == 1


async def test_a_lost_session_begins_anew_without_what_was_missed(
    stand_in: DiscordStandIn, bot: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(self: object, shard_id: int | None, *, initial: bool = False) -> None:
        """discord.py waits 5 s before it identifies again; here it need not."""

    monkeypatch.setattr(discord.Client, "before_identify_hook", at_once)
    stand_in.invalidate(resumable=False)
    stand_in.say(stand_in.general, stand_in.ada, "unheard")
    await stand_in.connected()
    stand_in.say(stand_in.general, stand_in.ada, "heard")
    await until(lambda: bot.texts() == ["heard"] and bot.times_ready == 2)
    assert bot.times_resumed == 0


async def test_a_message_can_be_delivered_twice(stand_in: DiscordStandIn, bot: Any, until: Any) -> None:
    message = stand_in.say(stand_in.general, stand_in.ada, "once")
    stand_in.redeliver(message)
    await until(lambda: bot.texts() == ["once", "once"])
    assert {str(heard.id) for heard in bot.heard} == {message}


async def test_pacing_by_the_headers_is_never_refused(stand_in: DiscordStandIn, bot: Any, timeline: Timeline) -> None:
    """discord.py reads the headers and holds back the sixth edit of a window."""
    stand_in.limits.edit = type(stand_in.limits.edit)(3, 0.1)
    message = await bot.get_channel(int(stand_in.general)).send("0")
    for number in range(1, 8):
        await message.edit(content=str(number))
    assert stand_in.refusals == []
    assert [state.text for state in timeline.states(str(message.id))] == [str(number) for number in range(8)]


async def test_a_refused_call_is_repeated_by_discord_py(stand_in: DiscordStandIn, bot: Any) -> None:
    body = {"message": "You are being rate limited.", "retry_after": 0.05, "global": False}
    stand_in.fail("POST", r"/messages$", status=429, body=body)
    sent = await bot.get_channel(int(stand_in.general)).send("again")
    assert sent.content == "again"
    assert [refusal.method for refusal in stand_in.refusals] == ["POST"]


async def test_a_dropped_call_may_have_had_its_effect(
    stand_in: DiscordStandIn, bot: Any, timeline: Timeline, until: Any
) -> None:
    channel = bot.get_channel(int(stand_in.general))
    stand_in.fail("POST", r"/messages$", drop=True)
    with pytest.raises(aiohttp.ClientConnectionError):
        await channel.send("never")
    stand_in.fail("POST", r"/messages$", drop=True, after_effect=True)
    with pytest.raises(aiohttp.ClientConnectionError):
        await channel.send("shown all the same")
    assert list(timeline.shown(stand_in.general).values()) == ["shown all the same"]


async def test_a_cancelled_call_takes_effect_all_the_same(
    stand_in: DiscordStandIn, bot: Any, timeline: Timeline, until: Any
) -> None:
    channel = bot.get_channel(int(stand_in.general))
    stand_in.latency = 0.1
    sending = asyncio.create_task(channel.send("already on its way"))
    await asyncio.sleep(0.03)
    sending.cancel()
    await until(lambda: list(timeline.shown(stand_in.general).values()) == ["already on its way"])


async def test_permissions_taken_away_are_seen_by_discord_py(stand_in: DiscordStandIn, bot: Any, until: Any) -> None:
    channel = bot.get_channel(int(stand_in.general))
    stand_in.forbid(stand_in.general, Permission.SEND_MESSAGES)
    await until(lambda: not channel.permissions_for(bot.guilds[0].me).send_messages)
    with pytest.raises(discord.Forbidden) as refused:
        await channel.send("?")
    assert refused.value.code == 50013
