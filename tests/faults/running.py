"""Runs rows: side by side in as few worlds as the faults and the platforms' limits let them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from playground.openai.script import Script
from tests.faults.batches import batches
from tests.faults.clock import clocks
from tests.faults.outcome import doubled, outcome, promised, reading
from tests.faults.process import Process, connections, listening
from tests.faults.row import Mend, Row, Scene, Seen
from tests.faults.stage import Stage, open_stage
from tests.postgres import new_database

_PATIENCE = 60.0  # seconds for what must happen at all
_SOON = 20.0  # seconds for what follows at the end of a turn
_LEAVING = 1.0  # seconds: the last calls of a turn come after its end is stored
_LOOK = 0.1  # seconds between two looks
_WORLDS = 40  # at a time
_BETWEEN = 0.05  # seconds between the questions of a world, so that not all come in one turn of the loop
_TYPING = 0.3  # seconds between the questions of rows about that: the bot makes five such calls a second

_AGAIN = "and again"


async def run(rows: Sequence[Row], folder: Path) -> dict[Row, Seen]:
    """What became of each row. `folder` is for the databases. Raises SQLAlchemyError for want of PostgreSQL."""
    seen: dict[Row, Seen] = {}
    at_once = asyncio.Semaphore(_WORLDS)

    async def play(together: Sequence[Row], name: str) -> None:
        async with at_once:
            seen.update(await _run_together(together, folder / f"{name}.db", process))

    with ExitStack() as dropping, listening(), clocks(), connections() as made:
        database = dropping.enter_context(new_database()) if any(row.needs_postgres for row in rows) else None
        process = Process(made, database)
        async with asyncio.TaskGroup() as group:
            for number, together in enumerate(batches(rows)):
                group.create_task(play(together, str(number)))
    return seen


async def _run_together(rows: Sequence[Row], database: Path, process: Process) -> dict[Row, Seen]:
    async with open_stage(rows, database, process, patience=_PATIENCE) as stage:

        async def play(number: int, row: Row) -> Seen:
            await asyncio.sleep(number * (_TYPING if row.announces else _BETWEEN))
            return await _play(row, stage, f"room-{number}")

        seen = await asyncio.gather(*(play(number, row) for number, row in enumerate(rows)))
    return dict(zip(rows, seen, strict=True))


async def _play(row: Row, stage: Stage, name: str) -> Seen:
    """One row, from its question to the answer of the next one."""
    loop = asyncio.get_running_loop()
    room = row.where.open(stage.here, stage.answers, name)
    room.stage = stage.works
    room.model_says(row.script)
    problems: list[str] = []
    over = 0.0  # by the loop's clock: when the fault has ended by itself

    def strike() -> Mend:
        nonlocal over
        mend = row.breaks(room)
        over = loop.time() + row.seconds
        return mend

    async def must(what: str, condition: Callable[[], object], seconds: float = _PATIENCE) -> None:
        try:
            await _until(condition, seconds)
        except TimeoutError:
            problems.append(what)

    async def shown(count: int) -> None:
        await must("nothing was shown", lambda: len(reading(room)[0]) >= count)

    async def answered() -> None:
        await must("its turn has not ended", lambda: stage.ended(room, 1) or stage.untaken(room))

    match row.scene:
        case Scene.REMOVAL:
            question = room.ask("First?")
            await must("it was not answered before", lambda: stage.ended(room, 1))
            mend = strike()
            room.delete(question)
            await must("nothing came of the removal", lambda: not room.messages() or stage.logged(room))
        case Scene.AWAY:
            async with stage.away():
                if row.threaded:
                    room.thread = room.say("By the way")
                room.ask("First?")
                mend = strike()
            if not row.silent:
                await answered()
        case Scene.RESUMED:
            room.ask("First?")
            await shown(1)
            async with stage.away():
                mend = strike()
            await answered()
        case _:
            mend = None if row.late else strike()
            room.ask("First?")
            if mend is None:
                await shown(row.late)
                mend = strike()
            await answered()
    if row.spoils:
        await must("the fault was not met", room.spoilt)
        await asyncio.sleep(_LEAVING)
    mend()
    await asyncio.sleep(over - loop.time())
    asked, spoilt = room.asked, room.spoilt()
    if not row.silent:
        await must("it looks as if the answer went on", lambda: not room.has_live(), _SOON)
        await must("it says that an answer is coming", lambda: not room.works(), _SOON)
        await must("it says that it will try again", lambda: not promised(room), _SOON)
    seen = outcome(row, room)
    log = stage.logged(room, read=row.scene is Scene.AWAY)
    problems += [f"doubled: {word}" for word in doubled(room)]
    if not (row.silent or seen.startswith("answered") or "“" in seen or row.scene is Scene.REMOVAL):
        problems.append("lost without a word")
    room.model_says(Script(_AGAIN))
    turns = sum(at == room.id for at, _ in stage.turns(fresh=True).values())
    room.ask("Second?")
    await must(
        "the next question was not answered", lambda: room.messages()[-1:] and room.messages()[-1].text == _AGAIN
    )
    await must("the next turn has not ended", lambda: stage.ended(room, turns + 1))
    return Seen(seen, asked, spoilt, log, tuple(problems))


async def _until(condition: Callable[[], object], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  (any condition on the world's state, not one that could notify)
            await asyncio.sleep(_LOOK)
