"""Long and rich answers from end to end: what anybody could have seen of them at any moment, and what is left.

The playground's own long answers, several at once, faster than a model writes them. The whole record is looked at:
every state of every message, in order. What looks broken in a state is for `tests/visible.py` to say, which reads it as
the platform does and not as the bot writes it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.core.attaching import COMING
from playground.openai.answers import answer
from playground.openai.long_texts import BOOK, JAPANESE, LONG_CODE, LONG_TABLE, ONE_LINE
from playground.openai.record import Said
from playground.openai.rich_text import RICH
from playground.openai.script import Script
from playground.timeline import Moment
from tests.cursor import without_cursor
from tests.e2e.world import World, world
from tests.visible import faults, has_cursor, reached, readable, screens, words

SOURCES = {
    "400 lines": LONG_CODE,
    "60 rows": LONG_TABLE,
    "japanese": JAPANESE,
    "one line": ONE_LINE,
    "book": BOOK,
    "rich": RICH,
}
PLAIN = [name for name in SOURCES if name != "rich"]  # their words stand in their order also where columns are drawn
# what seams say again: a fence's language, a table's names
AGAIN = {"python", "River", "Length", "km", "Flows", "into", "Gauge", "Chapter", "Trend"}
WAYS = ["discord", "slack edit", "slack native"]


@dataclass(frozen=True)
class Seen:
    """One answer, as it was seen."""

    source: str
    moments: list[Moment]
    files: dict[str, str]

    @property
    def screens(self) -> list[list[Moment]]:
        return [messages for _, messages in screens(self.moments)]

    @property
    def pages(self) -> list[str]:
        """What stands there at the end, without the message that has the files."""
        return [moment.text for moment in self.screens[-1] if not moment.files]


Answers = dict[tuple[str, str], Seen]  # by way and question


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Every answer in as many messages as it needs. The book comes about as fast as Discord takes its pages.

    On Slack `streaming` is "auto": what is asked in a channel is edited, in a direct message it is a stream of Slack's.
    """
    asked = [(way, name) for way in WAYS for name in SOURCES]
    return asyncio.run(_play(tmp_path_factory.mktemp("whole"), asked, {"max_pages": 0}, pace=450, books_pace=700))


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """With the settings as they are by default."""
    asked = [("discord", "book"), ("slack edit", "book")]
    return asyncio.run(_play(tmp_path_factory.mktemp("filed"), asked, {}, pace=450, books_pace=1200))


async def _play(
    path: Path, asked: Sequence[tuple[str, str]], bot: dict[str, Any], *, pace: float, books_pace: float
) -> Answers:
    """Asks all at once, each question in a room of its own. Everything that the bot asked of anybody was granted."""

    def paced(said: Sequence[Said]) -> Script:
        speed = books_pace if "book" in said[-1].text else pace
        return replace(answer(said), tokens_per_second=speed, first_token=0.0)

    async with world(path, bot={"shutdown_grace": 30.0, **bot}) as here:
        here.playground.openai.answer = paced
        await here.start()
        rooms = {(way, name): _ask(here, way, name) for way, name in asked}
        await here.until(lambda: _all_said(here, len(rooms)), seconds=60.0)
        await here.stop()  # which waits for what is left to be shown
        assert _not_taken(here) == []
        return {key: _seen(here, room, SOURCES[key[1]]) for key, room in rooms.items()}


def _ask(here: World, way: str, name: str) -> str:
    """Returns the room."""
    discord, slack = here.playground.discord, here.playground.slack
    question, title = f"{name}, please", f"{way} {name}".replace(" ", "-")
    if way == "discord":
        here.ask_discord(question, room=(room := discord.add_channel(title)))
    elif way == "slack edit":
        here.ask_slack(question, room=(room := slack.add_channel(title)))
    else:
        person = slack.add_person(title)
        slack.say(room := slack.open_dm(person), person, question)
    return room


def _all_said(here: World, answers: int) -> bool:
    streams = here.playground.openai.streams
    return len(streams) == answers and all(stream.finished_at is not None for stream in streams)


def _not_taken(here: World) -> list[Any]:
    """Every call, to whichever server, that was not simply taken."""
    return [
        *(call for call in here.playground.discord.calls if call.status >= 400),
        *(call for call in here.playground.slack.calls if call.outcome != "ok"),
        *(request for request in here.playground.openai.requests if request.status >= 400),
        *here.refusals,
    ]


def _seen(here: World, room: str, source: str) -> Seen:
    moments = [moment for moment in here.playground.timeline.moments if moment.room == room and moment.bot]
    stand_in = here.playground.discord if moments[0].platform == "discord" else here.playground.slack
    files = [stand_in.file(file.id) for moment in moments for file in moment.files]
    return Seen(source, moments, {name: content.decode() for name, content in files})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PLAIN)
def test_every_word_is_there_in_its_order_and_none_twice(answers: Answers, way: str, name: str):
    _check_words(answers[way, name])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SOURCES)
def test_no_state_looks_broken_or_half_written(answers: Answers, way: str, name: str):
    """Fences are balanced, no marker has only begun, no table is seen in the raw: in each state that anybody saw."""
    seen = answers[way, name]
    assert len(seen.screens) >= 2, "it has not been seen growing"
    _check_states(seen)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PLAIN)
def test_what_was_seen_stays(answers: Answers, way: str, name: str):
    """No state is older than one before it, and no word goes away, but for a page's last ones, which may move on to the
    next page with its post."""
    _check_that_words_stay(answers[way, name])


@pytest.mark.parametrize("way", WAYS[:2])
@pytest.mark.parametrize("name", SOURCES)
def test_the_cursor_is_in_the_last_message_until_the_end(answers: Answers, way: str, name: str):
    *growing, end = answers[way, name].screens
    assert any(has_cursor(moment) for messages in growing for moment in messages)
    assert not [moment for messages in growing for moment in messages[:-1] if has_cursor(moment)]
    assert not [moment for moment in end if has_cursor(moment)]


@pytest.mark.parametrize("name", SOURCES)
def test_a_stream_is_open_in_the_last_message_until_the_end(answers: Answers, name: str):
    *growing, end = answers["slack native", name].screens
    assert any(moment.live for messages in growing for moment in messages)
    assert not [moment for messages in growing for moment in messages[:-1] if moment.live]
    assert not [moment for moment in end if moment.live]


@pytest.mark.parametrize("way", WAYS)
def test_no_family_is_torn_apart(answers: Answers, way: str):
    """Emoji of several code points are whole on the pages, also where one ends."""
    seen = answers[way, "japanese"]
    for emoji in ("👨‍👩‍👧‍👦", "🇯🇵", "❄️"):
        assert sum(page.count(emoji) for page in seen.pages) == JAPANESE.count(emoji) > 0


def test_what_eight_messages_do_not_hold_is_in_a_file(filed: Answers):
    """By default a book of 30,000 characters fills eight messages of Discord, and its rest is in answer.md."""
    seen = filed["discord", "book"]
    assert len(seen.pages) == 8
    assert BOOK.endswith(seen.files["answer.md"])
    _check_words(seen)
    _check_states(seen)
    _check_that_words_stay(seen)


def test_a_book_fits_into_the_messages_of_slack(filed: Answers):
    seen = filed["slack edit", "book"]
    assert (len(seen.pages) <= 8, seen.files) == (True, {})
    _check_words(seen)


def _check_words(seen: Seen) -> None:
    shown = [*seen.pages, seen.files.get("answer.md", "")]
    source = readable(seen.source)
    assert reached(source, shown) == len(source), f"it goes on with {source[reached(source, shown) :][:80]!r}"
    more = Counter(words("\n".join(shown))) - Counter(words(seen.source))
    assert set(more) <= AGAIN
    assert max(more.values(), default=0) < len(shown)


def _check_states(seen: Seen) -> None:
    broken = [(faults(moment), moment.text[-300:]) for moment in seen.moments if faults(moment)]
    assert broken == []


def _check_that_words_stay(seen: Seen) -> None:
    source = readable(seen.source)
    shown = [_words_of(messages) for messages in seen.screens]
    furthest = [reached(source, map(_text, messages)) for messages in seen.screens]
    for number, (before, now) in enumerate(pairwise(shown)):
        gone = before - now - Counter(words(_text(seen.screens[number][-1]))[-1:])
        posts_next = number + 2 < len(shown) and len(seen.screens[number + 2]) > len(seen.screens[number + 1])
        if posts_next:
            gone -= shown[number + 2]
        assert not gone
        assert furthest[number + 1] >= furthest[number] or posts_next


def _words_of(messages: list[Moment]) -> Counter[str]:
    return Counter(words("\n".join(map(_text, messages))))


def _text(moment: Moment) -> str:
    """Without what the bot says of its own, which goes when it is true no longer."""
    return without_cursor(moment.text).replace(COMING, "")
