"""A conversation as messages: what a server without a memory is told, and what a server's memory lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.core.model import Exchange


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said."""

    role: Literal["user", "assistant"]
    text: str


def as_json(message: Message) -> dict[str, str]:
    """As all three APIs take it."""
    return {"role": message.role, "content": message.text}


def messages(history: Sequence[Exchange], question: str = "") -> list[Message]:
    """The history as messages, then the question. Roles alternate, as some servers' templates demand: a question that
    was never answered is joined to the next one."""
    said = [message for exchange in history for message in _said(exchange)]
    if question:
        said.append(Message("user", question))
    return _joined(said, "user", "assistant")


def unsettled(history: Sequence[Exchange]) -> Sequence[Exchange]:
    """The exchanges at the end of which it is unknown whether the server holds them."""
    start = len(history)
    while start and not history[start - 1].settled:
        start -= 1
    return history[start:]


def missing(history: Sequence[Exchange], held: Sequence[Message]) -> list[Message]:
    """What the server lacks of the unsettled end of a history, given the newest messages that it holds, oldest first.

    Where it has an answer to a question, that answer counts, even if people saw only a part of it.
    """
    lacking, _ = _walk(history, _joined(held, "assistant"))  # one answer may be several messages
    return lacking


def answered(history: Sequence[Exchange], question: str, held: Sequence[Message]) -> str | None:
    """The answer to a question after this history, given the newest messages that the server holds, oldest first.

    Empty where it holds the question alone; None where it does not hold it, or that cannot be told for certain.
    """
    said = _joined(held, "assistant")
    _, at = _walk(history, said)
    if at == 0 and len(unsettled(history)) < len(history):
        return None  # what it says of the history is not found, so an earlier question might be taken for this one
    match said[at:]:
        case [Message("user", asked)] if asked == question:
            return ""
        case [Message("user", asked), Message("assistant", answer)] if asked == question:
            return answer
        case _:
            return None


def _walk(history: Sequence[Exchange], said: Sequence[Message]) -> tuple[list[Message], int]:
    """What is lacking of the unsettled end of a history, and where in what was said the history ends."""
    tail = unsettled(history)
    at = _after_last_settled(history[: len(history) - len(tail)], said)
    lacking: list[Message] = []
    for exchange in tail:
        question = Message("user", exchange.question)
        if question not in said[at:]:
            lacking += _said(exchange)
            continue
        at = said.index(question, at) + 1
        answers = at < len(said) and said[at].role == "assistant"
        at += answers
        if exchange.answer and not answers:
            lacking.append(Message("assistant", exchange.answer))
    return lacking, at


def _after_last_settled(settled: Sequence[Exchange], said: Sequence[Message]) -> int:
    """Where in the held messages the unsettled end can begin: a question asked twice must not be found too early."""
    last = messages(settled[-1:])
    for at in range(len(said) - len(last), -1, -1):
        if last and said[at : at + len(last)] == last:
            return at + len(last)
    return 0


def _said(exchange: Exchange) -> list[Message]:
    question = Message("user", exchange.question)
    return [question, Message("assistant", exchange.answer)] if exchange.answer else [question]


def _joined(said: Sequence[Message], *roles: str) -> list[Message]:
    """Neighbours of the same one of these roles become one message, set apart by a blank line."""
    joined: list[Message] = []
    for message in said:
        if joined and joined[-1].role == message.role and message.role in roles:
            joined[-1] = Message(message.role, f"{joined[-1].text}\n\n{message.text}")
        else:
            joined.append(message)
    return joined
