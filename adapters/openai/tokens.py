"""How much of a history fits: an estimate of tokens that errs on the long side.

tiktoken has no entry for today's models, and other servers have other tokenizers. Known figures: its o200k_base takes
4 to 5 bytes of English, 5 to 6 of Cyrillic, 3 to 4 of Chinese and about 3 of code for one token, so a token for every
3 bytes of UTF-8 is above all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.model import Exchange

_BYTES_A_TOKEN = 3
_EACH_MESSAGE = 4  # tokens around a message: its role and its borders


def estimate(text: str) -> int:
    """Tokens that one message with this text takes, rather too many than too few."""
    return _EACH_MESSAGE - len(text.encode()) // -_BYTES_A_TOKEN


def trim(history: Sequence[Exchange], tokens: int) -> Sequence[Exchange]:
    """The newest exchanges that fit together, oldest first; always whole ones."""
    left = tokens
    for kept, exchange in enumerate(reversed(history)):
        left -= estimate(exchange.question) + (estimate(exchange.answer) if exchange.answer else 0)
        if left < 0:
            return history[len(history) - kept :]
    return history
