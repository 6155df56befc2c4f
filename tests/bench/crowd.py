"""Several answers as one row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from tests.bench.measure import Figures
from tests.bench.report import ratio, seconds

COLUMNS = (
    *("", "first text", "latest", "mean delay", "worst", "least", "/ least"),
    *("final lag", "longest", "longest wait", "posts", "edits", "429s"),
)


@dataclass(frozen=True, slots=True)
class Crowd:
    """What became of answers that were written at the same time. `least` is the least mean delay, in seconds."""

    name: str
    answers: Sequence[Figures]
    least: float
    refusals: int
    late: float  # seconds by which the measuring process was late at worst

    @property
    def mean(self) -> float:
        """Delay in seconds, on average over the answers."""
        return fmean(answer.mean for answer in self.answers)

    @property
    def lag(self) -> float:
        """The longest final lag."""
        return max(answer.lag for answer in self.answers)

    @property
    def wait(self) -> float:
        """The longest wait of any reader without anything new."""
        return max(answer.longest for answer in self.answers)

    def row(self) -> list[str]:
        """Under `COLUMNS`."""
        return [
            self.name,
            seconds(fmean(answer.first for answer in self.answers)),
            seconds(max(answer.first for answer in self.answers)),
            seconds(self.mean),
            seconds(max(answer.mean for answer in self.answers)),
            seconds(self.least),
            ratio(self.mean / self.least),
            seconds(fmean(answer.lag for answer in self.answers)),
            seconds(self.lag),
            seconds(self.wait),
            str(sum(answer.posts for answer in self.answers)),
            str(sum(answer.edits for answer in self.answers)),
            str(self.refusals),
        ]
