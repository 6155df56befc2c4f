"""Discord's error answers, with the bodies that it sends."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.failures import SILENT_429, TokenRefused, to_error
from bot.errors import Gone, PlatformError, Refused, Rejected, Unreachable

OWN = "discord:edit:200"


def error(status: int, body: object = None, **headers: str) -> PlatformError:
    return to_error(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, OWN)


@pytest.mark.parametrize(
    ("body", "headers", "seconds", "limit"),
    [
        ({"message": "slow", "retry_after": 0.337, "global": False}, {"Retry_After": "1"}, 0.337, OWN),
        ({"retry_after": 1336.57, "global": False}, {"X_RateLimit_Scope": "shared"}, 1336.57, OWN),
        ({"retry_after": 0.5, "global": True}, {}, 0.5, "discord:global"),
        ({"retry_after": 2}, {"X_RateLimit_Scope": "global"}, 2.0, "discord:global"),
        ({"retry_after": 3.5, "code": 30046, "message": "old message"}, {}, 3.5, OWN),
        (None, {"Retry_After": "65"}, 65.0, OWN),
        ({"retry_after": "soon"}, {"Retry_After": "never"}, SILENT_429, OWN),
        (None, {}, SILENT_429, OWN),
    ],
)
def test_a_refusal_tells_how_long_and_which_limit(
    body: object, headers: dict[str, str], seconds: float, limit: str
) -> None:
    refused = error(429, body, **headers)
    assert isinstance(refused, Refused)
    assert (refused.retry_after, refused.limit) == (seconds, limit)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 529])
def test_a_server_error_may_be_repeated(status: int) -> None:
    assert isinstance(error(status), Unreachable)


@pytest.mark.parametrize(
    ("status", "code", "only_message"),
    [
        (404, 10008, True),
        (404, 10003, False),
        (403, 50001, False),
        (403, 50013, False),
        (403, 50007, False),
        (400, 50083, False),
        (403, 160002, False),
        (400, 160005, False),
    ],
)
def test_gone_tells_a_lost_message_from_a_lost_place(status: int, code: int, only_message: bool) -> None:
    gone = error(status, {"code": code, "message": "Not any more"})
    assert isinstance(gone, Gone)
    assert (gone.message, str(gone)) == (only_message, "Not any more")


def test_a_form_error_is_told_in_discords_own_words() -> None:
    body: dict[str, Any] = {
        "code": 50035,
        "message": "Invalid Form Body",
        "errors": {
            "content": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}]},
            "embeds": {"0": {"title": {"_errors": [{"code": "X", "message": "This field is required"}]}}},
        },
    }
    rejected = error(400, body)
    assert isinstance(rejected, Rejected)
    assert str(rejected) == (
        "Invalid Form Body; content: Must be 2000 or fewer in length.; embeds.0.title: This field is required"
    )


def test_a_refused_token_is_told_apart() -> None:
    assert isinstance(error(401, {"code": 0, "message": "401: Unauthorized"}), TokenRefused)


@pytest.mark.parametrize("status", [301, 400, 403, 404, 405])
def test_an_answer_without_a_body_is_told_by_its_status(status: int) -> None:
    assert str(error(status)) == f"Discord answered {status}"
    assert isinstance(error(status), Rejected)
