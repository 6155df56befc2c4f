"""Text that no reader sees yet, and how much a reader would gain by it.

arrived  ->  unseen  ->  under way  ->  seen
                ^            |
                '------------'  the call had no effect
"""

from __future__ import annotations

from bot.core.pacing import Call, Need, Urgency

_A_FEW_WORDS = 4  # enough for a notification that says something


class Unseen:
    """What of an answer is still to be shown. Times are seconds on the loop's clock.

    `first_words`: how long the first message may wait for a few words.
    """

    def __init__(self, first_words: float) -> None:
        self.chars = 0  # that are not even under way
        self._since: float | None = None  # when the first of it arrived
        self._sent_chars = 0
        self._sent_since: float | None = None
        self._first_words = first_words
        self._begun = False  # there is some text
        self._first_at = self._last_at = 0.0
        self._spaces = 0
        self._worded = False  # some of the text is shown, or on its way

    def arrived(self, text: str, now: float) -> None:
        if not self._begun:
            self._begun, self._first_at = True, now
        self._last_at = now
        self._spaces += text.count(" ")
        self.chars += len(text)
        if self._since is None:
            self._since = now

    def ended(self, now: float) -> None:
        """Readers wait for the last state, if for nothing else."""
        if self._since is None:
            self._since = now

    def sent(self) -> None:
        """A call is being made that shows it, as far as one call can."""
        self._worded = self._worded or self.chars > 0
        self._sent_chars, self._sent_since = self.chars, self._since
        self.chars, self._since = 0, None

    def not_seen(self) -> None:
        """That call had no effect."""
        self.chars += self._sent_chars
        self._sent_chars = 0
        if self._sent_since is not None:
            self._since = self._sent_since

    def need(self, call: Call, *, final: bool) -> Need:
        """A permit to make this call, which shows it. `final`: it is for a final state."""
        since = self._since
        if since is None:  # what is shown next are further pages of what came before the last call
            since = self._sent_since
        not_before = self._first_at
        if final:
            urgency = Urgency.FINAL
        elif self._worded:
            urgency = Urgency.PROGRESS
        else:
            urgency = Urgency.FIRST
            if self._spaces < _A_FEW_WORDS:
                not_before += self._first_words
        return Need(call, urgency, self.chars, since, began=self._first_at, latest=self._last_at, not_before=not_before)
