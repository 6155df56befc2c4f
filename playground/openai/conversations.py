"""The Conversations API: the model's memory on the server."""

from __future__ import annotations

from aiohttp import web

from playground.openai import errors
from playground.openai.calls import Call, Route, answer, as_list, check_metadata, page
from playground.openai.errors import ApiError
from playground.openai.items import read_items
from playground.openai.record import Json
from playground.openai.state import Conversation, State, new_id, unix_now


def find(state: State, identity: str) -> Conversation:
    """Raises ApiError where there is none."""
    conversation = state.known_conversations.get(identity)
    if conversation is None:
        raise errors.not_found("Conversation", identity)
    return conversation


async def create(call: Call) -> web.Response:
    _must_be_on(call)
    call.allow({"items", "metadata"})
    items = read_items(call.body.get("items") or [])
    wire: Json = {
        "id": new_id("conv"),
        "object": "conversation",
        "created_at": unix_now(),
        "metadata": call.body.get("metadata") or {},
    }
    call.state.known_conversations[wire["id"]] = Conversation(wire, items)
    return answer(wire)


async def retrieve(call: Call) -> web.Response:
    return answer(_asked(call).wire)


async def update(call: Call) -> web.Response:
    conversation = _asked(call)
    call.allow({"metadata"})
    check_metadata(call.need("metadata"))
    conversation.wire["metadata"] = call.body["metadata"]
    return answer(conversation.wire)


async def delete(call: Call) -> web.Response:
    conversation = _asked(call)
    del call.state.known_conversations[conversation.wire["id"]]
    return answer({"id": conversation.wire["id"], "object": "conversation.deleted", "deleted": True})


async def create_items(call: Call) -> web.Response:
    conversation = _asked(call)
    call.allow({"items"})
    items = read_items(call.need("items"))
    conversation.items.extend(items)
    return answer(as_list(items))


async def list_items(call: Call) -> web.Response:
    return answer(page(_asked(call).items, call))


async def retrieve_item(call: Call) -> web.Response:
    return answer(_item(call, _asked(call)))


async def delete_item(call: Call) -> web.Response:
    conversation = _asked(call)
    conversation.items.remove(_item(call, conversation))
    return answer(conversation.wire)


ROUTES: list[Route] = [
    ("POST", "/conversations", create),
    ("GET", "/conversations/{conversation}", retrieve),
    ("POST", "/conversations/{conversation}", update),
    ("DELETE", "/conversations/{conversation}", delete),
    ("POST", "/conversations/{conversation}/items", create_items),
    ("GET", "/conversations/{conversation}/items", list_items),
    ("GET", "/conversations/{conversation}/items/{item}", retrieve_item),
    ("DELETE", "/conversations/{conversation}/items/{item}", delete_item),
]


def _must_be_on(call: Call) -> None:
    if call.state.conversations == "off":
        raise ApiError(errors.unknown_url(call.request.method, f"/v1{call.record.path}"))


def _asked(call: Call) -> Conversation:
    _must_be_on(call)
    return find(call.state, call.part("conversation"))


def _item(call: Call, conversation: Conversation) -> Json:
    for item in conversation.items:
        if item["id"] == call.part("item"):
            return item
    raise errors.not_found("Item", call.part("item"))
