"""The answer while it is written: deltas in, actions out.

    feed -> layout -> what each message should show  \\
                                                       next_action: the first difference, in reading order
    done -> screen -> what each message does show    /

A reply never queues anything. Whoever has a permit asks `next_action` and gets the one call that brings the screen
closer to the text as it is at that moment; when it was made, `done`, `failed`, `unknown`, `rejected`, `vanished` or
`lost` is reported back. At most one call is in flight, so nothing older is ever shown over something newer.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.actions import Action, Attach, Edit, Post, Shown
from bot.core.attaching import Attaching, attachment
from bot.core.dialects import Dialect
from bot.core.endings import sentence
from bot.core.layout import Layout, broken_off
from bot.core.model import End, Ending
from bot.core.pacing import Done, Idle, Need, Urgency
from bot.core.screen import Screen
from bot.core.unseen import Unseen

_BUSY_BEFORE_WORDS = 5.0  # seconds of thinking that the platform's own sign of life covers, before words say it
_BUSY = 1.5  # seconds of something other than writing, in the middle of an answer, until words say what


class Reply:
    """One answer on one platform.

    `resumed`: an earlier attempt at it was cut short. `messages` are the pages known from then, to be filled again; its
    last post may have appeared without becoming known. The first `settled` of them show what they will show. `files`
    are its messages with files: if this attempt makes others, they are removed.
    """

    def __init__(
        self,
        dialect: Dialect,
        messages: Sequence[str] = (),
        *,
        resumed: bool = False,
        settled: int = 0,
        files: Sequence[str] = (),
        attaching: Attaching = Attaching(),  # noqa: B008  (frozen)
    ) -> None:
        self._dialect = dialect
        self._layout = Layout(dialect, attaching.max_pages)
        self._with_code = attaching.code
        self._attached = False  # what there was to attach
        self._arrived: list[str] = []  # not paged yet: that is done when a write is near, not at each delta
        self._unseen = Unseen(dialect.first_words)
        self._screen = Screen(messages, files, resumed=resumed)
        self._screen.settled = min(settled, len(messages))
        self._ending: Ending | None = None
        self._doing = ""  # what the model does since the last text, if not writing
        self._doing_since = 0.0
        self._last_word: tuple[int, str] | None = None  # the last page, and what it says, if the rest is not taken
        self._abandoned = False
        self._withdrawn = False
        self._action: Action | None = None  # the next one, as long as nothing has happened since it was worked out

    @property
    def text(self) -> str:
        """What the model has written, as it wrote it."""
        return self._layout.text + "".join(self._arrived)

    @property
    def messages(self) -> tuple[str, ...]:
        """The ids of its pages, in order."""
        return self._screen.ids

    @property
    def settled(self) -> int:
        """So many of its messages show what they will always show."""
        return self._screen.settled

    @property
    def files(self) -> tuple[str, ...]:
        """The ids of its messages with files."""
        return self._screen.files

    @property
    def visible(self) -> bool:
        """Whether a reader sees anything of it."""
        return bool(self._screen.messages)

    @property
    def ending(self) -> Ending | None:
        return self._ending

    def adopt(self, message: str, *, file: bool = False) -> None:
        """Before anything else: this is one more of its pages, below the others, or a message with files."""
        self._screen.adopt(message, file=file)

    def feed(self, text: str, now: float) -> None:
        """More text from the model."""
        if not text:
            return  # some servers begin with an empty piece: no reader waits for it
        self._unseen.arrived(text, now)
        self._arrived.append(text)
        self._doing = ""
        if isinstance(self._action, Idle) and self._layout.overflows:
            return  # it goes into the file, and changes nothing of what is shown
        self._action = None

    def work(self, doing: str, now: float) -> None:
        """The model does something other than writing, until more text comes. After a while it is said what."""
        self._doing, self._doing_since = doing, now
        self._action = None

    def finish(self, ending: Ending, now: float) -> None:
        """No more text will come. The first ending counts."""
        if self._ending is None:
            self._ending = ending
            self._unseen.ended(now)
            self._action = None

    def withdraw(self) -> None:
        """Nobody wants it any more: all that is left to do is to remove its messages, also those that were to stay."""
        self._withdrawn, self._abandoned = True, False
        self._action = None

    def need(self) -> Need | Idle | Done:
        """What a permit is needed for now, and how much a reader would gain by it."""
        action = self._next()
        if isinstance(action, Idle | Done):
            return action
        if self._ending is None and self._is_busy:
            at = self._doing_since
            not_before = at + (_BUSY if self.visible else _BUSY_BEFORE_WORDS)
            return Need(action.call, Urgency.PROGRESS, since=at, began=at, latest=at, not_before=not_before)
        return self._unseen.need(action.call, final=self._ending is not None)

    def next_action(self) -> Action:
        """The call to make now, rendered now. Report back what became of it."""
        action = self._next()
        if not isinstance(action, Idle | Done):
            self._unseen.sent()
        return action

    def done(self, action: Shown, message: str = "") -> None:
        """The call was accepted; a post's message has this id."""
        self._action = None
        self._attached = self._attached or isinstance(action, Attach)
        if not self._screen.done(action, message):
            self.failed()

    def failed(self) -> None:
        """The call had no effect; what it would have shown is still to be shown."""
        self._unseen.not_seen()

    def unknown(self, action: Shown) -> None:
        """No answer came: the call may have had its effect, and is made again."""
        self._screen.unknown(action)
        self._action = None
        self.failed()

    def rejected(self, action: Shown, why: str) -> bool:
        """The call will never be accepted. Returns whether there is another way: files are shown as further pages, and
        in place of text a sentence says so, once."""
        match action:
            case Attach() if not self._withdrawn:
                self._attached = True
                self._layout.lift()
            case Post(page=page) | Edit(page=page) if self._last_word is None:
                shown = self._screen.messages[page].shown if isinstance(action, Edit) else None
                self._ending = Ending(End.UNSHOWN, why)
                self._last_word = page, broken_off(self._dialect, shown, sentence(self._ending))
            case _:
                return False
        self._action = None
        self.failed()
        return True

    def vanished(self, action: Shown) -> bool:
        """Somebody has removed the message that it was for. Returns whether the answer goes on, in another message."""
        if not self._screen.vanished(action):
            return False
        self._action = None
        self.failed()
        return True

    def lost(self) -> None:
        """What it was writing into is gone: nothing more is to be shown."""
        self._abandoned = True
        self._action = None

    def _next(self) -> Action:
        if self._action is None:
            self._action = self._work_out()
        return self._action

    def _work_out(self) -> Action:
        screen, layout = self._screen, self._layout
        if self._abandoned:
            return Done()
        if self._withdrawn:
            return screen.clear() or Done()
        if self._last_word is not None:
            page, text = self._last_word
            return screen.shorten(page + 1) or self._difference(page, text) or Done()
        if self._arrived:
            layout.feed("".join(self._arrived))
            self._arrived.clear()
        screen.settled = min(screen.settled, layout.settled)
        while screen.settled < layout.settled:
            if action := self._difference(screen.settled, layout.page(screen.settled)):
                return action
            screen.settled += 1
        tail = self._tail()
        for number, page in enumerate(tail, start=screen.settled):
            if action := self._difference(number, page):
                return action
        if self._ending is None:
            return Idle()
        attach = self._attachment(self._ending)
        return attach or screen.shorten(screen.settled + len(tail)) or screen.remove_other_files() or Done()

    def _difference(self, number: int, page: str) -> Post | Edit | None:
        if number >= len(self._screen.messages):
            return Post(number, page, self._screen.again)
        message = self._screen.messages[number]
        return None if message.shown == page else Edit(number, message.id, page)

    def _tail(self) -> list[str]:
        """What stands after the settled pages."""
        layout = self._layout
        if self._ending is None:
            return layout.live(self._doing if self._is_busy else "")
        if layout.overflows and self._ending.end is not End.SHUTDOWN:
            if not self._attached and self._shows(coming := layout.coming()):
                return coming  # it stays until the file is there
            return layout.last("")  # the file's message says how the answer ended
        note = sentence(self._ending)
        if not note and not self.settled and not layout.last(""):
            note = sentence(Ending(End.EMPTY))  # nobody is left without an answer
        return layout.last(note)

    def _shows(self, tail: Sequence[str]) -> bool:
        return [message.shown for message in self._screen.messages[self.settled :][: len(tail)]] == tail

    def _attachment(self, ending: Ending) -> Attach | None:
        if self._attached:
            return None
        attach = attachment(self._dialect, self.text, self._layout.rest, ending, code=self._with_code)
        self._attached = attach is None  # it is looked for once
        return attach

    @property
    def _is_busy(self) -> bool:
        """Whether all text is shown and the model does something else. What cannot be taken back is not said."""
        return bool(self._doing) and not self._unseen.chars and not self._dialect.append_only
