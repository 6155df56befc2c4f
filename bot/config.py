"""config.toml -> frozen settings; secrets only from the environment (or a `.env` beside the file)."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from dotenv.parser import parse_stream
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.core.changes import Rerun
from bot.errors import ConfigError

Seconds = Annotated[float, Field(gt=0)]
Url = Annotated[str, Field(pattern=r"^https?://")]
Ids = Annotated[frozenset[str], Field(strict=False)]  # TOML has lists only


class Section(BaseModel):
    """A table of config.toml: every key has a default, no other key is allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class OpenAISettings(Section):
    api: Literal["responses", "assistants", "chat"] = "responses"
    model: str = "gpt-6-luna"
    base_url: Url = "https://api.openai.com/v1"
    instructions: str = "You are a helpful assistant in a team chat."
    assistant_id: str = ""
    reasoning_effort: Literal["", "none", "minimal", "low", "medium", "high", "xhigh", "max"] = ""
    max_output_tokens: Annotated[int, Field(ge=0)] = 0
    history_tokens: Annotated[int, Field(ge=500)] = 16_000
    background: Literal["auto", "on", "off"] = "auto"
    first_token_timeout: Seconds = 180.0
    idle_timeout: Seconds = 60.0
    total_timeout: Seconds = 1200.0


class DiscordSettings(Section):
    api_url: Url = "https://discord.com/api/v10"
    always_on: Ids = frozenset()


class SlackSettings(Section):
    api_url: Url = "https://slack.com/api/"
    always_on: Ids = frozenset()
    conversation_scope: Literal["channel", "thread"] = "channel"
    streaming: Literal["auto", "edit", "native"] = "auto"


class DatabaseSettings(Section):
    url: str = "sqlite:///rivulet.db"


class BotSettings(Section):
    max_pages: Annotated[int, Field(ge=0)] = 8
    code_files: bool = True
    max_waiting: Annotated[int, Field(ge=0)] = 10
    max_waiting_in_all: Annotated[int, Field(ge=0)] = 500
    max_running: Annotated[int, Field(ge=0)] = 100
    delete_answers: bool = True
    rerun_edited: Rerun = "running"
    interrupted: Literal["again", "seal"] = "again"
    catch_up_max_age: Annotated[float, Field(ge=0)] = 3600.0
    shutdown_grace: Annotated[float, Field(ge=0)] = 8.0
    log_level: Literal["debug", "info", "warning", "error"] = "warning"


class Settings(Section):
    """The whole of config.toml."""

    openai: OpenAISettings = OpenAISettings()
    discord: DiscordSettings = DiscordSettings()
    slack: SlackSettings = SlackSettings()
    database: DatabaseSettings = DatabaseSettings()
    bot: BotSettings = BotSettings()


class Secrets(BaseSettings):
    """What must never stand in a file that is shared. Printing it shows nothing."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    openai_api_key: SecretStr = SecretStr("")
    discord_token: SecretStr = SecretStr("")
    slack_bot_token: SecretStr = SecretStr("")
    slack_app_token: SecretStr = SecretStr("")

    @property
    def discord(self) -> bool:
        """Whether Discord is on."""
        return bool(self.discord_token.get_secret_value())

    @property
    def slack(self) -> bool:
        """Whether Slack is on."""
        return bool(self.slack_bot_token.get_secret_value() or self.slack_app_token.get_secret_value())


def load_settings(path: Path) -> Settings:
    """Reads config.toml. Raises ConfigError with one line for each thing that is wrong: file, key and fix."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; copy config.example.toml to it, or name another with --config"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from None
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {_explain(problem)}" for problem in error.errors())) from None


def load_secrets(directory: Path) -> Secrets:
    """Reads the environment, and `.env` in this directory for what is not set there. Raises ConfigError."""
    path = directory / ".env"
    try:
        if path.is_file() and (lines := _not_understood(path)):
            raise ConfigError("\n".join(f"{path}: line {line} is not of the form NAME=value" for line in lines))
        return Secrets(_env_file=path)  # pyright: ignore[reportCallIssue]  (pydantic-settings' own argument)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None


def require_platforms(settings: Settings, secrets: Secrets) -> None:
    """Raises ConfigError unless at least one platform and the model can be reached with what is set."""
    problems: list[str] = []
    if not secrets.discord and not secrets.slack:
        problems.append(
            "environment: no platform is on; set DISCORD_TOKEN, or SLACK_BOT_TOKEN and SLACK_APP_TOKEN "
            "(in .env beside the config, or in the environment)"
        )
    if secrets.slack and not secrets.slack_bot_token.get_secret_value():
        problems.append("environment: SLACK_BOT_TOKEN is missing; it begins with xoxb- (OAuth & Permissions)")
    if secrets.slack and not secrets.slack_app_token.get_secret_value():
        problems.append("environment: SLACK_APP_TOKEN is missing; it begins with xapp- (Basic Information)")
    problems += missing_key(settings, secrets)
    if problems:
        raise ConfigError("\n".join(problems))


def missing_key(settings: Settings, secrets: Secrets) -> list[str]:
    """A line if the model's server certainly wants a key and there is none. Local servers often want none."""
    if secrets.openai_api_key.get_secret_value() or "api.openai.com" not in settings.openai.base_url:
        return []
    return [
        "environment: OPENAI_API_KEY is missing; put it into .env beside the config, "
        "or name a server that wants no key under [openai] base_url"
    ]


def _not_understood(path: Path) -> list[int]:
    """The lines of a `.env` that would be skipped."""
    lines: list[int] = []
    with path.open(encoding="utf-8") as file:
        for binding in parse_stream(file):
            if binding.error:
                text = binding.original.string  # with the empty lines before it
                lines.append(binding.original.line + text.removesuffix(text.lstrip()).count("\n"))
    return lines


def _explain(problem: ErrorDetails) -> str:
    """One problem in one line: where it is, what is wrong and what would be right."""
    where = [str(part) for part in problem["loc"]]
    key = f"[{where[0]}] {'.'.join(where[1:])}" if len(where) > 1 else where[0]
    if problem["type"] == "extra_forbidden":
        known = Settings.model_fields if len(where) == 1 else _section(where[0]).model_fields
        close = difflib.get_close_matches(where[-1], known, n=1)
        fix = f"did you mean {close[0]}?" if close else f"known are: {', '.join(known)}"
        return f"{key}: unknown {'table' if len(where) == 1 else 'key'}; {fix}"
    message = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{key} = {problem['input']!r}: {message}"


def _section(name: str) -> type[Section]:
    section: Section = getattr(Settings(), name)
    return type(section)
