"""The least mean delay that any schedule could reach for one answer, with the future known.

The model writes evenly for `duration` seconds. Whoever knows that in advance chooses the moments at which states leave;
the last leaves when the model ends. A state is visible half a trip after it left, and shows what was written until it
left. So a character waits on average, where g are the gaps between the states (their sum is the duration),

    trip / 2 + (g1 * g1 + ... + gn * gn) / (2 * duration)

which is least where the gaps are equal, and the less the more states there are. What limits them:

- The first state is the post, which no window of edits counts. The edits follow: at most `calls` in a window that the
  first edit opens and that ends `seconds` later; the next edit opens the next window.
- A message has one call in flight, so no gap between two states is shorter than a trip.

With w windows, of which the last has e edits (the others are full: another edit never costs anything), two gaps lie
before the first edit, `calls` between the openings of two windows, and e - 1 after the last opening:

    |-- post -- edit - - - - edit - - - - edit - - last|
     gap     gap  `calls` gaps  `calls` gaps  e-1 gaps

If equal gaps leave each window its time, they are the best. Otherwise the windows open as close as they may, each
divided evenly, and the rest of the duration is divided evenly among the e + 1 gaps outside of them; where those would
be shorter than a trip, all but the first are a trip (the post waits for nothing). The least over all w and e is the
answer; there are so few that trying them all is the simplest.
"""

from __future__ import annotations

from math import ceil, floor, inf


def least_delay(duration: float, *, calls: int, seconds: float, trip: float) -> float:
    """Seconds, for one post and edits of which `calls` fit a window of `seconds`; a call and its answer take `trip`."""
    if min(duration, seconds, trip) <= 0 or calls < 0:
        raise ValueError("duration, seconds and trip must be positive, and calls not negative")
    windows, edits = ceil(duration / seconds), calls
    if calls * trip >= seconds:  # trips alone keep the edits so far apart that a window never ends them
        windows, edits = 1, ceil(duration / trip)
    squares = duration**2  # of the gaps, with the post alone
    for full in range(windows):
        for last in range(1, edits + 1):
            squares = min(squares, _squares(duration, full, last, calls, seconds, trip))
    return trip / 2 + squares / (2 * duration)


def even_delay(duration: float, *, calls: int, seconds: float, trip: float) -> float:
    """Seconds, for the simplest good schedule: as many states as fit, evenly spaced, the post counted like an edit."""
    states = floor(round(duration, 2) * calls / seconds)  # rounded: measured durations are off by milliseconds
    states = min(max(states, calls), floor(duration / trip))
    return trip / 2 + duration / (2 * max(states, 1))


def least_together(duration: float, answers: int, *, calls: int, seconds: float, trip: float) -> float:
    """Seconds, on average over answers that begin and end together under one window of edits; each has its own post.

    A bound, which no schedule beats and not every case reaches: it divides the edits as if they could be cut, and
    spaces the states of each answer evenly.
    """
    edits = calls * ceil(duration / seconds)
    return trip / 2 + duration / (2 * (1 + edits / answers))


def shares(calls: int, replies: int) -> list[int]:
    """How a window of calls is best shared by replies that begin and end together: as evenly as it can be."""
    each, more = divmod(calls, replies)
    return [each + 1] * more + [each] * (replies - more)


def _squares(duration: float, full: int, last: int, calls: int, seconds: float, trip: float) -> float:
    """The sum of the squares of the best gaps with `last` edits after so many full windows; infinity if they do not
    fit."""
    gap = duration / (full * calls + last + 1)
    if full and gap * calls >= seconds:
        return duration * gap
    rest = duration - full * seconds  # what lies outside of the full windows
    gap = max(trip, rest / (last + 1))
    first = rest - last * gap
    return full * seconds**2 / calls + last * gap**2 + first**2 if first >= 0 else inf
