"""`rivulet run`, and on a signal a look at itself. Run as a script in the folder with config.toml:

    python -P watched.py SAMPLE [--trace FRAMES]

SIGUSR1 writes a sample into the file SAMPLE: what is alive in the process now. SIGUSR2 does the same after a collection
of the garbage, so that what it counts is really held by something. The signal's handler runs between two steps of the
event loop's thread, and the product knows nothing of it.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import sys
import tracemalloc
from collections import Counter, deque
from collections.abc import Iterator, Sized
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, cast

# Whose objects are looked into: the product's, and those of the libraries that it keeps for as long as it runs.
_PACKAGES = (
    *("bot.", "adapters.", "discord.", "slack_sdk.", "slack_bolt.", "aiohttp.", "openai.", "httpx2.", "aiolimiter."),
)
_CONTAINERS = (dict, list, set, deque)
_FIRST: list[tracemalloc.Snapshot] = []  # of the memory, where it is traced
_MOST = 40  # places of the memory that are told of where it is traced


def sample(*, settled: bool) -> dict[str, Any]:
    """What there is: tasks by the coroutine they run, objects by class, and how much is in the containers they hold.

    `files`: open ones by what they lead to, without those that are `idle`: connections in pools, which wait for the
    next call. `blocks`: pieces of memory that Python's objects hold. `settled`: without garbage.
    """
    if settled:
        gc.collect()
    objects, sizes, idle = Counter[str](), Counter[str](), set[int]()
    for each in gc.get_objects():
        kind = cast("type[object]", type(each))
        name_of_class = f"{kind.__module__}.{kind.__qualname__}"
        objects[name_of_class] += 1
        if not name_of_class.startswith(_PACKAGES):
            continue
        for name, held in _held(each):
            # a deque with a greatest length forgets by itself
            if getattr(held, "maxlen", None) is None:
                sizes[f"{name_of_class}.{name}"] += len(held)
        if kind.__qualname__ == "TCPConnector":
            idle |= set(_descriptors(each))
    return {
        "tasks": dict(Counter(map(_work, asyncio.all_tasks()))),
        "objects": dict(objects),
        "sizes": dict(sizes),
        "blocks": sys.getallocatedblocks(),
        "idle": len(idle),
        "files": dict(_open_files(without=idle)),
        "allocated": _allocated(_FIRST) if settled and tracemalloc.is_tracing() else [],
    }


def _descriptors(connector: Any) -> Iterator[int]:
    """Of the connections in a pool of aiohttp that are still open."""
    for connections in connector._conns.values():
        for protocol, _ in connections:
            if protocol.transport is not None and (end := protocol.transport.get_extra_info("socket")) is not None:
                yield end.fileno()


def _open_files(*, without: set[int]) -> Counter[str]:
    found = Counter[str]()
    for file in Path("/proc/self/fd").iterdir():
        if int(file.name) in without:
            continue
        with suppress(OSError):  # closed meanwhile, as the one that this folder itself is read with
            kind = str(file.readlink())
            found[_peer(int(file.name)) if kind.startswith("socket:") else Path(kind).name] += 1
    return found


def _peer(descriptor: int) -> str:
    """What a socket is connected to."""
    with socket.socket(fileno=os.dup(descriptor)) as copy:
        try:
            peer = copy.getpeername()
        except OSError:
            return "socket that is not connected"
    return f"connection to port {peer[1]}" if isinstance(peer, tuple) else "socket pair"


def _work(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", repr(task.get_coro()))


def _held(each: Any) -> Iterator[tuple[str, Sized]]:
    """The containers among an object's attributes."""
    slots = [name for kind in type(each).__mro__ for name in _names(kind.__dict__.get("__slots__", ()))]
    attributes = {name: getattr(each, name, None) for name in slots if not name.startswith("__")}
    attributes |= getattr(each, "__dict__", {})
    for name, value in attributes.items():
        if isinstance(value, _CONTAINERS) or type(value).__name__ in {"WeakValueDictionary", "WeakSet"}:
            yield name, cast("Sized", value)


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _allocated(first: list[tracemalloc.Snapshot]) -> list[str]:
    """Where the memory was taken that is held now and was not when this was first asked."""
    snapshot = tracemalloc.take_snapshot().filter_traces(
        [tracemalloc.Filter(inclusive=False, filename_pattern=__file__)]
    )
    if not first:
        first.append(snapshot)
        return []
    lines: list[str] = []
    for difference in snapshot.compare_to(first[0], "traceback")[:_MOST]:
        lines.append(f"{difference.size_diff / 1024:+.0f} KiB in {difference.count_diff:+d} blocks")
        lines += difference.traceback.format(most_recent_first=True)
    return lines


def main() -> int:
    target = Path(sys.argv[1]).absolute()
    if "--trace" in sys.argv:
        tracemalloc.start(int(sys.argv[sys.argv.index("--trace") + 1]))

    def look(number: int, _: FrameType | None) -> None:
        try:
            seen = sample(settled=number == signal.SIGUSR2)
        except RuntimeError:  # the event loop is not there yet, or not any more
            return
        unfinished = target.with_suffix(".part")
        unfinished.write_text(json.dumps(seen), encoding="utf-8")
        unfinished.replace(target)

    signal.signal(signal.SIGUSR1, look)
    signal.signal(signal.SIGUSR2, look)
    from bot.__main__ import main as rivulet

    return rivulet(["run", "--config", "config.toml"])


if __name__ == "__main__":
    sys.exit(main())
