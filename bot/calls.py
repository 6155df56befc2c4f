"""What a reply asks for, as a call to the platform."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

from bot.busy import Busy
from bot.core.actions import Append, Attach, Delete, Edit, Post, Start, Stop, Streamed, Write
from bot.core.files import File
from bot.core.model import Place, Prompt
from bot.core.pacing import Receipt
from bot.errors import PlatformError, Rejected, Unreachable
from bot.ports import Platform, Streaming

_IN_VAIN = 600.0  # seconds of failing at the calls of an answer, while others are answered, that are trouble enough


class Calls:
    """Those of one attempt. `made`: so many, whatever became of them."""

    def __init__(
        self, platform: Platform, streaming: Streaming | None, prompt: Prompt, place: Place, busy: Busy
    ) -> None:
        self.made = 0
        self._platform = platform
        self._streaming = streaming
        self._prompt = replace(prompt, place=place)
        self._busy = busy
        self._failing_since: float | None = None  # the platform has not answered any call since

    async def make(self, action: Write | Streamed, known: Sequence[str]) -> Receipt:
        """`known` are the answer's messages.

        Raises PlatformError: Rejected also where the platform has been failing at this for long, and at no more.
        """
        self.made += 1
        try:
            receipt = await self._make(action)
        except Unreachable as error:
            if await self._is_in_vain(known):
                raise Rejected(str(error)) from error
            raise
        self._failing_since = None
        return receipt

    async def _make(self, action: Write | Streamed) -> Receipt:
        if isinstance(action, Write):
            return await make(self._platform, self._prompt, action)
        assert self._streaming is not None
        if isinstance(action, Stop) and action.more:
            self._busy.show()
        return await make_streamed(self._streaming, self._prompt, action)

    async def _is_in_vain(self, known: Sequence[str]) -> bool:
        now = asyncio.get_running_loop().time()
        self._failing_since = self._failing_since or now
        if now - self._failing_since < _IN_VAIN:
            return False
        self._busy.show()
        place = self._prompt.place
        try:
            await self._platform.typing(place)
            await self._platform.strays(place, nonces_of(self._prompt), known)
        except Unreachable:
            return False  # it is in trouble altogether
        except PlatformError:
            pass
        self._failing_since = None
        return True


async def make(platform: Platform, prompt: Prompt, action: Write) -> Receipt:
    """Made again for the same question, nothing appears twice. Raises PlatformError."""
    place, nonces = prompt.place, nonces_of(prompt)
    match action:
        case Post(page, text, again):
            return await platform.post(place, text, nonce=f"{nonces}{_copy(page, again)}", first=page == 0)
        case Edit(_, message, text):
            return await platform.edit(place, message, text)
        case Delete(_, message):
            return await platform.delete(place, message)
        case Attach(text, files):
            # another attempt whose text is another must not be given the files of the first
            return await platform.attach(place, text, files, nonce=f"{nonces}f{_digest(text, files)}")


async def make_streamed(streaming: Streaming, prompt: Prompt, action: Streamed) -> Receipt:
    """The same for a message that grows. Raises PlatformError, of which StreamEnded is one."""
    match action:
        case Start(page, text, again):
            nonce = f"{nonces_of(prompt)}{_copy(page, again)}"
            return await streaming.start(text, person=prompt.author.id, nonce=nonce)
        case Append(_, message, text):
            return await streaming.append(message, text)
        case Stop(_, message, text, more):
            return await streaming.stop(message, text, more=more)


def nonces_of(prompt: Prompt) -> str:
    """What the nonces of its answer's messages begin with."""
    return f"{crc32(prompt.key.encode()):08x}-"


def _copy(page: int, again: int) -> str:
    """With the nonce of a message that is gone, a platform may answer that it is there."""
    return f"{page}.{again}" if again else f"{page}"


def _digest(text: str, files: Sequence[File]) -> str:
    parts = [text.encode("utf-8", "replace"), *(file.encoded() for file in files)]
    return f"{crc32(bytes(1).join(parts)):08x}"
