"""The stand-in for the database keeps the database's contract: the same tests, run here against memory."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

from bot.core.model import Channel, Person, Place, Prompt
from tests.adapters.database import test_capacity, test_conversations, test_notes, test_progress, test_turns
from tests.engine.memory_store import MemoryStore

# Of databases alone: what survives a restart or lies on the disk, two programs, and characters that no database holds.
_OF_DATABASES = {
    "test_of_many_questions_at_once_to_two_programs_as_many_are_taken_as_there_is_room",
    "test_the_text_of_a_refused_question_is_not_kept",
    "test_everything_is_there_after_a_restart",
    "test_a_note_survives_a_restart",
    "test_text_that_a_database_cannot_hold_does_not_lose_the_question",
}


def _contract(module: ModuleType) -> dict[str, object]:
    tests = {
        name: test for name, test in inspect.getmembers(module, inspect.iscoroutinefunction) if name[:5] == "test_"
    }
    return {name: test for name, test in tests.items() if name not in _OF_DATABASES}


for module in (test_turns, test_progress, test_conversations, test_capacity, test_notes):
    globals().update(_contract(module))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def ask() -> object:
    def prompt(
        key: str,
        *,
        text: str = "What is a rivulet?",
        channel: str = "slack:T1:C1",
        place: Place | None = None,
        author: Person | None = None,
        shared: bool = False,
    ) -> Prompt:
        place = place or Place("C1", "171.5", "170.5")
        return Prompt(key, Channel.parse(channel), place, author or Person("U1", "Ada"), text, shared)

    return prompt
