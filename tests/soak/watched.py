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
import time
import tracemalloc
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sized
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from types import FrameType
from typing import Any, cast

# Whose objects are looked into: the product's, and those of the libraries that it keeps for as long as it runs.
_PACKAGES = (
    *("bot.", "adapters.", "discord.", "slack_sdk.", "slack_bolt.", "aiohttp.", "openai.", "httpx2.", "aiolimiter."),
)
_PAUSES: list[float] = []  # seconds that each collection of garbage has held up the process, since the last look
_FROZEN: list[object] = []  # of those to look into, what the garbage collector does not tell of any more
_Cached = type(lru_cache(id))
_CONTAINERS = (dict, list, set, deque)
_FIRST: list[tracemalloc.Snapshot] = []  # of the memory, where it is traced
_MOST = 40  # places of the memory that are told of where it is traced


def sample(*, settled: bool) -> dict[str, Any]:
    """What there is: tasks by the coroutine they run, objects by class, and how much is in the containers they hold.

    `files`: open ones by what they lead to, without those that are `idle`: connections in pools, which wait for the
    next call. `blocks`: pieces of memory that Python's objects hold. `longest_pause`: the seconds for which a
    collection of garbage has held up the process at most, since the last look. `settled`: without garbage, and without
    what is only remembered to save work.
    """
    longest_pause = max(_PAUSES, default=0.0)
    _PAUSES.clear()
    if settled:
        _forget()
    objects, sizes, idle = Counter[str](), Counter[str](), set[int]()
    for each in [*gc.get_objects(), *_FROZEN]:
        kind = cast("type[object]", type(each))
        objects[_name(kind)] += 1
        if not _is_watched(each):
            continue
        for name, held in _held(each):
            # a deque with a greatest length forgets by itself
            if getattr(held, "maxlen", None) is None:
                sizes[f"{_name(kind)}.{name}"] += len(held)
        if kind.__qualname__ == "TCPConnector":
            idle |= set(_descriptors(each))
    return {
        "tasks": dict(Counter(map(_work, asyncio.all_tasks()))),
        "objects": dict(objects),
        "sizes": dict(sizes),
        "longest_pause": longest_pause,
        "blocks": sys.getallocatedblocks(),
        "idle": len(idle),
        "files": dict(_open_files(without=idle)),
        "allocated": _allocated(_FIRST) if settled and tracemalloc.is_tracing() else [],
    }


def _forget() -> None:
    """Empties the caches of the product's functions, which fill up to a greatest size, and collects the garbage."""
    for each in [*gc.get_objects(), *_FROZEN]:
        if type(each) is _Cached and each.__module__.startswith("bot."):
            each.cache_clear()
    gc.callbacks.remove(_time)
    gc.collect()
    gc.callbacks.append(_time)


def _name(kind: type[object]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _is_watched(each: object) -> bool:
    # not isinstance, which asks some of the libraries' objects for their class, and with that they load a library
    return type(each) is _Cached or _name(type(each)).startswith(_PACKAGES)


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


def _time(phase: str, _: dict[str, int]) -> None:
    """Called by the garbage collector."""
    if phase == "start":
        _PAUSES.append(-time.perf_counter())
    else:
        _PAUSES[-1] += time.perf_counter()


def _freeze(freeze: Callable[[], None]) -> None:
    """In the place of `gc.freeze`."""
    _FROZEN.extend(filter(_is_watched, gc.get_objects()))
    freeze()


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

    gc.callbacks.append(_time)
    gc.freeze = partial(_freeze, gc.freeze)
    signal.signal(signal.SIGUSR1, look)
    signal.signal(signal.SIGUSR2, look)
    from bot.__main__ import main as rivulet

    return rivulet(["run", "--config", "config.toml"])


if __name__ == "__main__":
    sys.exit(main())
