"""Budgets: never more calls in any window than the platform allows, and no permit is withheld for ever."""

from __future__ import annotations

import heapq
import itertools
import pickle
from dataclasses import dataclass, field
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from bot.core.pacer import Pacer
from bot.core.pacing import Call, Claim, Limit, Need, Quota, Urgency

LATENCIES = st.lists(st.floats(0.001, 0.4), min_size=1, max_size=20)
REPLIES = st.lists(st.sampled_from(Urgency), min_size=1, max_size=8)
LIMITS = st.sampled_from([(5, 5.0), (50, 1.0), (50, 60.0), (1, 1.0), (3, 2.0)])


@dataclass
class Server:
    """A platform that opens a window at the first call and tells what is left, as Discord does."""

    calls: int
    seconds: float
    end: float = -inf
    used: int = 0
    refused: int = 0
    arrivals: list[float] = field(default_factory=list[float])

    def arrive(self, now: float) -> Quota:
        self.arrivals.append(now)
        if now >= self.end:
            self.end, self.used = now + self.seconds, 0
        self.used += 1
        self.refused += self.used > self.calls
        return Quota(self.calls, max(0, self.calls - self.used), self.end - now)


def choose(pacer: Pacer, now: float, claims: list[Claim]) -> Claim | float:
    """The claim that is granted its call now, or when to look again if nothing happens until then."""
    waits = [pacer.wait(now, claim) for claim in claims]
    if ready := [claim for claim, wait in zip(claims, waits, strict=True) if wait is None]:
        return pacer.grant(now, ready)
    return min((wait.until for wait in waits if wait), default=inf)


def run(server: Server, limit: Limit, replies: list[Urgency], latencies: list[float], *, headers: bool) -> None:
    """Replies that always want to write, each with one call in flight, for eight windows."""
    pacer, now, count = Pacer(), 0.0, 0
    pacer.enter([limit] * len(replies))
    idle = set(range(len(replies)))
    events: list[tuple[float, int, str, int]] = []
    quotas: dict[int, Quota] = {}
    while now < 8 * limit.seconds:
        claims = [Claim(owner, Need(Call.EDIT, replies[owner], chars=1, since=now), [limit]) for owner in sorted(idle)]
        chosen = choose(pacer, now, claims)
        if isinstance(chosen, Claim):
            assert isinstance(chosen.owner, int)
            idle.discard(chosen.owner)
            count += 1
            there, back = latencies[count % len(latencies)], latencies[(3 * count + 1) % len(latencies)]
            heapq.heappush(events, (now + there, count, "arrives", chosen.owner))
            heapq.heappush(events, (now + there + back, count, "answered", chosen.owner))
        elif events and events[0][0] <= chosen:
            now, number, what, owner = heapq.heappop(events)
            if what == "arrives":
                quotas[number] = server.arrive(now)
            else:
                pacer.settle(now, [limit], quotas[number] if headers else None)
                idle.add(owner)
        else:
            assert chosen < inf, "nothing is under way, and yet nothing will ever be allowed"
            now = chosen


@given(LIMITS, REPLIES, LATENCIES)
def test_headers_are_enough_never_to_be_refused(figures: tuple[int, float], replies: list[Urgency], trips: list[float]):
    server = Server(*figures)
    run(server, Limit("x", *figures), replies, trips, headers=True)
    assert server.refused == 0


@given(LIMITS, REPLIES, LATENCIES)
def test_without_headers_no_window_holds_more_than_the_limit(
    figures: tuple[int, float], replies: list[Urgency], trips: list[float]
):
    """Any window, wherever it begins: the platform's way of counting is not known."""
    server = Server(*figures)
    run(server, Limit("x", *figures), replies, trips, headers=False)
    calls, seconds = figures
    for position, arrival in enumerate(server.arrivals):
        assert sum(arrival <= other < arrival + seconds for other in server.arrivals[position:]) <= calls


@given(st.integers(1, 12), LATENCIES)
def test_headers_that_differ_from_the_documents_are_believed(calls: int, trips: list[float]):
    """The first window may hold a refusal or two, when fewer calls are allowed than documented; none comes later."""
    server = Server(calls, 5.0)
    run(server, Limit("x", 5, 5.0), [Urgency.PROGRESS], trips, headers=True)
    assert server.refused == 0


def steady(limit: Limit, *, wants: int) -> list[float]:
    """When one reply that always wants to write is allowed to, at a latency of 80 ms."""
    pacer, now, granted = Pacer(), 0.0, list[float]()
    pacer.enter([limit])
    while len(granted) < wants:
        chosen = choose(pacer, now, [Claim(0, Need(Call.EDIT, Urgency.PROGRESS, 1, now), [limit])])
        if isinstance(chosen, Claim):
            granted.append(now)
            now += 0.08
            pacer.settle(now, [limit])
        else:
            now = chosen
    return granted


def test_a_fresh_window_is_spent_faster_than_an_old_one():
    times = steady(Limit("x", 5, 5.0), wants=3)
    assert times[1] - times[0] < 1.25


def test_a_long_answer_is_shown_at_an_even_pace():
    times = steady(Limit("x", 5, 5.0), wants=40)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times[8:])]
    assert max(gaps) < 2.2


def test_progress_leaves_a_permit_for_the_final_state():
    limit = Limit("x", 5, 5.0)
    pacer = Pacer()
    pacer.enter([limit])
    now = 0.0
    while now < 20:
        chosen = choose(pacer, now, [Claim("progress", Need(Call.EDIT, Urgency.PROGRESS), [limit])])
        if isinstance(chosen, Claim):
            final = choose(pacer, now, [Claim("final", Need(Call.EDIT, Urgency.FINAL), [limit])])
            assert isinstance(final, Claim)
            return_now = now + 0.05
            pacer.settle(return_now, [limit])
            pacer.settle(return_now, [limit])
            now = return_now + limit.seconds
        else:
            now = chosen


def test_the_final_state_goes_before_first_words_and_those_before_progress():
    limit, now = Limit("x", 50, 60.0), 10.0
    pacer = Pacer()
    claims = [Claim(urgency, Need(Call.EDIT, urgency, 10, 9.0), [limit]) for urgency in Urgency]
    order: list[object] = []
    while claims:
        chosen = choose(pacer, now, claims)
        if isinstance(chosen, Claim):
            order.append(chosen.owner)
            claims.remove(chosen)
        else:
            now = chosen
    assert order == [Urgency.FINAL, Urgency.FIRST, Urgency.PROGRESS]


def test_the_longest_waiting_of_many_gets_its_turn():
    """Three replies under one budget, one of which writes ten times as much as the others."""
    limit, now = Limit("x", 5, 5.0), 0.0
    pacer = Pacer()
    pacer.enter([limit] * 3)
    since, writes = [0.0, 0.0, 0.0], [0, 0, 0]
    rates = [100, 10, 10]
    while now < 60:
        claims = [
            Claim(
                owner,
                Need(Call.EDIT, Urgency.PROGRESS, int(rates[owner] * (now - since[owner])), since[owner]),
                [limit],
            )
            for owner in range(3)
        ]
        chosen = choose(pacer, now, claims)
        if isinstance(chosen, Claim):
            assert isinstance(chosen.owner, int)
            writes[chosen.owner] += 1
            since[chosen.owner] = now
            pacer.settle(now + 0.01, [limit])
        else:
            now = chosen
    assert min(writes) >= sum(writes) / 8


def test_a_refusal_is_honoured_and_makes_the_budget_smaller_for_a_while():
    limit = Limit("x", 5, 5.0)
    pacer = Pacer()

    def burst(now: float) -> int:
        granted = 0
        while isinstance(choose(pacer, now, [Claim(0, Need(Call.EDIT, Urgency.FINAL), [limit])]), Claim):
            granted += 1
        for _ in range(granted):
            pacer.settle(now, [limit])
        return granted

    assert isinstance(choose(pacer, 0.0, [Claim(0, Need(Call.EDIT, Urgency.FINAL), [limit])]), Claim)
    pacer.refuse(0.0, [limit], retry_after=2.5, key="x")
    assert choose(pacer, 1.0, [Claim(0, Need(Call.EDIT, Urgency.FINAL), [limit])]) == 2.5
    assert burst(2.5) == 2
    assert burst(60.0) == 5


def test_a_call_counts_against_all_its_limits():
    channel, everywhere = Limit("channel", 5, 5.0), Limit("everywhere", 2, 1.0)
    pacer = Pacer()
    claim = Claim(0, Need(Call.EDIT, Urgency.FINAL), [channel, everywhere])
    assert isinstance(choose(pacer, 0.0, [claim]), Claim)
    assert isinstance(choose(pacer, 0.0, [claim]), Claim)
    assert choose(pacer, 0.0, [claim]) == inf
    pacer.settle(0.1, [channel, everywhere])
    pacer.settle(0.1, [channel, everywhere])
    assert choose(pacer, 0.2, [claim]) == 1.1


def test_what_a_silent_model_has_written_does_not_wait_with_the_kept_permit():
    limit, now = Limit("x", 5, 5.0), 0.0
    pacer = Pacer()
    pacer.enter([limit])
    for _ in range(4):
        assert isinstance(choose(pacer, now, [Claim(0, Need(Call.EDIT, Urgency.FINAL), [limit])]), Claim)
        pacer.settle(now, [limit])
    claim = Claim(0, Need(Call.EDIT, Urgency.PROGRESS, 10, since=1.0, latest=1.0), [limit])
    now = 1.0
    while not isinstance(chosen := choose(pacer, now, [claim]), Claim):
        now = chosen
    assert now < 2.5


SLACK = Limit("update", 50, 60.0)
POSTS = Limit("post", 300, 60.0)


def first(owner: object, now: float) -> Claim:
    return Claim(owner, Need(Call.POST, Urgency.FIRST, 10, now, began=now), [POSTS], [SLACK])


def spend(pacer: Pacer, limit: Limit, calls: int, now: float) -> None:
    for _ in range(calls):
        assert isinstance(choose(pacer, now, [Claim(0, Need(Call.EDIT, Urgency.FINAL), [limit])]), Claim)
        pacer.settle(now, [limit])


def test_first_words_wait_where_updates_are_too_short_to_complete_them():
    """Two updates are left for a minute: two answers may begin, the third is posted when it is whole, or later."""
    pacer = Pacer()
    pacer.enter([SLACK] * 3)
    spend(pacer, SLACK, 48, 0.0)
    for owner in ("one", "two"):
        assert isinstance(choose(pacer, 1.0, [first(owner, 1.0)]), Claim)
    again = choose(pacer, 1.0, [first("three", 1.0)])
    assert isinstance(again, float)
    assert 40 < again < 60
    whole = Claim("three", Need(Call.POST, Urgency.FINAL, 10, 1.0), [POSTS], [SLACK])
    assert isinstance(choose(pacer, 1.0, [whole]), Claim)


def test_first_words_may_come_when_an_answer_that_needed_an_update_has_ended():
    pacer = Pacer()
    pacer.enter([SLACK] * 2)
    spend(pacer, SLACK, 49, 0.0)
    assert isinstance(choose(pacer, 1.0, [first("one", 1.0)]), Claim)
    assert not isinstance(choose(pacer, 1.0, [first("two", 1.0)]), Claim)
    pacer.leave(2.0, [SLACK], shown=True)
    assert isinstance(choose(pacer, 2.0, [first("two", 1.0)]), Claim)


def test_a_window_that_comes_back_soon_never_holds_first_words():
    edits = Limit("edit", 5, 5.0)
    pacer = Pacer()
    pacer.enter([edits] * 2)
    spend(pacer, edits, 5, 0.0)
    claim = Claim("one", Need(Call.POST, Urgency.FIRST, 10, 1.0, began=1.0), [POSTS], [edits])
    assert isinstance(choose(pacer, 1.0, [claim]), Claim)


def minute(pacer: Pacer, now: float, real: int) -> tuple[int, int]:
    """Calls that are made and refused if all that the pacer grants is made at once, and `real` are let through."""
    made, refused = 0, 0
    while isinstance(choose(pacer, now, [Claim(0, Need(Call.EDIT, Urgency.FINAL), [SLACK])]), Claim):
        made += 1
        if made > real:
            refused += 1
            pacer.refuse(now, [SLACK], 60.0)
        else:
            pacer.settle(now, [SLACK])
    return made, refused


def test_a_budget_that_is_smaller_than_documented_is_learnt_from_its_refusals():
    """30 instead of 50 a minute: a refusal is risked again later and later, since it closes the rest of a minute."""
    pacer, refused = Pacer(), 0
    for each in range(60):
        made, failed = minute(pacer, 61.0 * each, 30)
        assert made - failed <= 30
        refused += failed
    assert 1 <= refused <= 4


def test_a_budget_that_others_used_up_once_is_whole_again_soon():
    pacer = Pacer()
    assert minute(pacer, 0.0, 10) == (11, 1)
    assert minute(pacer, 61.0, 50) == (25, 0)
    assert minute(pacer, 200.0, 50) == (50, 0)


def test_what_a_channel_has_used_up_is_forgotten_when_it_is_quiet_again():
    """Threads come and go for as long as the bot runs, so a thousand of them leave no more behind than a hundred."""
    assert footprint(channels=1_000) <= footprint(channels=100) + 100  # bytes: numbers that are longer written


def footprint(*, channels: int) -> int:
    """Bytes of a pacer after an answer in each of these, ten seconds apart."""
    pacer, now = Pacer(), 0.0
    shared = [Limit("all", 50, 1.0), Limit("minute", 50, 60.0)]
    for channel in range(channels):
        its = [Limit(f"edit:{channel:06}", 5, 5.0), *shared]
        pacer.enter(its)
        claim = Claim(channel, Need(Call.EDIT, Urgency.FINAL, chars=1), its)
        assert pacer.wait(now, claim) is None
        pacer.grant(now, [claim])
        headers = channel % 2 == 0  # they tell of the first limit
        pacer.settle(now, its, Quota(5, 4, 5.0) if headers else None)
        pacer.leave(now, its)
        now += 10.0
    return len(pickle.dumps(pacer))


def test_a_channel_that_was_refused_is_remembered_for_as_long_as_it_matters():
    """However many channels have come and gone meanwhile."""
    pacer, limit, now = Pacer(), Limit("edit:refused", 5, 60.0), 0.0
    pacer.enter([limit])
    claim = Claim("reply", Need(Call.EDIT, Urgency.FINAL, chars=1), [limit])
    pacer.grant(now, [claim])
    pacer.refuse(now, [limit], 30.0)
    pacer.leave(now, [limit])
    for channel in range(1_000):
        other = [Limit(f"edit:{channel}", 5, 5.0)]
        pacer.enter(other)
        pacer.leave(now, other)
    wait = pacer.wait(now, claim)
    assert wait
    assert wait.until == 30.0
