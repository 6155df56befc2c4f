"""The three OpenAI APIs behind one port."""

from __future__ import annotations

from adapters.openai.assistants import AssistantsBackend
from adapters.openai.background import Setting
from adapters.openai.chat import ChatBackend
from adapters.openai.client import is_openai, open_client
from adapters.openai.responses import ResponsesBackend
from bot.errors import ConfigError
from bot.ports import Backend, Notebook


def open_backend(
    api: str,
    *,
    api_key: str,
    base_url: str,
    model: str,
    instructions: str,
    notebook: Notebook,
    assistant_id: str = "",
    max_output_tokens: int | None = None,
    reasoning_effort: str = "",
    history_tokens: int = 8000,
    background: Setting = "auto",
    poll: float = 1.0,
) -> Backend:
    """The backend for `responses`, `assistants` or `chat`. Connects to nothing yet. Raises ConfigError.

    `poll`: seconds between two looks at an answer that is taken up where it cannot be streamed.
    """
    client = open_client(api_key=api_key, base_url=base_url)
    match api:
        case "responses":
            return ResponsesBackend(
                client,
                model=model,
                instructions=instructions,
                max_output_tokens=max_output_tokens,
                reasoning_effort=reasoning_effort,
                history_tokens=history_tokens,
                background=background,
                poll=poll,
            )
        case "assistants":
            return AssistantsBackend(
                client,
                notebook,
                model=model,
                instructions=instructions,
                assistant_id=assistant_id,
                max_output_tokens=max_output_tokens,
                reasoning_effort=reasoning_effort,
                history_tokens=history_tokens,
                poll=poll,
            )
        case "chat":
            return ChatBackend(
                client,
                model=model,
                instructions=instructions,
                max_output_tokens=max_output_tokens,
                reasoning_effort=reasoning_effort,
                history_tokens=history_tokens,
                identify=is_openai(base_url),
            )
        case _:
            raise ConfigError(f'[openai] api = "{api}" is none of responses, assistants, chat.')
