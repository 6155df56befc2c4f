"""Errors, sorted by what to do next.

RivuletError
├── ConfigError         tell the person who runs the bot; nothing was started
├── StoreError          the database cannot take it now; tell the person, lose nothing
│   └── Missing         what it is about is not in the database (any more): nothing will help
├── BackendError        the model's side ended the answer; `ending` says how, `again` whether a retry is safe, `broken`
│                       whether it may go on there, so that it can be taken up
└── PlatformError       the chat service did not do what was asked
    ├── Refused         too many calls: wait `retry_after` seconds, then ask again
    ├── StreamEnded     the message grows no more: replace its text, go on in another
    ├── Unreachable     no answer, or a server error: the same call may be repeated soon
    ├── Rejected        this call will never be accepted: log it, end the turn
    └── Gone            the message, the channel or the permission is gone: end the turn quietly
"""

from __future__ import annotations

from bot.core.model import Ending


class RivuletError(Exception):
    """Whatever Rivulet raises on purpose; its text is a sentence for a person."""


class ConfigError(RivuletError):
    """Settings that cannot work: names the file, the key and what would be right."""


class StoreError(RivuletError):
    """The database did not take or give what it should have."""


class Missing(StoreError):
    """What was to be changed is not in the database."""


class BackendError(RivuletError):
    """The answer ended by a fault of the model's side or of the way there."""

    def __init__(self, ending: Ending, *, again: bool = False, broken: bool = False) -> None:
        super().__init__(ending.detail or ending.end.value)
        self.ending = ending
        self.again = again  # the server has certainly not begun an answer that it keeps, so asking again is safe
        self.broken = broken  # only the way to the answer broke: it may go on at the server


class PlatformError(RivuletError):
    """The chat service did not do what was asked."""


class Refused(PlatformError):
    """Too many calls. `limit` names the limit that refused, where the platform tells (see `Limit.key`)."""

    def __init__(self, retry_after: float, *, limit: str = "") -> None:
        super().__init__(f"refused for {retry_after:.3f} s")
        self.retry_after = retry_after  # seconds
        self.limit = limit


class StreamEnded(PlatformError):
    """A streamed message takes nothing more, and took nothing of this call. `by_person`: somebody stopped it."""

    def __init__(self, text: str, *, by_person: bool = False) -> None:
        super().__init__(text)
        self.by_person = by_person


class Unreachable(PlatformError):
    """No answer, or a server error; a post repeated with the same nonce never appears twice."""


class Rejected(PlatformError):
    """The platform will never accept this call; its own words say why."""


class Gone(PlatformError):
    """The message, the channel or the permission is gone. `message` tells whether it is only the message."""

    def __init__(self, text: str, *, message: bool = False) -> None:
        super().__init__(text)
        self.message = message
