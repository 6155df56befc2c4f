"""What Slack lets an app do, by kind of call: its tiers, each for a method and a workspace."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.pacing import Call, Limit


def limits(call: Call, team: str, room: str) -> Sequence[Limit]:
    """Slack's answers tell nothing of them before one is exceeded."""
    match call:
        case Call.POST:
            # "one message a second and channel, short bursts tolerated, several hundred a minute and workspace":
            # a little slower, for calls arrive closer together than they left
            return (
                Limit(f"slack:chat.postMessage:{team}:{room}", 1, 1.2),
                Limit(f"slack:chat.postMessage:{team}", 300, 60.0),
            )
        case Call.ATTACH:  # tier 4: at least 100 a minute; each file is announced in a call of its own
            return (Limit(f"slack:files:{team}", 50, 60.0),)
        case Call.EDIT:  # tier 3: at least 50 a minute, for all channels together
            return (Limit(f"slack:chat.update:{team}", 50, 60.0),)
        case Call.DELETE:  # tier 3
            return (Limit(f"slack:chat.delete:{team}", 50, 60.0),)
        case Call.START | Call.STOP:  # tier 2: at least 20 a minute
            return (Limit(f"slack:chat.{call}Stream:{team}", 20, 60.0),)
        case Call.APPEND:  # tier 4: at least 100 a minute, for all streams together
            return (Limit(f"slack:chat.appendStream:{team}", 100, 60.0),)
        case Call.TYPING | Call.QUIET:  # tier 3, in one window: they are one method
            return (Limit(f"slack:sessions.setStatus:{team}", 50, 60.0),)
