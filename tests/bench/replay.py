"""A server that plays recorded streams of the three APIs, with one recorded delta as often as it is wanted.

`python -m tests.bench.replay` is the program; the beginning of a path says how: `/batched/20000/v1/responses`. All is
rendered before it is asked for, so that the other side is what is measured.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Pace = Literal["batched", "each", "paced"]

A_SECOND = 30  # deltas of a paced stream
_BATCH = 100  # deltas of one write
_SAMPLES = Path(__file__).parents[1] / "samples" / "openai"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Recording:
    """A stream's events before its deltas, one delta, and the events after them."""

    before: bytes
    delta: bytes
    after: bytes

    @classmethod
    def of(cls, sample: str, delta: bytes) -> Recording:
        """The delta is the event in which these bytes are; other deltas of the sample count as before or after it."""
        events = [event + b"\n\n" for event in (_SAMPLES / sample).read_bytes().split(b"\n\n") if event]
        at = next(at for at, event in enumerate(events) if delta in event)
        return cls(b"".join(events[:at]), events[at], b"".join(events[at + 1 :]))

    async def play(self, pace: str, deltas: int, writer: asyncio.StreamWriter) -> None:
        """As chunks of HTTP: each event its own, or a hundred of them together."""
        writer.write(_HEAD + _chunk(self.before))
        async for count in _times(pace, deltas):
            writer.write(_chunk(self.delta * count))
            await writer.drain()
        writer.write(_chunk(self.after) + _chunk(b""))
        await writer.drain()


RECORDINGS = {
    "responses": Recording.of("responses-two-messages.sse", b'"delta":"look."'),
    "assistants": Recording.of("assistants-text.sse", b'"value":"lo."'),
    "chat": Recording.of("chat-text.sse", b'"content":"lo."'),
}


@asynccontextmanager
async def replay() -> AsyncGenerator[str]:
    """Its address, below which the pace and the number of deltas are said."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __spec__.name), stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        port = int(await server.stdout.readline())
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        await server.wait()


async def _times(pace: str, deltas: int) -> AsyncIterator[int]:
    """How many deltas are written now; each in its own time where they are paced."""
    loop = asyncio.get_running_loop()
    due = loop.time() + random.random() / A_SECOND
    for _ in range(deltas // _BATCH if pace == "batched" else deltas):
        if pace == "paced":
            await asyncio.sleep(due - loop.time())
            due += 1 / A_SECOND
        yield _BATCH if pace == "batched" else 1


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            asked = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            _, pace, deltas, _, *rest = asked.split(maxsplit=2)[1].split("/")
            for line in asked.split("\r\n"):
                if line.startswith("content-length:"):
                    await reader.readexactly(int(line.partition(":")[2]))
            match rest:
                case ["responses"]:
                    await RECORDINGS["responses"].play(pace, int(deltas), writer)
                case ["threads", _, "runs"]:
                    await RECORDINGS["assistants"].play(pace, int(deltas), writer)
                case ["chat", "completions"]:
                    await RECORDINGS["chat"].play(pace, int(deltas), writer)
                case _:  # a conversation, an assistant, a thread, a message
                    made = b'{"id": "made_1"}'
                    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                    writer.write(head % len(made) + made)
    writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main())
