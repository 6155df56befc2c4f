"""Settings: what is wrong is said in one line each, with file, key and fix."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bot.config import Secrets, Settings, load_secrets, load_settings, require_platforms
from bot.errors import ConfigError

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]


def test_the_example_names_every_setting_and_shows_the_true_defaults():
    table = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert load_settings(EXAMPLE) == Settings()
    assert {name: set(section) for name, section in table.items()} == {
        name: set(section) for name, section in Settings().model_dump().items()
    }


def test_an_unknown_key_is_named_with_the_one_that_was_meant(tmp_path: Path):
    assert problems(tmp_path, '[openai]\nmodle = "x"\n') == ["[openai] modle: unknown key; did you mean model?"]


def test_an_unknown_table_is_named_with_the_known_ones(tmp_path: Path):
    assert problems(tmp_path, "[telegram]\n") == [
        "telegram: unknown table; known are: openai, discord, slack, database, bot"
    ]


def test_every_problem_has_a_line_of_its_own(tmp_path: Path):
    lines = problems(tmp_path, '[openai]\napi = "telepathy"\nmodel = 5\n[bot]\nshutdown_grace = "long"\n')
    assert len(lines) == 3
    assert lines[0].startswith("[openai] api = 'telepathy': input should be 'responses', 'assistants' or 'chat'")
    assert lines[1] == "[openai] model = 5: input should be a valid string"
    assert lines[2].startswith("[bot] shutdown_grace = 'long': ")


def test_toml_that_does_not_parse_names_the_line(tmp_path: Path):
    assert "line 2" in problems(tmp_path, "[openai]\nmodel = \n")[0]


def test_a_missing_file_says_what_to_do(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"config\.example\.toml"):
        load_settings(tmp_path / "config.toml")


def test_secrets_come_from_the_env_file_beside_the_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("OPENAI_API_KEY", "DISCORD_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_text("DISCORD_TOKEN=from-file\nOPENAI_API_KEY=from-file\n", encoding="utf-8")
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    secrets = load_secrets(tmp_path)
    assert secrets.discord
    assert not secrets.slack
    assert secrets.openai_api_key.get_secret_value() == "from-environment"
    assert "from-" not in repr(secrets)


@pytest.mark.parametrize(
    ("secrets", "named"),
    [
        (Secrets.model_construct(), ["no platform is on", "OPENAI_API_KEY"]),
        (Secrets.model_validate({"slack_bot_token": "xoxb-1", "openai_api_key": "k"}), ["SLACK_APP_TOKEN"]),
        (Secrets.model_validate({"slack_app_token": "xapp-1", "openai_api_key": "k"}), ["SLACK_BOT_TOKEN"]),
    ],
)
def test_missing_secrets_are_named(secrets: Secrets, named: list[str]):
    with pytest.raises(ConfigError) as caught:
        require_platforms(Settings(), secrets)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(named)
    assert all(name in line for name, line in zip(named, lines, strict=True))


def test_a_local_server_needs_no_key():
    settings = Settings.model_validate({"openai": {"base_url": "http://127.0.0.1:11434/v1"}})
    require_platforms(settings, Secrets.model_validate({"discord_token": "x", "openai_api_key": ""}))
