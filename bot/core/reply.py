"""The answer while it is written: deltas in, actions out.

    feed -> pages -> what each message should show   \\
                                                       next_action: the first difference, in reading order
    done  -> what each message does show             /

A reply never queues anything. Whoever has a permit asks `next_action` and gets the one call that brings the screen
closer to the text as it is at that moment; when it was made, `done`, `failed`, `unknown` or `lost` is reported back. At
most one call is in flight, so nothing older is ever shown over something newer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.dialects import Dialect
from bot.core.endings import sentence
from bot.core.model import End, Ending
from bot.core.pacing import Call, Done, Idle, Need, Urgency
from bot.core.paging import Pager

_A_FEW_WORDS = 4  # enough for a notification that says something
_BUSY_BEFORE_WORDS = 5.0  # seconds of thinking that the platform's own sign of life covers, before words say it
_BUSY = 1.5  # seconds of something other than writing, in the middle of an answer, until words say what


@dataclass(frozen=True, slots=True)
class Post:
    """Show a new page below the others."""

    page: int
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of a page."""

    page: int
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a page that an earlier attempt at this answer has left over."""

    page: int
    message: str


Write = Post | Edit | Delete
Action = Write | Idle | Done


@dataclass(slots=True)
class _Unseen:
    """Text that no reader sees yet."""

    chars: int = 0
    since: float | None = None  # when the first of it arrived

    def add(self, chars: int, now: float) -> None:
        self.chars += chars
        if self.since is None:
            self.since = now


@dataclass(slots=True)
class _Message:
    id: str
    shown: str | None  # None: not known, since a call was not answered or another process made it


class Reply:
    """One answer on one platform.

    `resumed`: an earlier attempt at it was cut short. `messages` are the pages known from then, to be filled again; its
    last post may have appeared without becoming known.
    """

    def __init__(self, dialect: Dialect, messages: Sequence[str] = (), *, resumed: bool = False) -> None:
        self._dialect = dialect
        self._pager = Pager(dialect.budget, dialect.measure)
        self._arrived: list[str] = []  # not paged yet: that is done when a write is near, not at each delta
        self._messages = [_Message(message, None) for message in messages]
        self._posts_may_be_there = resumed  # a post may give a message that is there already, with the text it had
        self._text: list[str] = []
        self._spaces = 0
        self._settled = 0  # so many pages show what they will always show
        self._first_at = self._last_at = 0.0
        self._unseen = _Unseen()
        self._sending = _Unseen()
        self._ending: Ending | None = None
        self._doing = ""  # what the model does since the last text, if not writing
        self._doing_since = 0.0
        self._worded = False  # some of the text is shown, or on its way
        self._abandoned = False
        self._action: Action | None = None  # the next one, as long as nothing has happened since it was worked out

    @property
    def text(self) -> str:
        """What the model has written, as it wrote it."""
        return "".join(self._text)

    @property
    def visible(self) -> bool:
        """Whether a reader sees anything of it."""
        return bool(self._messages)

    @property
    def ending(self) -> Ending | None:
        return self._ending

    def feed(self, text: str, now: float) -> None:
        """More text from the model."""
        if not text:
            return  # some servers begin with an empty piece: no reader waits for it
        if not self._text:
            self._first_at = now
        self._last_at = now
        self._arrived.append(text)
        self._text.append(text)
        self._spaces += text.count(" ")
        self._unseen.add(len(text), now)
        self._doing = ""
        self._action = None

    def work(self, doing: str, now: float) -> None:
        """The model does something other than writing, until more text comes. After a while it is said what."""
        self._doing, self._doing_since = doing, now
        self._action = None

    def finish(self, ending: Ending, now: float) -> None:
        """No more text will come. The first ending counts."""
        if self._ending is None:
            self._ending = ending
            self._unseen.add(0, now)
            self._action = None

    def need(self) -> Need | Idle | Done:
        """What a permit is needed for now, and how much a reader would gain by it."""
        match action := self._next():
            case Post():
                call = Call.POST
            case Edit():
                call = Call.EDIT
            case Delete():
                call = Call.DELETE
            case Idle() | Done():
                return action
        since = self._unseen.since
        if since is None:  # what is written next are further pages of what came before the last write
            since = self._sending.since
        began, latest, not_before = self._first_at, self._last_at, self._first_at
        if self._ending is not None:
            urgency = Urgency.FINAL
        elif self._is_busy:
            urgency = Urgency.PROGRESS
            not_before = self._doing_since + (_BUSY if self._messages else _BUSY_BEFORE_WORDS)
            since = began = latest = self._doing_since
        else:
            urgency = Urgency.PROGRESS if self._worded else Urgency.FIRST
            if not self._worded and self._spaces < _A_FEW_WORDS:
                not_before += self._dialect.first_words
        return Need(call, urgency, self._unseen.chars, since, began=began, latest=latest, not_before=not_before)

    def next_action(self) -> Action:
        """The call to make now, rendered now. Report back with `done`, `failed`, `unknown` or `lost`."""
        action = self._next()
        if isinstance(action, Write):
            self._worded = self._worded or self._unseen.chars > 0
            self._sending, self._unseen = self._unseen, _Unseen()
        return action

    def done(self, action: Write, message: str = "") -> None:
        """The call was accepted; a post's message has this id."""
        self._action = None
        match action:
            case Post(text=text):
                self._messages.append(_Message(message, None if self._posts_may_be_there else text))
            case Edit(page=page, text=text):
                self._messages[page].shown = text
            case Delete():
                self._messages.pop()

    def failed(self) -> None:
        """The call had no effect; what it would have shown is still to be shown."""
        self._unseen.chars += self._sending.chars
        if self._sending.since is not None:
            self._unseen.since = self._sending.since

    def unknown(self, action: Write) -> None:
        """No answer came: the call may have had its effect, and is made again."""
        match action:
            case Post():
                self._posts_may_be_there = True
            case Edit(page=page):
                self._messages[page].shown = None
            case Delete():
                pass
        self._action = None
        self.failed()

    def lost(self) -> None:
        """What it was writing into is gone: nothing more is to be shown."""
        self._abandoned = True
        self._action = None

    def _next(self) -> Action:
        if self._action is None:
            self._action = self._work_out()
        return self._action

    def _work_out(self) -> Action:
        if self._abandoned:
            return Done()
        if self._arrived:
            self._pager.feed("".join(self._arrived))
            self._arrived.clear()
        sealed = self._pager.sealed
        while self._settled < len(sealed):
            if action := self._difference(self._settled, self._dialect.render(sealed[self._settled])):
                return action
            self._settled += 1
        tail = self._tail()
        for number, page in enumerate(tail, start=len(sealed)):
            if action := self._difference(number, page):
                return action
        if self._ending is None:
            return Idle()
        if len(self._messages) > len(sealed) + len(tail):
            return Delete(len(self._messages) - 1, self._messages[-1].id)
        return Done()

    def _difference(self, number: int, page: str) -> Post | Edit | None:
        if number >= len(self._messages):
            return Post(number, page)
        message = self._messages[number]
        return None if message.shown == page else Edit(number, message.id, page)

    def _tail(self) -> list[str]:
        """What stands after the sealed pages: the live one, or the last one with the bot's own sentence."""
        pager, render = self._pager, self._dialect.render
        if self._ending is None:
            live = render(self._all_text() if self._dialect.append_only else pager.live())
            if self._is_busy:
                return self._with_note(live, f"{self._doing}…")
            return [live] if live else []
        last = render(self._all_text() if self._dialect.append_only else pager.last())
        note = sentence(self._ending)
        if not note and not last and not self._pager.sealed:
            note = sentence(Ending(End.EMPTY))  # nobody is left without an answer
        if not note:
            return [last] if last else []
        return self._with_note(last, note)

    @property
    def _is_busy(self) -> bool:
        """Whether all text is shown and the model does something else. What cannot be taken back is not said."""
        return bool(self._doing) and not self._unseen.chars and not self._dialect.append_only

    def _with_note(self, page: str, sentence: str) -> list[str]:
        note = self._dialect.note(self._dialect.render(sentence))  # a server's own words may be in it
        together = f"{page}\n\n{note}"
        if page and self._dialect.measure.text(together) <= self._dialect.budget:
            return [together]
        return [page, note] if page else [note]

    def _all_text(self) -> str:
        text = self.text
        return text if text.strip() else ""
