"""The table of an evening, and what it says of leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.crash.answers import numbered
from tests.crash.verdict import Fate, Shown, judge
from tests.soak.bot import Sample
from tests.soak.world import Line, World

# MiB in 1,000 answers. A bot that gives 2,000 answers a day may then be left alone for a year on a small machine; what
# an answer really leaves behind costs far more: its text alone is 2 KiB, its task and its reply 50.
STEEPEST = 1.0
_PIECES = 3.0  # of memory for each answer that count as left behind; what discord.py knows of a new room is some of it
_GROWN_UP = 3_000  # questions after which SQLite's cache (2 MB), the renderers' (4 MiB) and the allocator's are full
_START_UP = 20_000  # pieces of memory that are taken once, when something is first wanted
_LEFT = 0.1  # objects or entries for each answer that count as left behind
_IN_USE = 8  # of them for each live answer are in use at any time; some tables are swept only when they have doubled
_THREADS = 8  # of asyncio's own pool, which come when they are first wanted

# What may fill up to a greatest size, by class and attribute.
CAPPED = {
    "bot.dispatcher.Dispatcher._obeyed": 1_000,  # text commands
    "adapters.slack.people.People._known": 5_000,  # people
    "adapters.slack.streams.Streams._nonces": 1_000,  # streamed messages
    "adapters.slack.untaken.Untaken._settled": 1_000,  # questions
    "adapters.slack.listener.Listener._threads": 1_000,  # threads in which the bot was asked
    "bot.core.window.Window._finished": 1_000,  # calls of the last minute
    "bot.core.spending.Spending._ended": 2_000,  # answers of the last minute, in each of their four windows
}
# The playground's guild only grows, and discord.py knows each of its channels and of their members.
_THE_GUILD = ("discord.channel.", "discord.guild.Guild", "discord.user.", "discord.member.", "discord.abc.")

_COLUMNS = (
    "s",
    "live",
    "streams",
    "answered",
    "RSS MiB",
    "blocks/k",
    "tasks",
    "fds",
    "idle",
    "threads",
    "turns",
    "messages",
    "conv.",
    "notes",
    "open",
    "429s",
)


def head() -> str:
    return "  ".join(name.rjust(8) for name in _COLUMNS)


def row(line: Line) -> str:
    sample, rows = line.sample, line.rows
    cells = [
        f"{line.at:.0f}",
        line.live,
        line.streams,
        line.answered,
        f"{sample.memory:.1f}",
        round(sample.blocks / 1000),
        sample.tasks_in_all,
        sample.files_in_all,
        sample.idle,
        sample.threads,
        *(rows[name] for name in ("turns", "messages", "conversations", "notes", "open turns")),
        line.refusals,
    ]
    return "  ".join(str(cell).rjust(8) for cell in cells)


@dataclass(frozen=True, slots=True)
class Slope:
    """How the memory grew: `rise` MiB in 1,000 answers, fitted over so many `answers`."""

    rise: float
    answers: int


def slope(lines: Sequence[Line]) -> Slope:
    """Over the last third of the load; before that caches, pools and the allocator's arenas grow to their size."""
    late = [line for line in lines[2 * len(lines) // 3 :] if line.rows["turns"] >= _GROWN_UP]
    last = [(line.answered / 1000, line.sample.memory) for line in late]
    if len(last) < 2:
        return Slope(0.0, 0)
    x, y = (sum(values) / len(last) for values in zip(*last, strict=True))
    spread = sum((each - x) ** 2 for each, _ in last)
    rise = sum((a - x) * (b - y) for a, b in last) / spread if spread else 0.0
    return Slope(rise, round(1000 * (last[-1][0] - last[0][0])))


def left_behind(before: Mapping[str, int], after: Mapping[str, int], answers: int, live: int) -> list[str]:
    """What there is more of, so much that `answers` must have left it, of which so many were `live` at once."""
    grown = {name: count - before.get(name, 0) for name, count in after.items()}
    least = max(_IN_USE * live, _LEFT * answers)
    found = sorted((more, name) for name, more in grown.items() if more > least)
    return [f"{name}: {more:+d}, now {after[name]}" for more, name in reversed(found)]


def leaks(before: Line, after: Line, answers: int, live: int) -> list[str]:
    """What is there when all is quiet at the end and was not when all was quiet before the load."""
    old, new = before.sample, after.sample
    found = [f"task {name}: {count:+d}" for name, count in _difference(old.tasks, new.tasks) if count > 0]
    found += [f"open {name}: {count:+d}" for name, count in _difference(old.files, new.files) if count > 0]
    if new.threads > old.threads + _THREADS:
        found.append(f"{new.threads - old.threads} more threads")
    pieces = (new.blocks - old.blocks) / answers if answers else 0.0
    if new.blocks - old.blocks > _START_UP and pieces > _PIECES:
        found.append(f"{pieces:.1f} more pieces of memory for each answer")
    stale = ("open turns", "messages of no turn", "closed conversations on the server")
    found += [f"{after.rows[kind]} {kind}" for kind in stale if after.rows[kind]]
    if more := after.rows["notes"] - before.rows["notes"]:
        found.append(f"{more} more notes")
    ours = dict(_ours(new.objects))
    found += [f"objects of {each}" for each in left_behind(old.objects, ours, answers, live)]
    ours = {name: count for name, count in _ours(new.sizes) if count > CAPPED.get(name, 0)}
    return found + [f"entries in {each}" for each in left_behind(old.sizes, ours, answers, live)]


def libraries(before: Sample, after: Sample, answers: int, live: int) -> list[str]:
    """The same for what is not the product's own, which is told but counts only by its memory."""
    theirs = {name: count for name, count in after.sizes.items() if not _is_ours(name)}
    objects = {name: count for name, count in after.objects.items() if not _is_ours(name)}
    found = [*left_behind(before.sizes, theirs, answers, live), *left_behind(before.objects, objects, answers, live)]
    return [each for each in found if not each.startswith(_THE_GUILD)]


def answers_wrong(world: World) -> tuple[Counter[str], list[str]]:
    """How the questions ended, and which of them have not exactly one answer.

    Those that nothing disturbed are judged as after a crash. Of the others no word may stand there twice.
    """
    undisturbed = [asked for asked in world.asked if asked.number not in world.disturbed]
    theirs, rest = list[Shown](), list[Shown]()
    messages = {asked.message for asked in world.asked if asked.number in world.disturbed}
    for shown in world.shown():
        is_theirs = shown.owners & world.disturbed or (not shown.owners and shown.moment.reply_to in messages)
        (theirs if is_theirs else rest).append(shown)
    verdicts, stray = judge(undisturbed, rest)
    fates = Counter(str(verdict.fate) for verdict in verdicts.values())
    fates["disturbed"] = len(world.disturbed)
    wrong = [
        f"q{number} is {verdict.fate}: {verdict.why}"
        for number, verdict in verdicts.items()
        if verdict.fate not in {Fate.ANSWERED, Fate.FAILED}
    ]
    said = [shown for shown in rest if not shown.owners]
    fates["sentences"] = len(said)
    wrong += [each for each in stray if not each.startswith("a message that nobody waits for")]
    return fates, [*wrong, *_twice(theirs)]


def _twice(shown: Iterable[Shown]) -> Iterator[str]:
    seen = Counter(word for each in shown for word in numbered(each.moment.text))
    questions = {number for (number, _), times in seen.items() if times > 1}
    for number in sorted(questions):
        yield f"q{number} is doubled, though it was disturbed"


def _difference(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for name in {**before, **after}:
        if difference := after.get(name, 0) - before.get(name, 0):
            yield name, difference


def _ours(counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    return ((name, count) for name, count in counts.items() if _is_ours(name))


def _is_ours(name: str) -> bool:
    return name.startswith(("bot.", "adapters."))
