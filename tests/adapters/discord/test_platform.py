"""The whole adapter against Discord's stand-in: the real discord.py and our REST client over loopback sockets."""

from __future__ import annotations

import asyncio
import logging

import pytest

from adapters.discord.platform import DiscordPlatform
from bot.core.commands import HELP, Command
from bot.core.files import File
from bot.core.model import Channel, Place
from bot.core.pacing import Call, Limit
from bot.errors import Gone, Refused, Rejected, Unreachable
from playground.discord.permissions import Permission
from playground.discord.server import DiscordStandIn
from playground.timeline import Timeline
from tests.adapters.discord.inbox import Inbox, until

# What people say


async def test_mentions_replies_and_direct_messages_arrive_and_nothing_else(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox
) -> None:
    discord.say(discord.general, discord.ada, "just chatting")
    question = discord.say(discord.general, discord.ada, "how deep is the pond?", mentions_bot=True)
    answer = await bot.post(Place(discord.general, question), "Two metres.", nonce="1", first=True)
    discord.say(discord.general, discord.linus, "and in winter?", reply_to=answer.message, ping=False)
    discord.say(discord.open_dm(discord.linus), discord.linus, "hello")
    await until(lambda: len(inbox.prompts) == 3)
    assert inbox.texts() == ["how deep is the pond?", "and in winter?", "hello"]
    first = inbox.prompts[f"discord:{discord.general}:{question}"]
    assert (first.author.name, first.shared, first.place) == ("Ada", True, Place(discord.general, question))
    assert [prompt.shared for prompt in inbox.prompts.values()] == [True, True, False]


async def test_in_an_always_on_channel_nobody_needs_to_mention_the_bot(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox
) -> None:
    ask = next(id for id, channel in discord.state.channels.items() if channel.name == "ask")
    discord.say(ask, discord.ada, "anyone there?")
    thread = discord.create_thread(ask, "deep water")
    discord.say(thread, discord.ada, "and here?")
    await until(lambda: len(inbox.prompts) == 2)
    assert [str(prompt.channel) for prompt in inbox.prompts.values()] == [f"discord:{ask}", f"discord:{thread}"]


async def test_questions_of_a_channel_arrive_in_order_even_if_the_first_takes_longer(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox
) -> None:
    inbox.slow = {"one"}
    for text in ("one", "two", "three"):
        discord.say(discord.general, discord.ada, text, mentions_bot=True)
    await until(lambda: len(inbox.prompts) == 3)
    assert inbox.texts() == ["one", "two", "three"]


async def test_a_text_command_counts_without_a_mention_only_where_the_bot_was_asked_before(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox
) -> None:
    other = discord.add_channel("other")
    inbox.known = {Channel("discord", discord.general)}
    discord.say(other, discord.ada, "!stop")
    discord.say(discord.general, discord.ada, "!stop")
    discord.say(discord.general, discord.ada, "!stop it")
    discord.say(other, discord.ada, "!new", mentions_bot=True)
    await until(lambda: len(inbox.prompts) == 2)
    assert inbox.texts() == ["!stop", "!new"]


async def test_a_question_that_cannot_be_stored_is_answered_with_a_sentence(
    discord: DiscordStandIn, bot: DiscordPlatform, timeline: Timeline, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.broken = True
    question = discord.say(discord.general, discord.ada, "remember this secret", mentions_bot=True)
    await until(lambda: len(timeline.moments) == 2)
    told = timeline.moments[-1]
    assert (told.text, told.reply_to) == (
        "I could not take your question just now. Please ask again in a moment.",
        question,
    )
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (record.getMessage(), record.exc_info) == ("discord.not_stored", None)


async def test_a_repeated_event_has_the_same_key(discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox) -> None:
    question = discord.say(discord.general, discord.ada, "once", mentions_bot=True)
    discord.redeliver(question)
    await until(lambda: inbox.deliveries == 2)
    assert inbox.texts() == ["once"]


@pytest.mark.parametrize("trouble", ["reconnect", "invalidate", "drop"])
async def test_what_is_said_while_the_connection_is_down_still_arrives(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox, trouble: str
) -> None:
    discord.say(discord.general, discord.ada, "before", mentions_bot=True)
    await until(lambda: len(inbox.prompts) == 1)
    match trouble:
        case "reconnect":
            discord.reconnect()
        case "invalidate":
            discord.invalidate(True)
        case _:
            discord.drop()
    discord.say(discord.general, discord.ada, "meanwhile", mentions_bot=True)
    await until(lambda: len(inbox.prompts) == 2)
    assert inbox.texts() == ["before", "meanwhile"]


# What becomes of it


async def test_edits_and_deletions_arrive_for_messages_of_any_age(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox
) -> None:
    """discord.py keeps no messages here, so only its raw events come."""
    direct = discord.open_dm(discord.linus)
    said = [
        discord.say(discord.general, discord.ada, "how deep is the pont?", mentions_bot=True),
        discord.say(direct, discord.linus, "hello"),
        discord.say(discord.general, discord.ada, "just chatting"),
    ]
    await until(lambda: len(inbox.prompts) == 2)
    discord.drop()
    discord.edit(said[0], f"<@{discord.bot_user}> how deep is the pond?")
    discord.edit(said[1], "hello there")
    discord.edit(said[2], "just talking")
    for message in said:
        discord.delete(message)
    first, second, third = f"discord:{discord.general}:", f"discord:{direct}:", f"discord:{discord.general}:"
    expected = [
        (first + said[0], "how deep is the pond?"),
        (second + said[1], "hello there"),
        *[(first + said[0], ""), (second + said[1], ""), (third + said[2], "")],
    ]
    await until(lambda: len(inbox.changes) == len(expected))
    assert sorted(inbox.changes) == sorted(expected)
    assert len(inbox.prompts) == 2


async def test_messages_that_a_moderator_deletes_at_once_are_deleted_each(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox
) -> None:
    said = [discord.say(discord.general, discord.ada, text, mentions_bot=True) for text in ("one", "two")]
    await until(lambda: len(inbox.prompts) == 2)
    discord.delete_together(*said)
    await until(lambda: len(inbox.changes) == 2)
    assert inbox.changes == [(f"discord:{discord.general}:{message}", "") for message in reversed(said)]


async def test_a_change_that_is_not_an_edit_of_the_text_is_none(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox
) -> None:
    """A thread is opened from a message, which Discord tells as an update of it; so it does with link previews."""
    question = discord.say(discord.general, discord.ada, "a thread, please", mentions_bot=True)
    await until(lambda: len(inbox.prompts) == 1)
    discord.create_thread(discord.general, "here", start=question)
    discord.edit(question, f"<@{discord.bot_user}> now it is one")
    await until(lambda: bool(inbox.changes))
    assert [text for _, text in inbox.changes] == ["now it is one"]


# Slash commands


async def test_slash_commands_are_answered_for_the_person_alone_and_ping_nobody(
    discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox
) -> None:
    thread = discord.create_thread(discord.general, "sluices")
    direct = discord.open_dm(discord.ada)
    for room, name in ((discord.general, "stop"), (thread, "new"), (direct, "retry"), (direct, "help")):
        pressed = discord.press_command(room, discord.ada, name)
        await until(lambda pressed=pressed: any(shown.content for shown in discord.responses(pressed)))
        (shown,) = discord.responses(pressed)
        assert shown.private_to is not None
        assert shown.private_to.id == discord.ada
        assert shown.content.strip() == (HELP.strip() if name == "help" else "Done. <@1> @everyone")
        assert inbox.commands[-1] == (Command(name), Channel("discord", room))
    assert discord.pings == []


async def test_a_command_that_fails_says_so(discord: DiscordStandIn, bot: DiscordPlatform, inbox: Inbox) -> None:
    inbox.broken = True
    pressed = discord.press_command(discord.general, discord.ada, "new")
    await until(lambda: any(shown.content for shown in discord.responses(pressed)))
    assert discord.responses(pressed)[0].content == "I could not do that just now. Please try again in a moment."


async def test_the_commands_are_registered_once_for_all(
    discord: DiscordStandIn, bot: DiscordPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    """A day has only 200 creations."""
    caplog.set_level(logging.INFO)
    again = DiscordPlatform(discord.token, api_url=f"{discord.url}/api/v10")
    await again.connect(Inbox())
    await again.close()
    assert "discord.commands_registered" not in caplog.messages
    assert "discord.commands_not_registered" not in caplog.messages


async def test_the_bot_comes_up_where_commands_cannot_be_registered(
    discord: DiscordStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    discord.fail("GET", "/commands", status=429, body={"message": "slow", "retry_after": 3600.0, "global": False})
    bot = DiscordPlatform(discord.token, api_url=f"{discord.url}/api/v10")
    await bot.connect(Inbox())
    await bot.close()
    assert "discord.commands_not_registered" in caplog.messages


# What the bot writes


async def test_an_answer_is_a_reply_that_grows_and_pings_nobody(
    discord: DiscordStandIn, bot: DiscordPlatform, timeline: Timeline
) -> None:
    text = f"@everyone <@{discord.ada}> https://example.com"
    question = discord.say(discord.general, discord.ada, "hi", mentions_bot=True)
    place = Place(discord.general, question)
    posted = await bot.post(place, text, nonce="turn-1-page-1", first=True)
    edited = await bot.edit(place, posted.message, f"{text} and more")
    further = await bot.post(place, "Page two.", nonce="turn-1-page-2", first=False)
    assert edited.message == posted.message
    shown = [(moment.text, moment.reply_to) for moment in timeline.moments[1:]]
    assert shown == [(text, question), (f"{text} and more", question), ("Page two.", "")]
    assert discord.pings == []
    flags = [discord.state.message(id).flags for id in (posted.message, further.message)]
    assert flags == [4, 4]  # no previews of links, also after the edit


async def test_receipts_tell_the_quota_of_the_windows_named_first(
    discord: DiscordStandIn, bot: DiscordPlatform
) -> None:
    place = Place(discord.general)
    posted = await bot.post(place, "one", nonce="1", first=True)
    edited = await bot.edit(place, posted.message, "two")
    for call, quota in ((Call.POST, posted.quota), (Call.EDIT, edited.quota)):
        own, everywhere = bot.limits(call, place)
        assert own == Limit(f"discord:{call}:{discord.general}", 5, 5.0)
        assert everywhere == Limit("discord:global", 45, 1.0)
        assert quota is not None
        assert (quota.calls, quota.left) == (own.calls, 4)
        assert 0 < quota.reset_after <= own.seconds


async def test_a_write_never_waits_inside(discord: DiscordStandIn, bot: DiscordPlatform, timeline: Timeline) -> None:
    """Five edits fill the window of 5 s and return at once, the fifth too; the sixth is refused at once, with the wait.

    discord.py holds the fifth back until the window ends, and a new post with it.
    """
    place = Place(discord.general)
    message = (await bot.post(place, "0", nonce="1", first=True)).message
    async with asyncio.timeout(2):
        receipts = [await bot.edit(place, message, str(number)) for number in range(1, 6)]
        with pytest.raises(Refused) as refused:
            await bot.edit(place, message, "6")
        await bot.post(place, "next", nonce="2", first=True)
    assert [receipt.quota.left for receipt in receipts if receipt.quota] == [4, 3, 2, 1, 0]
    assert [moment.text for moment in timeline.states(message)] == ["0", "1", "2", "3", "4", "5"]
    assert refused.value.limit == f"discord:edit:{discord.general}"
    assert 3 < refused.value.retry_after <= 5
    assert len(discord.refusals) == 1


async def test_a_global_refusal_names_the_global_limit(discord: DiscordStandIn, bot: DiscordPlatform) -> None:
    discord.fail("POST", "/messages", status=429, body={"message": "slow", "retry_after": 0.25, "global": True})
    with pytest.raises(Refused) as refused:
        await bot.post(Place(discord.general), "x", nonce="1", first=True)
    assert (refused.value.retry_after, refused.value.limit) == (0.25, "discord:global")


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_post_repeated_after_a_lost_answer_appears_once(
    discord: DiscordStandIn, bot: DiscordPlatform, timeline: Timeline, after_effect: bool
) -> None:
    discord.fail("POST", "/messages", drop=True, after_effect=after_effect)
    place = Place(discord.general)
    with pytest.raises(Unreachable):
        await bot.post(place, "once", nonce="page-1", first=True)
    again = await bot.post(place, "once", nonce="page-1", first=True)
    assert timeline.shown(discord.general) == {again.message: "once"}


async def test_a_server_error_is_told_and_not_repeated(
    discord: DiscordStandIn, bot: DiscordPlatform, timeline: Timeline
) -> None:
    posted = await bot.post(Place(discord.general), "old", nonce="1", first=True)
    discord.fail("PATCH", "/messages", status=503)
    with pytest.raises(Unreachable):
        await bot.edit(Place(discord.general), posted.message, "new")
    assert len(timeline.states(posted.message)) == 1


async def test_a_deleted_message_is_told_from_a_lost_channel(discord: DiscordStandIn, bot: DiscordPlatform) -> None:
    place = Place(discord.general)
    message = (await bot.post(place, "here", nonce="1", first=True)).message
    assert (await bot.delete(place, message)).message == message
    for lost in (bot.edit(place, message, "x"), bot.delete(place, message)):
        with pytest.raises(Gone) as gone:
            await lost
        assert gone.value.message
    discord.forbid(discord.general, Permission.SEND_MESSAGES)
    for lost in (bot.post(place, "x", nonce="2", first=True), bot.post(Place("1"), "x", nonce="3", first=True)):
        with pytest.raises(Gone) as gone:
            await lost
        assert not gone.value.message


async def test_the_answer_to_a_deleted_question_is_posted_all_the_same(
    discord: DiscordStandIn, bot: DiscordPlatform, timeline: Timeline
) -> None:
    question = discord.say(discord.general, discord.ada, "hi", mentions_bot=True)
    discord.delete(question)
    await bot.post(Place(discord.general, question), "hello", nonce="1", first=True)
    assert list(timeline.shown(discord.general).values()) == ["hello"]


async def test_what_discord_will_never_take_is_rejected_in_its_own_words(
    discord: DiscordStandIn, bot: DiscordPlatform
) -> None:
    place = Place(discord.general)
    with pytest.raises(Rejected, match="content: Must be 2000 or fewer in length"):
        await bot.post(place, "x" * 2001, nonce="1", first=True)
    with pytest.raises(Rejected, match="empty message"):
        await bot.post(place, "", nonce="2", first=True)


async def test_typing_shows_and_is_due_again_before_it_fades(
    discord: DiscordStandIn, bot: DiscordPlatform, timeline: Timeline
) -> None:
    assert await bot.typing(Place(discord.general)) == 8.0
    assert [moment.kind for moment in timeline.moments] == ["typing"]


# Files


def files_in(discord: DiscordStandIn, message: str) -> list[tuple[str, bytes]]:
    return [discord.file(attachment["id"]) for attachment in discord.state.message(message).attachments]


async def test_files_come_below_a_sentence_that_pings_nobody(
    discord: DiscordStandIn, bot: DiscordPlatform, timeline: Timeline
) -> None:
    place, text = Place(discord.general), f"@everyone <@{discord.ada}> https://example.com"
    files = [File("app.py", "print('Teich – ü')\n"), File("code-2.js", "1")]
    receipt = await bot.attach(place, text, files, nonce="turn-1-files")
    assert timeline.shown(discord.general) == {receipt.message: text}
    assert files_in(discord, receipt.message) == [(file.name, file.text.encode()) for file in files]
    assert (discord.pings, timeline.moments[-1].previews) == ([], ())
    await bot.delete(place, receipt.message)
    assert timeline.shown(discord.general) == {}


async def test_a_message_with_files_counts_as_a_post(discord: DiscordStandIn, bot: DiscordPlatform) -> None:
    place = Place(discord.general)
    assert bot.limits(Call.ATTACH, place) == bot.limits(Call.POST, place)
    await bot.post(place, "one", nonce="1", first=True)
    quota = (await bot.attach(place, "two", [File("a.txt", "a")], nonce="2")).quota
    assert quota is not None
    assert quota.left == 3
    discord.fail("POST", "/messages", status=429, body={"message": "slow", "retry_after": 0.5, "global": False})
    with pytest.raises(Refused) as refused:
        await bot.attach(place, "three", [File("a.txt", "a")], nonce="3")
    assert refused.value.limit == bot.limits(Call.POST, place)[0].key


@pytest.mark.parametrize("after_effect", [False, True])
async def test_files_attached_again_after_a_lost_answer_appear_once(
    discord: DiscordStandIn, bot: DiscordPlatform, timeline: Timeline, after_effect: bool
) -> None:
    discord.fail("POST", "/messages", drop=True, after_effect=after_effect)
    place, files = Place(discord.general), [File("a.txt", "a")]
    with pytest.raises(Unreachable):
        await bot.attach(place, "once", files, nonce="files-1")
    again = await bot.attach(place, "once", files, nonce="files-1")
    assert timeline.shown(discord.general) == {again.message: "once"}
    assert files_in(discord, again.message) == [("a.txt", b"a")]


async def test_files_that_are_too_large_are_not_sent(discord: DiscordStandIn, bot: DiscordPlatform) -> None:
    place, most = Place(discord.general), 10 * 1024 * 1024
    with pytest.raises(Rejected, match=r"big\.txt has 10,485,762 bytes; Discord takes 10,485,760"):
        await bot.attach(place, "x", [File("small.txt", "a"), File("big.txt", "ü" * (most // 2 + 1))], nonce="1")
    with pytest.raises(Rejected, match=r"the files have 26,214,400 bytes; Discord takes 26,214,400 in one call"):
        await bot.attach(place, "x", [File(f"{n}.txt", "a" * (most // 4 * 2)) for n in range(5)], nonce="2")
    assert discord.state.channels[discord.general].messages == {}
    await bot.attach(place, "x", [File("full.txt", "a" * most)], nonce="3")


async def test_where_files_are_not_allowed_messages_still_are(
    discord: DiscordStandIn, bot: DiscordPlatform, timeline: Timeline
) -> None:
    place, files = Place(discord.general), [File("a.txt", "a")]
    discord.fail("POST", "/messages", status=403, body={"message": "Missing Permissions", "code": 50013})
    with pytest.raises(Rejected, match="Missing Permissions: the bot needs Attach Files in this channel"):
        await bot.attach(place, "x", files, nonce="1")
    await bot.post(place, "page", nonce="2", first=False)
    assert list(timeline.shown(discord.general).values()) == ["page"]
    with pytest.raises(Gone):
        await bot.attach(Place("1"), "x", files, nonce="3")


# Starting and ending


async def test_nothing_is_taken_after_close(discord: DiscordStandIn, inbox: Inbox) -> None:
    bot = DiscordPlatform(discord.token, api_url=f"{discord.url}/api/v10")
    await bot.connect(inbox)
    inbox.slow = {"taken"}
    discord.say(discord.general, discord.ada, "taken", mentions_bot=True)
    await until(lambda: inbox.deliveries == 1)
    await bot.close()
    assert inbox.texts() == ["taken"]  # what was being stored is stored
    discord.say(discord.general, discord.ada, "too late", mentions_bot=True)
    with pytest.raises(Unreachable):
        await bot.post(Place(discord.general), "x", nonce="1", first=True)
    await bot.close()
    assert inbox.texts() == ["taken"]


async def test_debug_logs_hold_no_message_and_no_token(
    discord: DiscordStandIn, caplog: pytest.LogCaptureFixture, inbox: Inbox
) -> None:
    caplog.set_level(logging.DEBUG)
    bot = DiscordPlatform(discord.token, api_url=f"{discord.url}/api/v10")
    await bot.connect(inbox)
    question = discord.say(discord.general, discord.ada, "my secret plan", mentions_bot=True)
    await until(lambda: len(inbox.prompts) == 1)
    await bot.post(Place(discord.general, question), "your secret plan", nonce="1", first=True)
    await bot.close()
    assert caplog.records
    assert not [line for line in caplog.messages if "secret" in line or discord.token in line]
