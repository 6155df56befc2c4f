"""Files below messages: how they come, stay, go, and are read again; and the previews of links."""

from __future__ import annotations

import io
import json
from typing import Any

import aiohttp
import discord
import pytest

from playground.discord.permissions import Permission
from playground.discord.server import DiscordStandIn
from playground.timeline import Attachment, Timeline

MEBIBYTE = 1024 * 1024


@pytest.fixture
def room(stand_in: DiscordStandIn) -> str:
    return f"/channels/{stand_in.general}/messages"


def form(payload: dict[str, Any] | None = None, /, **files: bytes) -> aiohttp.FormData:
    """`a_0=b"x"` is the part files[0] with the name a.txt."""
    made = aiohttp.FormData()
    if payload is not None:
        made.add_field("payload_json", json.dumps(payload), content_type="application/json")
    for name, content in files.items():
        stem, number = name.split("_")
        made.add_field(f"files[{number}]", io.BytesIO(content), filename=f"{stem}.txt", content_type="text/plain")
    return made


def names(answer: Any) -> list[str]:
    return [attachment["filename"] for attachment in answer.json["attachments"]]


async def test_files_come_in_a_form_with_the_rest_as_json(http: Any, room: str, timeline: Timeline) -> None:
    answer = await http("POST", room, data=form({"content": "see"}, a_0=b"\x00\r\n\xff"))
    assert answer.json["content"] == "see"
    [attachment] = answer.json["attachments"]
    assert (attachment["filename"], attachment["size"], attachment["content_type"]) == ("a.txt", 4, "text/plain")
    assert timeline.moments[-1].files == (Attachment(attachment["id"], "a.txt", 4),)


async def test_files_need_a_permission_that_text_does_not(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    stand_in.forbid(stand_in.general, Permission.ATTACH_FILES)
    answer = await http("POST", room, data=form({"content": "see"}, a_0=b"x"))
    assert (answer.status, answer.json["code"]) == (403, 50013)
    assert (await http("POST", room, json={"content": "see"})).status == 200


async def test_a_file_is_read_at_its_address(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    [attachment] = (await http("POST", room, data=form(a_0=b"\x00\xff"))).json["attachments"]
    async with http.session.get(attachment["url"]) as answer:
        assert (answer.status, await answer.read()) == (200, b"\x00\xff")
    assert stand_in.file(attachment["id"]) == ("a.txt", b"\x00\xff")
    async with http.session.get(f"{stand_in.url}/attachments/1/a.txt") as answer:
        assert answer.status == 404
    with pytest.raises(ValueError):
        stand_in.file("1")


async def test_the_field_names_and_describes_the_new_files(http: Any, room: str) -> None:
    described = [{"id": 1, "description": "two"}, {"id": "0", "filename": "one.md"}]
    answer = await http("POST", room, data=form({"attachments": described}, a_0=b"1", b_1=b"2"))
    assert names(answer) == ["b.txt", "one.md"]
    assert answer.json["attachments"][0]["description"] == "two"


async def test_an_edit_without_the_field_keeps_and_adds(http: Any, room: str) -> None:
    sent = (await http("POST", room, data=form({"content": "x"}, a_0=b"1"))).json["id"]
    assert names(await http("PATCH", f"{room}/{sent}", {"content": "y"})) == ["a.txt"]
    assert names(await http("PATCH", f"{room}/{sent}", data=form({}, b_0=b"2"))) == ["a.txt", "b.txt"]


async def test_an_edit_with_the_field_leaves_what_it_names(http: Any, room: str, timeline: Timeline) -> None:
    """What is to stay by its id, what comes along by its number; everything else goes."""
    sent = (await http("POST", room, data=form({"content": "x"}, a_0=b"1", b_1=b"2"))).json
    kept, message = sent["attachments"][1]["id"], f"{room}/{sent['id']}"
    both = [{"id": kept}, {"id": 0}]
    assert names(await http("PATCH", message, data=form({"attachments": both}, c_0=b"3"))) == ["b.txt", "c.txt"]
    unnamed = await http("PATCH", message, data=form({"attachments": [{"id": kept}]}, d_0=b"4"))
    assert names(unnamed) == ["b.txt"]
    assert names(await http("PATCH", message, {"attachments": []})) == []
    assert timeline.moments[-1].files == ()


@pytest.mark.parametrize("attachments", [[{"id": "1"}], [{"id": 1}], [{"id": 0}, {"id": 0}]])
async def test_the_field_cannot_name_what_is_not_there(http: Any, room: str, attachments: Any) -> None:
    answer = await http("POST", room, data=form({"content": "x", "attachments": attachments}, a_0=b"1"))
    assert (answer.status, answer.json["code"], list(answer.json["errors"])) == (400, 50035, ["attachments"])


async def test_a_message_can_be_nothing_but_a_file_until_it_goes(http: Any, room: str) -> None:
    sent = (await http("POST", room, data=form(a_0=b"1"))).json["id"]
    answer = await http("PATCH", f"{room}/{sent}", {"attachments": []})
    assert (answer.status, answer.json["code"]) == (400, 50006)


async def test_a_message_holds_ten_files(http: Any, room: str) -> None:
    sent = await http("POST", room, data=form(**{f"a_{number}": b"1" for number in range(10)}))
    assert len(names(sent)) == 10
    for call in (
        http("PATCH", f"{room}/{sent.json['id']}", data=form(a_0=b"1")),
        http("POST", room, data=form(**{f"a_{number}": b"1" for number in range(11)})),
    ):
        answer = await call
        assert (answer.status, list(answer.json["errors"])) == (400, ["attachments"])


@pytest.mark.parametrize(
    "files", [{"a_0": b"x" * (10 * MEBIBYTE + 1)}, {f"a_{number}": b"x" * (9 * MEBIBYTE) for number in range(3)}]
)
async def test_a_file_of_ten_mebibytes_and_a_request_of_25_are_the_most(
    http: Any, room: str, files: dict[str, bytes]
) -> None:
    answer = await http("POST", room, data=form(**files))
    assert (answer.status, answer.json["code"]) == (413, 40005)


@pytest.mark.parametrize("part", ["file", "files", "files[a]", "files[-1]"])
async def test_a_part_with_another_name_is_refused(http: Any, room: str, part: str) -> None:
    made = form({"content": "x"})
    made.add_field(part, b"1", filename="a.txt")
    answer = await http("POST", room, data=made)
    assert (answer.status, answer.json["code"]) == (400, 50035)


async def test_two_files_cannot_have_one_number(http: Any, room: str) -> None:
    made = form({"content": "x"}, a_0=b"1")
    made.add_field("files[0]", b"2", filename="b.txt")
    assert (await http("POST", room, data=made)).json["code"] == 50035


async def test_discord_py_adds_and_takes_away_files(stand_in: DiscordStandIn, bot: Any, timeline: Timeline) -> None:
    sent = await bot.get_channel(int(stand_in.general)).send("x", file=discord.File(io.BytesIO(b"1"), "a.txt"))
    more = await sent.edit(attachments=[*sent.attachments, discord.File(io.BytesIO(b"2"), "b.txt")])
    assert [each.filename for each in more.attachments] == ["a.txt", "b.txt"]
    assert await more.attachments[1].read() == b"2"
    last = await more.edit(attachments=more.attachments[1:])
    assert [file.name for file in timeline.states(str(last.id))[-1].files] == ["b.txt"]


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("see https://example.org/a.", ("https://example.org/a",)),
        ("[here](https://example.org/a)", ("https://example.org/a",)),
        ("**https://example.org** and https://example.org", ("https://example.org",)),
        ("<https://example.org>", ()),
        ("[here](<https://example.org>)", ()),
        ("`https://example.org` ```\nhttps://example.org\n```", ()),
    ],
)
async def test_a_link_has_a_preview_unless_it_is_in_brackets_or_code(
    http: Any, room: str, timeline: Timeline, content: str, shown: tuple[str, ...]
) -> None:
    await http("POST", room, {"content": content})
    assert timeline.moments[-1].previews == shown


async def test_a_flag_suppresses_previews_until_an_edit_lifts_it(http: Any, room: str, timeline: Timeline) -> None:
    """discord.py 2.7.1 lifts it with every Message.edit, because it sends flags 0."""
    body: dict[str, Any] = {"content": "https://example.org", "flags": 4}
    sent = (await http("POST", room, body)).json
    assert (sent["flags"], timeline.moments[-1].previews) == (4, ())
    message = f"{room}/{sent['id']}"
    edited = (await http("PATCH", message, {"content": "https://example.org/b"})).json
    assert (edited["flags"], timeline.moments[-1].previews) == (4, ())
    lifted = (await http("PATCH", message, {"content": "https://example.org/c", "flags": 0})).json
    assert (lifted["flags"], timeline.moments[-1].previews) == (0, ("https://example.org/c",))


async def test_an_edit_cannot_take_components_back_or_make_a_message_silent(http: Any, room: str) -> None:
    text = {"type": 10, "content": "x"}
    sent = (await http("POST", room, {"flags": 1 << 15, "components": [text]})).json
    edited = await http("PATCH", f"{room}/{sent['id']}", {"flags": 4096, "components": [text]})
    assert edited.json["flags"] == 1 << 15


async def test_typing_lasts_ten_seconds(http: Any, stand_in: DiscordStandIn, timeline: Timeline, clock: Any) -> None:
    await http("POST", f"/channels/{stand_in.general}/typing")
    await http("POST", f"/channels/{stand_in.general}/messages", {"content": "x"})
    assert [moment.kind for moment in timeline.busy(stand_in.general)] == ["typing"]
    clock.skip(10)
    assert timeline.busy(stand_in.general) == []
