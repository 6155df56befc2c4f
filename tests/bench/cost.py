"""What showing an answer costs the processor, however long it is: feeding a reply and rendering its writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count

from bot.core.actions import Append, Attach, Delete, Edit, Post, Start, Stop
from bot.core.dialects import DISCORD, SLACK, SLACK_STREAM
from bot.core.model import End, Ending
from bot.core.pacing import Done, Idle
from bot.core.reply import Reply
from bot.core.showing import Showing
from bot.core.streamed_reply import StreamedReply
from playground.openai.long_texts import BOOK
from playground.openai.script import pieces
from tests.bench.report import Report, Target, ratio

_PACE = 60.0  # tokens a second
_SIZES = (10_000, 100_000, 1_000_000)  # characters

_WAYS: dict[str, Callable[[], Showing]] = {
    "Discord": lambda: Reply(DISCORD),
    "Slack, edits": lambda: Reply(SLACK),
    "Slack, streams": lambda: StreamedReply(SLACK_STREAM),
}


async def report() -> Report:
    _spend(_WAYS["Discord"](), _SIZES[0])  # which loads what is loaded at the first use
    rows: list[list[str]] = []
    growths: list[float] = []
    for way, begin in _WAYS.items():
        spent = {size: _spend(begin(), size) for size in _SIZES}
        first = spent[_SIZES[0]][0] / _SIZES[0]
        for size, (seconds, writes) in spent.items():
            each = seconds / size
            growths.append(each / first)
            columns = f"{1e6 * each:.2f}", f"{1e3 * seconds / writes:.2f}", ratio(each / first)
            rows.append([f"{way}, {size:,}", str(writes), f"{seconds:.3f}", *columns])
    return Report(
        title="cost: what the engine spends on an answer, by its length",
        method=f"The book, again and again, fed into a reply at {_PACE:g} tokens a second on a clock that jumps, with\n"
        "one write a second and as many pages as it needs. Seconds of the process on its processor; `growth`: of the\n"
        "time for a character, against the shortest answer.",
        columns=("", "writes", "seconds", "µs a character", "ms a write", "growth"),
        rows=rows,
        late=0.0,
        targets=[Target("growth of the time for a character", max(growths), 1.5, unit="")],
    )


def _spend(reply: Showing, characters: int) -> tuple[float, int]:
    """Seconds of processor time for an answer of so many characters, and the writes in it."""
    tokens = list(_tokens(characters))
    begin, writes = time.process_time(), 0
    for number, token in enumerate(tokens):
        now = number / _PACE
        reply.feed(token, now)
        if number % round(_PACE) == 0:
            writes += _write(reply)
    reply.finish(Ending(End.COMPLETED), len(tokens) / _PACE)
    while _write(reply):
        writes += 1
    return time.process_time() - begin, writes


def _tokens(characters: int) -> Iterator[str]:
    book = pieces(f"{BOOK}\n\n")
    written = 0
    for number in count():
        token = book[number % len(book)][: characters - written]
        written += len(token)
        yield token
        if written == characters:
            return


def _write(reply: Showing) -> bool:
    """Makes the call that the reply wants; whether there was one."""
    reply.need()
    match action := reply.next_action():
        case Idle() | Done():
            return False
        case Post(page=page) | Start(page=page):
            reply.done(action, f"m{page}")
        case Append() | Stop() | Edit() | Delete() | Attach():
            reply.done(action)
    return True
