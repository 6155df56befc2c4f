"""Notes are kept by name."""

from __future__ import annotations

from adapters.database.open import open_store
from adapters.database.store import DatabaseStore
from bot.ports import Notebook


async def test_a_note_is_written_replaced_and_removed(store: DatabaseStore) -> None:
    notebook: Notebook = store
    assert await notebook.read("assistant") is None
    await notebook.write("assistant", "asst_1")
    await notebook.write("other", "")
    await notebook.write("assistant", "asst_2")
    assert (await notebook.read("assistant"), await notebook.read("other")) == ("asst_2", "")
    await notebook.write("assistant", None)
    await notebook.write("assistant", None)
    assert (await notebook.read("assistant"), await notebook.read("other")) == (None, "")


async def test_a_note_survives_a_restart(url: str) -> None:
    before = await open_store(url)
    await before.write("assistant", "asst_1")
    await before.close()
    after = await open_store(url)
    assert await after.read("assistant") == "asst_1"
    await after.close()
