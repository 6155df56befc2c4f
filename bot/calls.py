"""What a reply asks for, as a call to the platform."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from bot.core.actions import Append, Attach, Delete, Edit, Post, Start, Stop, Streamed, Write
from bot.core.files import File
from bot.core.model import Prompt
from bot.core.pacing import Receipt
from bot.ports import Platform, Streaming


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
