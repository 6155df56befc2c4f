"""Every fault ends as docs/reliability.md says, and nothing is lost, doubled or left half-done by it."""

from __future__ import annotations

import asyncio
import gc
import os

import pytest

from tests.faults.document import PATH, cells, document, written
from tests.faults.matrix import rows
from tests.faults.row import Row, Seen
from tests.faults.running import run
from tests.postgres import ABSENT, is_there

# asyncio leaves it to the garbage collector to close a connection that a server accepts in the moment of its own end,
# and here hundreds of servers end
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

ROWS = rows()
ANEW = "If this is how it should end, `make reliability` writes it into docs/reliability.md"


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[Row, Seen]:
    """What became of the rows that are to be tested: they run side by side. Without PostgreSQL its rows are missing."""
    wanted = [row for item in request.session.items if (row := _row_of(item))]
    if any(row.needs_postgres for row in wanted) and not os.environ.get("CI") and not is_there():
        wanted = [row for row in wanted if not row.needs_postgres]
    seen = asyncio.run(run(wanted, tmp_path_factory.mktemp("faults")))
    gc.collect()  # while this file's filter of warnings holds
    return seen


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_fault_ends_as_the_page_says(row: Row, results: dict[Row, Seen]) -> None:
    if row not in results:
        pytest.skip(ABSENT)
    assert set(results[row].problems) == row.amiss
    assert cells(row, results[row]) == written(PATH.read_text()).get(row.name), ANEW


def test_the_page_has_these_rows_and_no_others() -> None:
    assert set(written(PATH.read_text())) == {row.name for row in ROWS}, ANEW


def test_a_page_can_be_read_back() -> None:
    seen = {row: Seen(f"a | b {number % 2}", number, 1, ("x.y",)) for number, row in enumerate(ROWS)}
    assert written(document(seen)) == {row.name: cells(row, seen[row]) for row in ROWS}


def _row_of(item: pytest.Item) -> Row | None:
    row = item.callspec.params.get("row") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
    return row if isinstance(row, Row) else None
