"""What a reply asks for, as a call to the platform."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from bot.core.actions import Attach, Delete, Edit, Post, Write
from bot.core.files import File
from bot.core.model import Prompt
from bot.core.pacing import Receipt
from bot.ports import Platform


async def make(platform: Platform, prompt: Prompt, action: Write) -> Receipt:
    """Made again for the same question, nothing appears twice. Raises PlatformError."""
    place, question = prompt.place, f"{crc32(prompt.key.encode()):08x}"
    match action:
        case Post(page, text):
            return await platform.post(place, text, nonce=f"{question}-{page}", first=page == 0)
        case Edit(_, message, text):
            return await platform.edit(place, message, text)
        case Delete(_, message):
            return await platform.delete(place, message)
        case Attach(text, files):
            # another attempt whose text is another must not be given the files of the first
            return await platform.attach(place, text, files, nonce=f"{question}-f{_digest(text, files)}")


def _digest(text: str, files: Sequence[File]) -> str:
    parts = [text.encode("utf-8", "replace"), *(file.encoded() for file in files)]
    return f"{crc32(bytes(1).join(parts)):08x}"
