"""What is wrong with settings is one line each, on standard error, and exit code 2."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from bot.__main__ import main
from tests.cli.program import SECRETS, environment


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """An empty folder and an environment without secrets; Ctrl-C is pytest's again afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    handler = signal.getsignal(signal.SIGINT)
    yield tmp_path
    signal.signal(signal.SIGINT, handler)


def complaints(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> list[str]:
    assert main(list(arguments)) == code
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert all(line.startswith("rivulet: ") for line in lines), lines
    return [line.removeprefix("rivulet: ") for line in lines]


@pytest.mark.parametrize("command", ["run", "chat", "check"])
def test_unknown_keys_and_wrong_types_are_a_line_each(here: Path, capsys: pytest.CaptureFixture[str], command: str):
    (here / "config.toml").write_text("[openai]\nmodle = 'x'\n[bot]\nshutdown_grace = '8'\n", encoding="utf-8")
    assert complaints(capsys, command) == [
        "config.toml: [openai] modle: unknown key; did you mean model?",
        "config.toml: [bot] shutdown_grace = '8': input should be a valid number",
    ]


def test_missing_tokens_are_a_line_each(capsys: pytest.CaptureFixture[str]):
    no_platform, no_key = complaints(capsys, "run")
    assert no_platform.startswith("environment: no platform is on; set DISCORD_TOKEN, or")
    assert no_key.startswith("environment: OPENAI_API_KEY is missing; put it into .env")
    assert complaints(capsys, "chat") == [no_key]


def test_a_config_that_is_not_there_or_a_directory_is_told(here: Path, capsys: pytest.CaptureFixture[str]):
    [line] = complaints(capsys, "run", "--config", "nowhere.toml")
    assert line.startswith("nowhere.toml: no such file; copy config.example.toml")
    [line] = complaints(capsys, "run", "--config", str(here))
    assert line.startswith(f"{here}: cannot be read: ")


def test_lines_of_env_that_say_nothing_are_told(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / ".env").write_text("OPENAI_API_KEY=k\nDISCORD_TOKEN abc\n\nSLACK_BOT_TOKEN='xoxb\n", encoding="utf-8")
    assert complaints(capsys, "run") == [
        ".env: line 2 is not of the form NAME=value",
        ".env: line 4 is not of the form NAME=value",
    ]


def test_an_env_that_is_no_text_is_told(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / ".env").write_bytes(b"OPENAI_API_KEY=\xff\xfe")
    [line] = complaints(capsys, "chat")
    assert line.startswith(".env: cannot be read: ")


def test_a_folder_called_env_is_left_alone(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / ".env").mkdir()
    [line] = complaints(capsys, "chat")
    assert line.startswith("environment: OPENAI_API_KEY is missing")


def test_a_database_that_does_not_open_is_told(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("DISCORD_TOKEN", "t")
    (here / "config.toml").write_text('[database]\nurl = "sqlite:////not/there/r.db"', encoding="utf-8")
    [line] = complaints(capsys, "run", code=1)
    assert line.endswith("the directory /not/there does not exist; create it, or correct the address")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["dance"], "invalid choice: 'dance'"),
        (["playground", "--port", "high"], "'high' is not a port; they are numbers from 0 to 65535"),
        (["playground", "--port", "65536"], "'65536' is not a port"),
        (["playground", "--latency", "nan"], "'nan' is not a number of seconds between 0 and 60"),
    ],
)
def test_a_wrong_argument_is_told(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert words in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"    {command}" in shown for command in ("run", "chat", "check", "playground"))
    with pytest.raises(SystemExit, match="0"):
        main(["chat", "--help"])
    assert "--keep" in capsys.readouterr().out


def test_a_mistake_in_the_settings_is_told_before_any_sdk_is_imported():
    code = "import sys; from bot.__main__ import main; main(['run']); print([*{'openai', 'discord'} & {*sys.modules}])"
    told = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
    assert "no platform is on" in told.stderr
