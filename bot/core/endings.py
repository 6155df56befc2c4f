"""How an answer ended, in words for the person who asked."""

from __future__ import annotations

from math import ceil

from bot.core.model import End, Ending

# Of a question that the database does not take.
NOT_STORED = "I could not take your question just now. Please ask again in a moment."

_SENTENCES = {
    End.COMPLETED: "",
    End.REFUSED: "",  # the model has said it in its own words
    End.LENGTH: "Cut off: the answer reached its maximum length. Write “go on” to get the rest.",
    End.FILTERED: "Cut off by the model's content filter.",
    End.EMPTY: "The model gave an empty answer. Ask again, perhaps in other words.",
    End.UNSHOWN: "The rest of the answer cannot be shown here.{detail}",
    End.STOPPED: "Stopped.",
    End.SHUTDOWN: "Interrupted: the bot is restarting, and goes on when it is back.",
    End.INTERRUPTED: "Interrupted, and it cannot be taken up again. Write `!retry` to ask again.",
    End.FAILED: "The model failed.{detail} Write `!retry` to ask again.",
    End.UNFINISHED: (
        "The answer broke off: the model's server ended it without saying that it is complete. "
        "Write `!retry` to ask again."
    ),
    End.CONNECTION_LOST: "The connection to the model was lost. Write `!retry` to ask again.",
    End.UNREACHABLE: "The model cannot be reached at the moment. Try again in a minute.",
    End.TIMED_OUT: "The model did not go on in time.{detail} Write `!retry` to ask again.",
    End.OVERLOADED: "The model is overloaded at the moment. Try again{wait}.",
    End.RATE_LIMITED: "Too many questions for the model at the moment. Try again{wait}.",
    End.NO_CREDIT: "The bot's OpenAI account has no credit left. Whoever runs the bot has to look after it.",
    End.UNKNOWN_MODEL: "The configured model does not exist or is not available to this key.{detail}",
    End.WRONG_KEY: "The model's server does not accept the bot's key. Whoever runs the bot has to look at it.",
    End.NOT_ALLOWED: "The bot's key may not do this on the model's server.{detail}",
    End.TOO_LONG: "This conversation has become too long for the model. Start another with `!new`.",
    End.API_GONE: "{detail}",
    End.BAD_REQUEST: "The model's server did not accept the question.{detail}",
    End.QUEUE_FULL: "{detail} Ask again after the next answer.",
    End.BUSY: "There are too many questions at the moment. Ask again in a few minutes.",
}

_BEGINNINGS = {  # of what begins with the detail, where there is none
    End.API_GONE: "The model's server does not offer the configured API.",
    End.QUEUE_FULL: "There are too many questions waiting here.",
}

_LONGEST_DETAIL = 300  # characters of a server's own words; some send whole pages


def sentence(ending: Ending) -> str:
    """What is shown under the answer; empty where the answer speaks for itself."""
    detail = " ".join("".join(char if char.isprintable() else " " for char in ending.detail).split())
    if len(detail) > _LONGEST_DETAIL:
        detail = f"{detail[:_LONGEST_DETAIL].rstrip()}…"
    if detail and detail[-1] not in ".!?…":
        detail += "."
    text = _SENTENCES[ending.end]
    if ending.end in _BEGINNINGS:
        detail = detail or _BEGINNINGS[ending.end]
    elif detail:
        detail = f" {detail}"
    return text.format(detail=detail, wait=_wait(ending.retry_after))


def _wait(seconds: float | None) -> str:
    if seconds is None:
        return " in a minute"
    if seconds < 90:
        whole = max(1, ceil(seconds))
        return f" in {whole} second{'s' if whole > 1 else ''}"
    return f" in {ceil(seconds / 60)} minutes"
