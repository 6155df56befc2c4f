"""Rate limits as raw calls: what is counted together, the headers, and the refusals."""

from __future__ import annotations

from typing import Any

import pytest

from playground.discord.limits import Limit
from playground.discord.server import DiscordStandIn
from playground.timeline import Timeline


@pytest.fixture
def room(stand_in: DiscordStandIn) -> str:
    return f"/channels/{stand_in.general}/messages"


async def test_the_headers_count_down_and_the_sixth_post_is_refused(
    http: Any, room: str, stand_in: DiscordStandIn, timeline: Timeline
) -> None:
    answers = [await http("POST", room, {"content": str(number)}) for number in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    assert all(answer.headers["X-RateLimit-Limit"] == "5" for answer in answers)
    assert 4 < float(answers[0].headers["X-RateLimit-Reset-After"]) <= 5
    assert float(answers[0].headers["X-RateLimit-Reset"]) > 1_700_000_000

    refused = answers[-1]
    assert refused.json["message"] == "You are being rate limited."
    assert refused.json["global"] is False
    assert 0 < refused.json["retry_after"] <= 5
    assert refused.headers["Retry-After"] == "5"
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert "X-RateLimit-Global" not in refused.headers
    assert refused.headers["Via"] == "1.1 google"
    assert refused.headers["Content-Type"] == "application/json"
    assert [(each.method, each.path, each.scope) for each in stand_in.refusals] == [("POST", room, "user")]
    assert len(timeline.moments) == 5


async def test_who_waits_as_long_as_told_is_let_in(http: Any, room: str, clock: Any) -> None:
    for _ in range(5):
        await http("POST", room, {"content": "x"})
    refused = await http("POST", room, {"content": "x"})
    clock.skip(refused.json["retry_after"])
    assert (await http("POST", room, {"content": "x"})).headers["X-RateLimit-Remaining"] == "4"


async def test_posts_and_edits_count_apart_under_one_bucket(http: Any, room: str) -> None:
    posts = [await http("POST", room, {"content": "x"}) for _ in range(5)]
    message = f"{room}/{posts[0].json['id']}"
    edits = [await http("PATCH", message, {"content": str(number)}) for number in range(6)]
    assert [edit.status for edit in edits] == [200] * 5 + [429]
    assert len({answer.headers["X-RateLimit-Bucket"] for answer in posts + edits}) == 1


async def test_deletions_and_typing_have_buckets_of_their_own(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    sent = (await http("POST", room, {"content": "x"})).json["id"]
    deleted = await http("DELETE", f"{room}/{sent}")
    typed = [await http("POST", f"/channels/{stand_in.general}/typing") for _ in range(6)]
    posted = await http("POST", room, {"content": "x"})
    assert [answer.status for answer in typed] == [204] * 5 + [429]
    buckets = {answer.headers["X-RateLimit-Bucket"] for answer in (deleted, typed[0], posted)}
    assert len(buckets) == 3
    assert float(deleted.headers["X-RateLimit-Reset-After"]) <= 1


async def test_each_channel_and_each_thread_has_its_own_count(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    thread, other = stand_in.create_thread(stand_in.general, "aside"), stand_in.add_channel("other")
    for channel in (stand_in.general, thread, other):
        answer = await http("POST", f"/channels/{channel}/messages", {"content": "x"})
        assert answer.headers["X-RateLimit-Remaining"] == "4"


async def test_fifty_calls_a_second_are_the_bots_share(http: Any, stand_in: DiscordStandIn, clock: Any) -> None:
    stand_in.limits.whole_bot = Limit(3, 1.0)
    answers = [await http("GET", "/users/@me") for _ in range(4)]
    refused = answers[-1]
    assert refused.status == 429
    assert refused.json["global"] is True
    assert (refused.headers["X-RateLimit-Global"], refused.headers["X-RateLimit-Scope"]) == ("true", "global")
    assert refused.headers["Retry-After"] == "1"
    assert "X-RateLimit-Bucket" not in refused.headers
    assert stand_in.refusals[0].scope == "global"
    clock.skip(1)
    assert (await http("GET", "/users/@me")).status == 200


async def test_the_bots_share_is_fifty_by_default(http: Any) -> None:
    answers = [(await http("GET", "/users/@me")).status for _ in range(51)]
    assert answers == [200] * 50 + [429]


async def test_old_messages_take_three_edits_in_six_seconds(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    sent = (await http("POST", room, {"content": "x"})).json["id"]
    stand_in.limits.old_after = 0.0
    edits = [await http("PATCH", f"{room}/{sent}", {"content": str(number)}) for number in range(4)]
    assert [edit.status for edit in edits] == [200, 200, 200, 429]
    assert edits[-1].json["code"] == 30046
    assert 5 < edits[-1].json["retry_after"] <= 6
    assert edits[-1].headers["X-RateLimit-Remaining"] == "1", "the bucket's own headers say nothing of this limit"


async def test_other_figures_can_be_set(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    stand_in.limits.post = Limit(2, 0.5)
    answers = [await http("POST", room, {"content": "x"}) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[0].headers["X-RateLimit-Limit"] == "2"


async def test_a_refused_body_has_used_a_permit(http: Any, room: str) -> None:
    answers = [await http("POST", room, {"content": ""}) for _ in range(6)]
    assert [answer.status for answer in answers] == [400] * 5 + [429]
    assert answers[0].headers["X-RateLimit-Remaining"] == "4"
