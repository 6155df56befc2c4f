"""What is said of an evening at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.soak.report import STEEPEST, answers_wrong, leaks, libraries, slope
from tests.soak.world import World

_ENOUGH = 600  # answers on which a slope can be told from the allocator's noise


@dataclass(frozen=True, slots=True)
class Said:
    faults: Sequence[str]
    lines: Sequence[str]

    @property
    def good(self) -> bool:
        return not self.faults


def verdict(world: World) -> Said:
    before, after = world.before, world.after
    assert before
    assert after
    load = [line for line in world.lines if line not in (before, after)]
    grown = slope(load)
    fates, wrong = answers_wrong(world)
    faults = [*world.wrong, *wrong, *leaks(before, after, after.answered, world.evening.live)]
    if grown.answers >= _ENOUGH and grown.rise > STEEPEST:
        faults.append(f"the memory grew by {grown.rise:.2f} MiB in 1,000 answers")
    if after.streams:
        faults.append(f"{after.streams} of the model's streams are still open")
    if world.remote != after.rows["conversations on the server"]:
        known = after.rows["conversations on the server"]
        faults.append(f"the model's server has {world.remote} conversations, the bot knows of {known}")
    old, new = before.sample, after.sample
    discord = len(world.playground.discord.refusals) - world.accidents.happened["Discord: 429"]
    slack = len(world.playground.slack.refusals)
    lines = [
        f"questions: {', '.join(f'{count} {fate}' for fate, count in fates.items())}",
        f"first direct messages that nobody can have heard: {world.unheard}",
        f"deeds: {', '.join(f'{count} {deed}' for deed, count in world.deeds.most_common())}",
        f"accidents: {', '.join(f'{count} {name}' for name, count in sorted(world.accidents.happened.items()))}",
        f"memory: {grown.rise:+.2f} MiB in 1,000 answers, over {grown.answers}; "
        f"when quiet {old.memory:.1f} -> {new.memory:.1f}, pieces {old.blocks:,} -> {new.blocks:,}",
        f"longest pause for garbage: {max((line.sample.longest_pause for line in load), default=0.0):.3f} s",
        f"tasks when quiet: {old.tasks_in_all} -> {new.tasks_in_all}; files {old.files_in_all} -> {new.files_in_all}; "
        f"threads {old.threads} -> {new.threads}",
        f"conversations on the model's server: {world.remote}",
        f"calls refused, not counting the accidents: {discord} by Discord, {slack} by Slack",
        *(f"grew in a library: {each}" for each in libraries(old, new, after.answered, world.evening.live)),
        *(f"FAULT: {fault}" for fault in faults),
        *new.allocated,
    ]
    return Said(faults, lines)
