from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from playground.openai.script import Delivery, Part, Script, pieces


@given(st.text())
def test_pieces_rejoin_to_exactly_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_words_keep_their_leading_space() -> None:
    assert pieces("Hello there, you!\n\nWell.") == ["Hello", " there", ",", " you", "!", "\n\n", "Well", "."]


async def test_the_pace_is_kept_from_the_beginning() -> None:
    delivery = Delivery(Script(), tokens_per_second=1000, first_token=0.02)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    times = [loop.time() - begin async for _ in delivery.pieces(Part("text", "word " * 20))]
    assert times[0] >= 0.02
    assert times[-1] >= 0.02 + (len(times) - 1) / 1000
    assert all(at >= 0.019 + place / 1000 for place, at in enumerate(times))
