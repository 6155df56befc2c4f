"""`rivulet chat`: the seed's program, piped and at a real terminal; what it leaves on the server."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import termios
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.database.open import open_store
from adapters.terminal import CHANNEL
from bot.chat import chat
from bot.config import Secrets, Settings
from bot.core.model import Person, Place, Prompt
from bot.errors import RivuletError
from bot.signals import Signals
from playground.openai import errors
from playground.openai.script import Script
from playground.server import Playground
from tests.cli.program import SCRIPT, Folder, Program, secrets, settings, until

LONG = Script("First words, and many more. " * 100, tokens_per_second=10, first_token=0.0)


def left(playground: Playground) -> list[str]:
    """What is still on the server: each thing that was made and not deleted."""
    made: list[str] = []
    for request in playground.openai.requests:
        parts = request.path.strip("/").split("/")
        if (
            request.status == 200
            and request.method == "POST"
            and parts in (["conversations"], ["threads"], ["assistants"])
        ):
            made.append(parts[0])
        if request.status == 200 and request.method == "DELETE" and len(parts) == 2:
            made.remove(parts[0])
    return made


async def test_piped_questions_until_nobody_reads_the_answers(folder: Folder, playground: Playground):
    """No prompt, an empty line between answers. When the reader goes, as in `rivulet chat | head`, the answer stops,
    the next question is not asked, nobody complains, and nothing is left on the server."""
    playground.openai.script("Grüße 👋")
    playground.openai.script(Script(fault=errors.NO_CREDIT))
    playground.openai.script(LONG)
    async with folder.start("chat", program=SCRIPT, stdin=PIPE) as program:
        await program.write("Hello\nCredit?\nTell me\nMore\n")
        await program.shows("First words")
        first, second, third = program.out.split("\n\n")
        assert first == "Grüße 👋"
        assert second.startswith("(The bot's OpenAI account has no credit left.")
        assert LONG.text.startswith(third)
        program.hang_up()
        assert await program.ends() == 0
    assert program.errors == ""
    [_, long] = playground.openai.streams
    assert long.closed_by_client_at is not None
    assert left(playground) == []
    assert not (folder.path / "rivulet.db").exists()


# At a terminal


@dataclass
class Window:
    """A terminal window in which the program runs."""

    program: Program
    keys: int
    screen: str = ""
    closed: bool = False

    def look(self) -> None:
        with suppress(OSError):  # the program has ended
            self.screen += os.read(self.keys, 65_536).decode()
            return
        asyncio.get_running_loop().remove_reader(self.keys)

    def close(self) -> None:
        if not self.closed:
            asyncio.get_running_loop().remove_reader(self.keys)
            os.close(self.keys)
            self.closed = True

    def types(self, text: str) -> None:
        os.write(self.keys, text.encode())

    async def shows(self, words: str) -> None:
        """Waits until these words are on the screen, and clears it."""
        with suppress(TimeoutError):
            await until(lambda: words in self.screen or self.program.process.returncode is not None)
        assert words in self.screen, f"shows {self.screen!r}\ncomplains {self.program.errors}"
        self.screen = ""


@asynccontextmanager
async def window(folder: Folder, *arguments: str) -> AsyncGenerator[Window]:
    keys, line = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(line, termios.TIOCSCTTY, 0)

    async with folder.start(
        "chat", *arguments, stdin=line, stdout=line, start_new_session=True, preexec_fn=take_terminal
    ) as program:
        os.close(line)
        here = Window(program, keys)

        asyncio.get_running_loop().add_reader(keys, here.look)
        try:
            yield here
        finally:
            here.close()


async def test_a_conversation_at_a_terminal(folder: Folder, playground: Playground):
    """The first words are there long before the end. Ctrl-C stops the answer, at the prompt it tells how to quit, and
    twice it quits; nothing is left on the server."""
    playground.openai.script(LONG)
    playground.openai.script("Short.")
    playground.openai.script(LONG)
    async with window(folder) as here:
        await here.shows("> ")
        here.types("Tell me\n")
        await here.shows("First words")
        [stream] = playground.openai.streams
        assert stream.finished_at is None
        here.types("\x03")
        await here.shows("\r\n\r\n(Stopped.)\r\n\r\n> ")
        await until(lambda: stream.closed_by_client_at)
        here.types("Go on\n")
        await here.shows("Short.\r\n\r\n> ")
        here.types("half a quest\x03")
        await here.shows("(Ctrl-C again, or q, quits.)\r\n> ")
        here.types("More\n")
        await here.shows("First words")
        here.types("\x03")
        await here.shows("(Stopped.)")
        here.types("\x03")
        assert await here.program.ends() == 0
    assert here.program.errors == ""
    assert [s.request.question for s in playground.openai.streams] == ["Tell me", "Go on", "More"]
    assert left(playground) == []


async def test_closing_the_window_in_the_middle_of_an_answer_leaves_nothing(folder: Folder, playground: Playground):
    playground.openai.script(LONG)
    async with window(folder) as here:
        await here.shows("> ")
        here.types("Tell me\n")
        await here.shows("First words")
        here.close()
        assert await here.program.ends() == 0
    assert here.program.errors == ""
    assert playground.openai.streams[0].closed_by_client_at is not None
    assert left(playground) == []


# Without a process around it


async def piped(
    playground: Playground,
    lines: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    keep: bool = False,
    **openai: str,
) -> str:
    """What a chat prints when this is piped in."""
    given, shown = tmp_path / "given", tmp_path / "shown"
    given.write_text(lines, encoding="utf-8")
    configured = settings(playground, openai=openai, database={"url": f"sqlite:///{tmp_path}/rivulet.db"})
    tokens = {name.lower(): value for name, value in secrets(playground).items()}
    with (
        given.open(encoding="utf-8") as source,
        shown.open("w", encoding="utf-8") as sink,
        monkeypatch.context() as patched,
    ):
        patched.setattr("sys.stdin", source)
        patched.setattr("sys.stdout", sink)
        await chat(Settings.model_validate(configured), Secrets.model_validate(tokens), Signals(), keep=keep)
    return shown.read_text(encoding="utf-8")


@pytest.mark.parametrize("api", ["responses", "assistants", "chat"])
async def test_with_each_api_it_remembers_and_leaves_nothing(
    playground: Playground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, api: str
):
    shown = await piped(playground, "My name is Ada.\nWhat is my name?", monkeypatch, tmp_path, api=api)
    assert "Ada" in shown.split("\n\n")[-1]
    assert left(playground) == []


@pytest.mark.parametrize("api", ["responses", "assistants", "chat"])
async def test_what_is_kept_goes_on_the_next_time(
    playground: Playground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, api: str
):
    await piped(playground, "My name is Ada.\n", monkeypatch, tmp_path, keep=True, api=api)
    kept = {"responses": ["conversations"], "assistants": ["assistants", "threads"], "chat": list[str]()}[api]
    assert sorted(left(playground)) == kept
    assert "Ada" in await piped(playground, "What is my name?\n", monkeypatch, tmp_path, keep=True, api=api)
    assert sorted(left(playground)) == kept
    assert "Ada" not in await piped(playground, "What is my name?\n", monkeypatch, tmp_path, api=api)


async def test_new_forgets_and_deletes(playground: Playground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    lines = "My name is Ada.\n!new\nWhat is my name?\n"
    shown = await piped(playground, lines, monkeypatch, tmp_path, keep=True)
    assert "Forgotten. The next question starts a new conversation." in shown
    assert "Ada" not in shown.split("\n\n")[-1]
    assert left(playground) == ["conversations"]


async def test_the_models_errors_are_told_in_words_and_the_chat_goes_on(
    playground: Playground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    lines = "fault: 401\nfault: credit\nfault: failed\nfault: filter\nHello?\n"
    key, credit, *rest, hello = (await piped(playground, lines, monkeypatch, tmp_path)).split("\n\n")
    assert key == "(The model's server does not accept the bot's key. Whoever runs the bot has to look at it.)"
    assert credit.startswith("(The bot's OpenAI account has no credit left.")
    assert any(words.startswith("(The model failed.") for words in rest)
    assert "(Cut off by the model's content filter.)" in rest
    assert hello


async def test_what_could_not_be_deleted_is_named(
    playground: Playground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    playground.openai.refuse_next("/conversations/", errors.SERVER_ERROR)
    with pytest.raises(RivuletError, match=r"^the conversation conv_\w+ could not be deleted on the server: The model"):
        await piped(playground, "Hello?\n", monkeypatch, tmp_path)


async def test_a_question_that_a_crash_left_open_is_not_asked_again(
    playground: Playground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    store = await open_store(f"sqlite:///{tmp_path}/rivulet.db")
    question = Prompt("terminal:crashed:1", CHANNEL, Place("", "terminal:crashed:1"), Person("me", "me"), "One?")
    assert await store.accept(question)
    await store.close()
    playground.openai.script("Two.")
    assert await piped(playground, "Two?\n", monkeypatch, tmp_path, keep=True) == "Two.\n"
