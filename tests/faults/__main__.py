"""`python -m tests.faults`: makes docs/reliability.md anew; takes a minute, and PostgreSQL."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.faults.document import PATH, document
from tests.faults.matrix import rows
from tests.faults.running import run


def main() -> int:
    """The exit code: 1 if something came about that must not, which is printed; the page is written all the same."""
    matrix = rows()
    with tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(run(matrix, Path(folder)))
    PATH.write_text(document({row: seen[row] for row in matrix}))
    print(f"{PATH}: {len(matrix)} faults")
    for row in matrix:
        for problem in seen[row].problems:
            print(f"{row.name}: {problem}{' (known)' if problem in row.amiss else ''}", file=sys.stderr)
    return int(any(set(seen[row].problems) - row.amiss for row in matrix))


if __name__ == "__main__":
    raise SystemExit(main())
