"""Items of the Responses and Conversations APIs: checked, completed with ids, and read as the model reads them."""

from __future__ import annotations

import json
from typing import Any, cast

from playground.openai import errors
from playground.openai.record import Json, Said
from playground.openai.state import new_id

_ROLES = ("user", "assistant", "system", "developer")
_INPUT_PARTS = ("input_text", "input_image", "input_file")
_OUTPUT_PARTS = ("output_text", "refusal")
# Items that a client may send back to the model besides messages, with the prefix of their ids.
_KINDS = {"reasoning": "rs", "function_call": "fc", "function_call_output": "fco"}


def read_input(value: Any, param: str = "input") -> list[Json]:
    """A string or a list of items, as items with ids. Raises ApiError."""
    if isinstance(value, str):
        return [_message({"role": "user", "content": value}, param)]
    if not isinstance(value, list):
        raise errors.bad_request(f"Invalid type for '{param}': expected a string or an array.", param, "invalid_type")
    return [_item(item, f"{param}[{place}]") for place, item in enumerate(cast(list[Any], value))]


def read_items(value: Any) -> list[Json]:
    """Items for a conversation: at most 20 at once. Raises ApiError."""
    if not isinstance(value, list):
        raise errors.bad_request("Invalid type for 'items': expected an array.", "items", "invalid_type")
    count = len(cast(list[Any], value))
    if count > 20:
        message = f"Invalid 'items': array too long. Expected an array with maximum length 20, but got {count} instead."
        raise errors.bad_request(message, "items", "array_above_max_length")
    return read_input(value, "items")


def said(items: list[Json]) -> list[Said]:
    """What the model reads in them."""
    heard: list[Said] = []
    for item in items:
        match item["type"]:
            case "message":
                texts = [part.get("text") or part.get("refusal") or "" for part in item["content"]]
                heard.append(Said(item["role"], "".join(texts)))
            case "function_call_output":
                output = item["output"]
                heard.append(Said("tool", output if isinstance(output, str) else json.dumps(output)))
            case _:
                pass  # calls and reasoning are not words that anybody said
    return heard


def _item(item: Any, param: str) -> Json:
    if not isinstance(item, dict):
        raise errors.bad_request(f"Invalid type for '{param}': expected an object.", param, "invalid_type")
    fields = cast(Json, item)
    kind = fields.get("type", "message" if "role" in fields else None)
    if kind == "message":
        return _message(fields, param)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise errors.bad_request(f"Invalid value: '{kind}'.", f"{param}.type", "invalid_value")
    needed = {"function_call": ("call_id", "name", "arguments"), "function_call_output": ("call_id", "output")}
    for name in needed.get(kind, ()):
        if name not in fields:
            raise errors.bad_request(
                f"Missing required parameter: '{param}.{name}'.", f"{param}.{name}", "missing_required_parameter"
            )
    return {"id": new_id(_KINDS[kind]), "status": "completed", **fields}


def _message(fields: Json, param: str) -> Json:
    role = fields.get("role")
    if role not in _ROLES:
        message = f"Invalid value: '{role}'. Supported values are: 'user', 'assistant', 'system', and 'developer'."
        raise errors.bad_request(message, f"{param}.role", "invalid_value")
    content = fields.get("content")
    own, supported = ("output_text", _OUTPUT_PARTS) if role == "assistant" else ("input_text", _INPUT_PARTS)
    if isinstance(content, str):
        content = [{"type": own, "text": content}]
    if not isinstance(content, list):
        raise errors.bad_request(
            f"Missing required parameter: '{param}.content'.", f"{param}.content", "missing_required_parameter"
        )
    parts = [_part(part, supported, f"{param}.content[{place}]") for place, part in enumerate(cast(list[Any], content))]
    made: Json = {"id": new_id("msg"), "type": "message", "status": "completed", "role": role, "content": parts}
    return {**made, "phase": fields["phase"]} if fields.get("phase") else made


def _part(part: Any, supported: tuple[str, ...], param: str) -> Json:
    if not isinstance(part, dict):
        raise errors.bad_request(f"Invalid type for '{param}': expected an object.", param, "invalid_type")
    fields = cast(Json, part)
    kind = fields.get("type")
    if kind not in supported:
        names = " and ".join(f"'{name}'" for name in supported)
        message = f"Invalid value: '{kind}'. Supported values are: {names}."
        raise errors.bad_request(message, param, "invalid_value")
    if kind in ("input_text", "output_text") and not isinstance(fields.get("text"), str):
        raise errors.bad_request(
            f"Missing required parameter: '{param}.text'.", f"{param}.text", "missing_required_parameter"
        )
    return {**fields, "annotations": fields.get("annotations", []), "logprobs": []} if kind == "output_text" else fields
