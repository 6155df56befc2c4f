"""How a Web API method says no."""

from __future__ import annotations

from typing import Any


class SlackError(Exception):
    """Answered as `{"ok": false, "error": code}` with HTTP 200; `details` are further fields of that answer."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details

    def as_dict(self) -> dict[str, Any]:
        return {"ok": False, "error": self.code, **self.details}


class TooMany(SlackError):
    """Answered as HTTP 429 with Retry-After, unless the limits say otherwise."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("ratelimited")
        self.retry_after = retry_after  # whole seconds
