"""Answers that go on when nobody listens, taken up where they were left: nothing is missing and nothing comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.openai.answer import AnotherText, Answer, Beyond, Piece
from adapters.openai.cursor import cursor, taken_up
from bot.core.model import Began, Delta, End, Ended, Ending, Event, Mark, Request
from bot.errors import BackendError
from playground.openai import errors
from playground.openai.errors import HttpError
from playground.openai.faults import Cut, Expired, Failed, Incomplete, SilentEnd, Stall
from playground.openai.script import FunctionCall, Script, count_tokens
from tests.adapters.openai.asking import Outcome, ask
from tests.adapters.openai.talk import GO_ON, SERVERS, Talk, talking, until

TEXT = "A *river*:\n\n- Łódź\n- 東京 👋🏽\n\nThat is all."
WHOLE = Script(TEXT, commentary="Let me see.\n", reasoning="What is a river?")


@pytest.fixture(params=GO_ON)
async def talk(request: pytest.FixtureRequest) -> AsyncGenerator[Talk]:
    async with talking(request.param) as talk:
        yield talk


@pytest.fixture
async def background() -> AsyncGenerator[Talk]:
    async with talking("responses, in the background") as talk:
        yield talk


@pytest.fixture
async def assistants() -> AsyncGenerator[Talk]:
    async with talking("assistants") as talk:
        yield talk


class Heard:
    """What the engine keeps of an answer that may break: the mark, and how it ended."""

    def __init__(self, outcome: Outcome, before: Mark | None = None) -> None:
        self.outcome = outcome
        response, cursor, text = (before.response, before.cursor, before.text) if before else ("", "", "")
        for event in outcome.events:
            match event:
                case Began():
                    response = event.response or response
                case Delta():
                    cursor, text = event.cursor, text + event.text
                case _:
                    pass
        self.mark = Mark(response, cursor, text)

    @property
    def broken(self) -> bool:
        return self.outcome.error is not None and self.outcome.error.broken

    @property
    def how(self) -> tuple[str, Ending]:
        """The whole text and its end."""
        return self.mark.text, self.outcome.ending


async def take_up(talk: Talk, mark: Mark) -> Heard:
    """By another process."""
    return Heard(await ask(talk.open(), Request("", talk.remote, mark=mark)), mark)


async def unbroken(talk: Talk, script: Script) -> tuple[str, Ending]:
    talk.server.script(script)
    return Heard(await talk.ask("Tell me")).how


SCRIPTS = {
    "parts": WHOLE,
    "a refusal": Script(refusal="I would rather not, 東京.", commentary="Well."),
    "nothing": Script(""),
    "cut by a limit": Script(TEXT, fault=Incomplete(after=9)),
    "cut by a filter": Script(TEXT, fault=Incomplete("content_filter", after=9)),
    "a failure": Script(TEXT, fault=Failed(after=9)),
    "expired": Script(TEXT, fault=Expired(after=9)),
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
async def test_an_answer_that_is_left_after_any_piece_is_the_same_in_the_end(talk: Talk, script: Script) -> None:
    whole = await unbroken(talk, script)
    for after in range(count_tokens(whole[0]) + 1):
        talk.server.script(script)
        mark = await leave(talk, after)
        assert whole[0].startswith(mark.text)
        assert (await take_up(talk, mark)).how == whole


async def leave(talk: Talk, after: int) -> Mark:
    """Goes away after so many pieces, or with the end."""
    left: list[Event] = []
    with suppress(BackendError):
        async with talk.backend.stream(talk.request("Tell me")) as events:
            async for event in events:
                if isinstance(event, Ended) or sum(isinstance(known, Delta) for known in left) == after > 0:
                    break
                left.append(event)
                if after == 0 and isinstance(event, Began) and event.response:
                    break
    return Heard(Outcome(left)).mark


@pytest.mark.parametrize("fault", [Cut, SilentEnd])
async def test_a_stream_that_breaks_anywhere_can_be_taken_up(talk: Talk, fault: type[Cut | SilentEnd]) -> None:
    whole = await unbroken(talk, WHOLE)
    for after in [*range(count_tokens(whole[0])), None]:
        talk.server.script(replace(WHOLE, fault=fault(after)))
        heard = Heard(await talk.ask("Tell me"))
        assert heard.broken
        assert heard.outcome.end is (End.CONNECTION_LOST if fault is Cut else End.UNFINISHED)
        assert not heard.outcome.again
        assert (await take_up(talk, heard.mark)).how == whole


async def test_a_stream_that_breaks_again_and_again_comes_to_its_end(background: Talk) -> None:
    whole = await unbroken(background, WHOLE)
    background.server.script(replace(WHOLE, fault=Cut(after=2)))
    heard = Heard(await background.ask("Tell me"))
    for fault in (Cut(3), Cut(0), Cut(4)):
        background.server.break_resumed(fault)
        heard = await take_up(background, heard.mark)
        assert heard.broken
    assert (await take_up(background, heard.mark)).how == whole


async def test_a_stream_that_ends_silently_again_is_taken_from_the_document(background: Talk) -> None:
    whole = await unbroken(background, WHOLE)
    background.server.script(replace(WHOLE, fault=Cut(after=2)))
    heard = Heard(await background.ask("Tell me"))
    background.server.break_resumed(SilentEnd(3))
    assert (await take_up(background, heard.mark)).how == whole


async def test_a_stream_that_ends_silently_while_the_answer_goes_on_may_be_taken_up(background: Talk) -> None:
    background.server.script(Script(TEXT, fault=Stall(30, after=5)))
    asking = asyncio.create_task(background.ask("Tell me"))
    await until(lambda: background.server.streams and len(background.stream.deltas) == 5, 3)
    mark = Mark(background.stream.id)
    asking.cancel()
    await asyncio.wait({asking})
    background.server.break_resumed(SilentEnd(3))
    heard = await take_up(background, mark)
    assert (heard.outcome.end, heard.broken) == (End.UNFINISHED, True)
    assert heard.mark.cursor


async def test_an_answer_that_is_still_written_is_heard_to_its_end(talk: Talk) -> None:
    script = Script(TEXT, tokens_per_second=100)
    talk.server.script(replace(script, fault=Cut(after=3)))
    heard = Heard(await talk.ask("Tell me"))
    assert heard.broken
    assert (await take_up(talk, heard.mark)).how == (TEXT, Ending(End.COMPLETED))


async def test_without_a_cursor_all_comes_again_but_what_is_known(talk: Talk) -> None:
    whole = await unbroken(talk, WHOLE)
    response = talk.server.streams[-1].id
    for known in ("", "L", "Let me", "Let me see.\n\n\nA", whole[0]):
        mark = Mark(response, "", known)
        assert (await take_up(talk, mark)).how == whole


async def test_an_answer_that_begins_otherwise_is_not_taken_up(talk: Talk) -> None:
    await talk.ask("Tell me")
    response = talk.server.streams[-1].id
    for known in ("Another text", talk.history[-1].answer + " And more."):
        heard = await take_up(talk, Mark(response, "", known))
        assert (heard.outcome.end, heard.broken, heard.outcome.again) == (End.UNFINISHED, False, False)
        assert "another answer" in heard.outcome.ending.detail
        assert heard.mark.text == known


@pytest.mark.parametrize("kind", SERVERS)
async def test_an_answer_that_is_not_there_is_not_taken_up(kind: str) -> None:
    async with talking(kind) as talk:
        await talk.ask("Hello")
        heard = await take_up(talk, Mark("resp_nobody", "7:0.0:", "Half an"))
    assert (heard.outcome.end, heard.broken, heard.outcome.again) == (End.UNFINISHED, False, False)
    assert heard.outcome.ending.detail


@pytest.mark.parametrize("error", [errors.RATE_LIMITED, errors.OVERLOADED, errors.SERVER_ERROR, HttpError(408, "Slow")])
async def test_a_server_that_cannot_now_may_be_asked_once_more(talk: Talk, error: HttpError) -> None:
    talk.server.script(replace(WHOLE, fault=Cut(after=5)))
    mark = Heard(await talk.ask("Tell me")).mark
    talk.server.refuse_next("/responses" if talk.backend.name == "responses" else "/threads", error)
    heard = await take_up(talk, mark)
    assert (heard.broken, heard.outcome.again) == (True, False)
    assert heard.outcome.ending.retry_after == error.retry_after
    assert heard.mark == mark
    assert (await take_up(talk, mark)).outcome.end is End.COMPLETED


async def test_a_server_that_is_gone_now_may_be_asked_once_more(talk: Talk) -> None:
    talk.server.script(replace(WHOLE, fault=Cut(after=5)))
    mark = Heard(await talk.ask("Tell me")).mark
    backend = talk.open()
    await talk.stop_serving()
    heard = Heard(await ask(backend, Request("", talk.remote, mark=mark)), mark)
    assert (heard.outcome.end, heard.broken) == (End.UNREACHABLE, True)


async def test_a_wrong_key_is_not_tried_again(talk: Talk) -> None:
    talk.server.script(replace(WHOLE, fault=Cut(after=5)))
    mark = Heard(await talk.ask("Tell me")).mark
    backend, talk.server.api_key = talk.open(), "another"
    heard = Heard(await ask(backend, Request("", talk.remote, mark=mark)), mark)
    assert (heard.outcome.end, heard.broken, heard.outcome.again) == (End.WRONG_KEY, False, False)


async def test_an_answer_that_was_cancelled_says_so(talk: Talk) -> None:
    talk.server.script(Script("one two three", fault=Stall(30, after=2)))
    await talk.ask_and_leave("Count")
    response = talk.server.streams[-1].id
    await talk.backend.cancel(talk.remote, response)
    heard = await take_up(talk, Mark(response, "", "one"))
    assert (heard.outcome.end, heard.broken, heard.outcome.again) == (End.FAILED, False, False)
    assert "cancelled" in heard.outcome.ending.detail


async def test_cancelling_frees_the_conversation_and_may_be_repeated(talk: Talk) -> None:
    talk.server.script(Script("one two three", fault=Stall(30, after=2)))
    await talk.ask_and_leave("Count")
    response = talk.server.streams[-1].id
    await talk.backend.cancel(talk.remote, response)
    for nothing in ("nobody", ""):
        await talk.backend.cancel(talk.remote, nothing)
    assert (await talk.ask("Go on")).end is End.COMPLETED
    assert not [request for request in talk.server.requests if request.status == 400 and "cancel" not in request.path]


async def test_a_cancel_that_fails_is_told(talk: Talk) -> None:
    await talk.ask("Hello")
    talk.server.refuse_next("/", errors.SERVER_ERROR)
    with pytest.raises(BackendError):
        await talk.backend.cancel(talk.remote, talk.server.streams[-1].id)


@pytest.mark.parametrize("kind", SERVERS)
async def test_where_nothing_goes_on_a_cancel_does_nothing(kind: str) -> None:
    async with talking(kind) as talk:
        await talk.backend.cancel("", "")
        assert talk.server.requests == []


async def test_leaving_closes_the_connection_of_an_answer_that_is_taken_up(background: Talk) -> None:
    background.server.script(Script("one two three", fault=Stall(30, after=2)))
    outcome = asyncio.create_task(background.ask("Count"))
    await until(lambda: background.server.streams and len(background.stream.deltas) == 2, 3)
    mark = Mark(background.stream.id)
    outcome.cancel()
    await asyncio.wait({outcome})
    taking = asyncio.create_task(take_up(background, mark))
    await until(lambda: len(background.server.streams) == 2 and len(background.stream.deltas) == 2, 3)
    taking.cancel()
    await asyncio.wait({taking})
    await until(lambda: background.stream.closed_by_client_at)


async def test_an_answer_that_is_too_old_to_be_streamed_is_looked_up(background: Talk) -> None:
    background.server.streamable = 0.0
    whole = await unbroken(background, WHOLE)
    for after in (0, 3, 7):
        background.server.script(replace(WHOLE, tokens_per_second=200, fault=Cut(after)))
        heard = await take_up(background, Heard(await background.ask("Tell me")).mark)
        assert heard.how == whole


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_server_that_gives_documents_only_is_asked_until_it_has_ended(background: Talk, name: str) -> None:
    background.server.resumes = "document"
    whole = await unbroken(background, SCRIPTS[name])
    if name not in {"a failure", "expired"}:  # of which the document shows nothing
        heard = await take_up(background, Mark(background.stream.id))
        assert heard.how == whole
    background.server.script(replace(WHOLE, tokens_per_second=200, fault=Cut(4)))
    heard = await take_up(background, Heard(await background.ask("Tell me")).mark)
    assert heard.how[0] == "Let me see.\n\n\n" + TEXT


async def test_messages_that_are_seen_when_they_are_whole_are_waited_for(assistants: Talk) -> None:
    assistants.server.messages_grow = False
    whole = await unbroken(assistants, WHOLE)
    for after in (0, 3, 7):
        assistants.server.script(replace(WHOLE, tokens_per_second=200, fault=Cut(after)))
        heard = await take_up(assistants, Heard(await assistants.ask("Tell me")).mark)
        assert heard.how == whole


async def test_functions_are_answered_by_whoever_takes_the_run_up(assistants: Talk) -> None:
    asks = Script("Let me see.", calls=[FunctionCall("teleport")])
    assistants.server.script(asks)
    whole = await unbroken(assistants, Script("I cannot."))
    for after in (0, 2, None):
        assistants.server.script(replace(asks, fault=Cut(after)))
        assistants.server.script("I cannot.")
        heard = Heard(await assistants.ask("Beam me up"))
        assert heard.broken
        assert (await take_up(assistants, heard.mark)).how == whole


async def test_outputs_that_were_handed_in_by_a_stream_that_broke_are_not_missed(assistants: Talk) -> None:
    assistants.server.script(Script("Let me see.", calls=[FunctionCall("teleport")]))
    assistants.server.script(Script("I cannot.", fault=Cut(1)))
    heard = Heard(await assistants.ask("Beam me up"))
    assert (heard.broken, heard.mark.text) == (True, "Let me see.\n\nI")
    assert (await take_up(assistants, heard.mark)).how == ("Let me see.\n\nI cannot.", Ending(End.COMPLETED))


PIECES = st.lists(
    st.builds(Piece, st.tuples(st.integers(0, 2), st.integers(0, 1)), st.text(max_size=3), refusal=st.booleans())
)


@given(PIECES, st.data())
def test_an_answer_taken_up_at_its_cursor_goes_on_as_if_it_had_never_broken(
    pieces: list[Piece], data: st.DataObject
) -> None:
    whole, cursors = Answer(), [""]
    deltas: list[Delta] = []
    for number, piece in enumerate(pieces):
        if delta := whole.add(piece):
            item, part = piece.part
            event = {"sequence_number": number, "output_index": item, "content_index": part}
            deltas.append(delta)
            cursors.append(cursor(event, whole))
    at = data.draw(st.integers(0, len(cursors) - 1))
    after, answer = taken_up(cursors[at])
    start = 0 if after is None else after + 1
    rest = [delta for piece in pieces[start:] if (delta := answer.add(piece))]
    assert rest == deltas[at:]
    assert answer.end(Ending(End.COMPLETED)) == whole.end(Ending(End.COMPLETED))


@given(st.text(), st.data())
def test_what_is_beyond_a_known_beginning_is_the_rest_however_it_comes(text: str, data: st.DataObject) -> None:
    known = text[: data.draw(st.integers(0, len(text)))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    beyond = Beyond(known)
    assert "".join(map(beyond.add, parts)) == text[len(known) :]
    beyond.end()


def test_another_text_is_noticed_where_it_differs_and_where_it_ends_too_early() -> None:
    beyond = Beyond("one two")
    assert beyond.add("one") == ""
    with pytest.raises(AnotherText):
        beyond.add("two")
    with pytest.raises(AnotherText):
        beyond.end()
