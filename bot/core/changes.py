"""What it does to an answer when somebody edits or deletes its question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rerun = Literal["running", "last", "never"]


@dataclass(frozen=True, slots=True)
class Changes:
    """`rerun_edited`: an edited question is asked anew while its answer is running or waits (`running`), or also when
    it has its answer and is the channel's last one (`last`)."""

    delete_answers: bool = True  # deleting a question deletes its answer; else it only stops one that is running
    rerun_edited: Rerun = "running"
