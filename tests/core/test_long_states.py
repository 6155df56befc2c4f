"""Every state in which a long answer could be seen, one for each token: Discord, Slack, and streams of Slack's."""

from __future__ import annotations

from collections import Counter

import pytest

from bot.core.actions import Append, Shown, Start, Stop
from bot.core.dialects import DISCORD, SLACK, SLACK_STREAM, Dialect
from bot.core.layout import Layout
from bot.core.model import End, Ending
from bot.core.streamed_reply import StreamedReply
from playground.openai.long_texts import BOOK, JAPANESE, LONG_CODE, LONG_TABLE, ONE_LINE
from playground.openai.rich_text import RICH
from playground.openai.script import pieces
from playground.timeline import Moment
from tests.cursor import without_cursor
from tests.visible import faults, reached, readable, words

PART_OF_BOOK = BOOK[:6_000]  # all that it is made of, twice
SOURCES = {
    "code": LONG_CODE,
    "table": LONG_TABLE,
    "Japanese": JAPANESE,
    "one line": ONE_LINE,
    "book": PART_OF_BOOK,
    "rich": RICH,
}


@pytest.mark.parametrize("dialect", [DISCORD, SLACK], ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("name", SOURCES)
def test_no_state_of_a_long_answer_looks_broken_and_no_word_goes_away_again(dialect: Dialect, name: str):
    """Whatever the token after which a write is made. The last word may be half of one, and turn into another."""
    layout = Layout(dialect)
    sealed, before, seen = 0, "", Counter[str]()
    for piece in pieces(SOURCES[name]):
        layout.feed(piece)
        full = [layout.page(number) for number in range(sealed, layout.settled)]
        live = layout.live()
        if not full and live == [before]:
            continue
        assert not [page[-300:] for page in [*full, *live] if _faults(dialect, page)]
        now = Counter(words("\n".join(map(without_cursor, [*full, *live]))))
        if not (name == "rich" and dialect is DISCORD):  # underlining, which HTML has, comes with marks in its words
            assert seen - now <= Counter(words(without_cursor(before))[-1:])
        sealed, before = layout.settled, live[0] if live else ""
        seen = Counter(words(without_cursor(before))) if full else now
    assert layout.text == SOURCES[name]


@pytest.mark.parametrize("name", SOURCES)
def test_no_state_of_a_stream_looks_broken_and_none_is_corrected(name: str):
    """Nothing half written is given to a stream but an open fence, so each message grows to what it has to show."""
    reply, shown = StreamedReply(SLACK_STREAM), dict[int, str]()
    for number, piece in enumerate([*pieces(SOURCES[name]), ""]):
        if piece:
            reply.feed(piece, number / 60)
        else:
            reply.finish(Ending(End.COMPLETED), number / 60)
        while isinstance(action := reply.next_action(), Shown):
            assert isinstance(action, Start | Append | Stop)
            shown[action.page] = shown.get(action.page, "") + action.text.lstrip()
            live = not isinstance(action, Stop)
            assert not _faults(SLACK, shown[action.page], live=live), shown[action.page][-300:]
            reply.done(action, f"m{action.page}")
    source = readable(SOURCES[name])
    assert reached(source, shown.values()) == len(source)


def _faults(dialect: Dialect, page: str, *, live: bool = False) -> list[str]:
    platform = "discord" if dialect is DISCORD else "slack"
    return faults(Moment(0.0, platform, "room", "edited", text=page, live=live))
