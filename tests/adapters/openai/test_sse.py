"""Server-sent events out of bytes, however these are cut."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.openai.sse import Decoder, ServerSentEvent
from tests.adapters.openai.tape import SAMPLES

TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
EVENTS = st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3)), max_size=5)
BESIDE = st.lists(st.sampled_from([": ping", ":", "id: 7", "retry: 100", "unknown: x", "datafoo: x"]), max_size=2)


def decode(chunks: Iterable[bytes]) -> list[ServerSentEvent]:
    decoder = Decoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.finish()


@given(events=EVENTS, beside=BESIDE, end=st.sampled_from(["\n", "\r\n", "\r"]), mark=st.booleans(), cuts=st.data())
def test_what_was_written_is_read_whatever_the_line_ends_comments_and_cuts(
    events: list[tuple[str, list[str]]], beside: list[str], end: str, mark: bool, cuts: st.DataObject
) -> None:
    lines = [
        line
        for name, data in events
        for line in (*beside, f"event: {name}", *(f"data: {line}" for line in data), *beside, "")
    ]
    written = "".join(line + end for line in lines).encode("utf-8-sig" if mark else "utf-8")
    whole = [ServerSentEvent(name, "\n".join(data)) for name, data in events]
    at = sorted(cuts.draw(st.sets(st.integers(0, len(written)), max_size=6)))
    assert decode([written]) == whole
    assert decode(bytes([byte]) for byte in written) == whole
    assert decode(written[a:b] for a, b in zip([0, *at], [*at, len(written)], strict=True)) == whole


@given(st.binary(max_size=80), st.integers(0, 80))
def test_any_bytes_are_read_without_an_error_and_the_same_however_they_are_cut(written: bytes, cut: int) -> None:
    whole = decode([written])
    assert decode(bytes([byte]) for byte in written) == whole
    assert decode([written[:cut], b"", written[cut:]]) == whole


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.sse")), ids=lambda sample: sample.stem)
def test_every_recorded_stream_is_the_same_byte_by_byte(sample: Path) -> None:
    written = sample.read_bytes()
    events = decode([written])
    assert len(events) == written.count(b"\ndata:") + written.startswith(b"data:")
    assert decode(bytes([byte]) for byte in written) == events


@pytest.mark.parametrize(
    ("written", "events"),
    [
        (b"data:x\n\n", [("", "x")]),
        (b"data:  x\n\n", [("", " x")]),
        (b"data\n\n", [("", "")]),
        (b"data: a\ndata: b\n\n", [("", "a\nb")]),
        (b"event: ping\n\ndata: x\n\n", [("", "x")]),
        (b"event: a\nevent: b\ndata: x\n\n", [("b", "x")]),
        (b"\n\n\ndata: x\n\n\n\n", [("", "x")]),
        (b": data: x\n\n", []),
        (b'data: "\xff"\n\n', [("", '"\ufffd"')]),
        (b"data: x", [("", "x")]),
        (b"data: x\n", [("", "x")]),
        (b"data: x\r", [("", "x")]),
    ],
)
def test_the_rules_are_kept(written: bytes, events: list[tuple[str, str]]) -> None:
    assert decode([written]) == events


def test_an_event_is_there_as_soon_as_its_blank_line_is() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: x\n") == []
    assert decoder.feed(b"\n") == [("", "x")]
    assert decoder.feed(b"data: y\r\n\r\n") == [("", "y")]
    assert decoder.finish() == []
