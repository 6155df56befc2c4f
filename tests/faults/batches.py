"""Which rows share a world, and which worlds begin first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.faults.row import Row, Scene, Where

_PAUSE = 20.0  # seconds, about: until a call without an answer is made up for, or one that failed again


def batches(rows: Iterable[Row]) -> list[list[Row]]:
    """Those that may share a world, in the order in which they are to begin.

    What takes longest begins first, but Discord before Slack, and what starts its bot twice before the rest of Discord:
    behind the rows that go `apart` no world of Discord can start until they have ended.
    """
    found: list[list[Row]] = []
    filling: dict[object, list[Row]] = {}
    for row in rows:
        key = (
            row.where,
            row.scene,
            row.api,
            row.announces,
            tuple(sorted(row.settings.items())),
            row if row.alone else None,
        )
        batch = filling.get(key)
        if batch is None or len(batch) == _most(row):
            batch = filling[key] = []
            found.append(batch)
        batch.append(row)
    return sorted(found, key=_turn)


def _turn(batch: Sequence[Row]) -> tuple[bool, bool, bool, bool, float, int]:
    first = batch[0]
    on_discord = first.where is Where.DISCORD
    uploads = first.scene is Scene.FILE and not on_discord  # looked for again and again
    twice = first.scene in {Scene.AWAY, Scene.RESUMED}
    again = ("no answer", "twice", "gone for 10")
    longest = max(_PAUSE if any(name in row.fault for name in again) else row.seconds for row in batch)
    return not uploads, not on_discord, first.apart, on_discord and not twice, -longest, -len(batch)


def _most(row: Row) -> int:
    """How many of these one world bears without being short of calls, which would change what is seen."""
    if row.where is Where.DISCORD:
        return 40  # at 50 calls a second
    if row.scene is Scene.AWAY:
        return 3  # after each that cannot be read the pause before the next doubles
    if row.scene is Scene.FILE:
        return 3  # each looks for its files several times, at 50 looks a minute in a workspace
    if row.where is Where.DIRECT or row.announces:
        return 4  # at 20 streams, and 50 statuses
    return 9  # at 50 edits
