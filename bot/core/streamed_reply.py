"""The answer in messages that grow by appending, where a platform has such (Slack's streams).

    feed -> pages  -> what is certain of the page being written    \\
                                                                     next_action: the rest of it
    done -> screen -> what each stream has taken                    /

What a stream has taken cannot be changed, so it is given only what the page will certainly begin with. It takes a
page's rest when it is stopped, and then the next page begins another stream. Whatever a stream refuses, loses or leaves
unclear is put right with the means of any other message: it is stopped, and its text is replaced as a whole. What was
not streamed from its first words (a page that is whole already, an answer that no stream is to be had for) is posted
and edited. As with `Reply`, at most one call is in flight, and what became of it is reported back.
"""

from __future__ import annotations

from bot.core.actions import Action, Append, Attach, Delete, Edit, Post, Shown, Start, Stop
from bot.core.attaching import Attaching, attachment
from bot.core.dialects import Dialect
from bot.core.endings import sentence
from bot.core.layout import broken_off, with_note
from bot.core.model import End, Ending
from bot.core.pacing import Done, Idle, Need
from bot.core.paging import Pager
from bot.core.screen import Screen
from bot.core.unseen import Unseen


class StreamedReply:
    """One answer, with the same verbs as a `Reply`."""

    def __init__(self, dialect: Dialect, attaching: Attaching = Attaching()) -> None:  # noqa: B008  (frozen)
        self._dialect = dialect
        self._max_pages = attaching.max_pages
        self._with_code = attaching.code
        self._attached = False  # what there was to attach
        self._pager = Pager(dialect.budget, dialect.measure)
        self._arrived: list[str] = []
        self._text: list[str] = []
        self._screen = Screen()
        self._streams = True  # further pages are streamed; else they are posted and edited
        self._append_first = False  # a stop has to wait: its text is shown before
        self._cut = False  # the page being written is to end here
        self._now = self._started_at = 0.0
        self._unseen = Unseen(dialect.first_words)
        self._ending: Ending | None = None
        self._last_word: tuple[int, str] | None = None  # the last page, and what it says, if the rest is not taken
        self._abandoned = False
        self._withdrawn = False
        self._action: Action | None = None

    @property
    def text(self) -> str:
        """What the model has written, as it wrote it."""
        return "".join(self._text)

    @property
    def messages(self) -> tuple[str, ...]:
        """The ids of its pages, in order."""
        return self._screen.ids

    @property
    def settled(self) -> int:
        """No page counts as such: what replaces a stream after a restart may cut the text into others."""
        return 0

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

    @property
    def streaming(self) -> str:
        """The message whose stream is open; empty if there is none."""
        return self._screen.streaming

    def feed(self, text: str, now: float) -> None:
        """More text from the model."""
        if not text:
            return
        self._now = now
        self._unseen.arrived(text, now)
        self._arrived.append(text)
        self._text.append(text)
        self._action = None

    def work(self, doing: str, now: float) -> None:
        """The model does something other than writing, which a stream cannot say: it could not take it back."""
        self._now = now
        self._action = None

    def finish(self, ending: Ending, now: float) -> None:
        """No more text will come. The first ending counts."""
        if self._ending is None:
            self._now = now
            self._ending = ending
            self._unseen.ended(now)
            self._action = None

    def withdraw(self) -> None:
        """Nobody wants it any more: all that is left to do is to remove its messages, also those that were to stay."""
        self._withdrawn, self._abandoned = True, False
        self._action = None

    def edit_instead(self) -> None:
        """No further stream is to be started."""
        self._streams = False
        self._action = None

    def append_first(self) -> None:
        """A stop would have to wait, so its text is not to wait with it."""
        self._append_first = True
        self._action = None

    def need(self) -> Need | Idle | Done:
        """What a permit is needed for now, and how much a reader would gain by it."""
        action = self._next()
        if isinstance(action, Idle | Done):
            return action
        return self._unseen.need(action.call, final=self._ending is not None or isinstance(action, Stop))

    def next_action(self) -> Action:
        """The call to make now, rendered now. Report back with `done`, `failed`, `ended` or any of the others."""
        action = self._next()
        if not isinstance(action, Idle | Done):
            self._unseen.sent()
        return action

    def done(self, action: Shown, message: str = "") -> None:
        """The call was accepted; what was started or posted has this id."""
        self._action = None
        self._attached = self._attached or isinstance(action, Attach)
        if isinstance(action, Start):
            self._started_at = self._now  # or a little later
        elif isinstance(action, Stop):
            self._append_first = False
        if not self._screen.done(action, message):
            self.failed()

    def failed(self) -> None:
        """The call had no effect; what it would have shown is still to be shown."""
        self._unseen.not_seen()

    def unknown(self, action: Shown) -> None:
        """No answer came: the call may have had its effect."""
        self._screen.unknown(action)
        self._action = None
        self.failed()

    def ended(self, action: Shown, *, by_person: bool) -> None:
        """The stream had ended before the call, which had no effect: of age, or because a person pressed Stop."""
        if isinstance(action, Append | Stop):
            message = self._screen.messages[action.page]
            message.live = False
            if not by_person:  # Slack leaves it looking unfinished until it is edited
                message.shown = None
                self._cut = True
        self._action = None
        self.failed()

    def rejected(self, action: Shown, why: str) -> bool:
        """The call will never be accepted. Returns whether there is another way to show the text, or to say why not."""
        messages = self._screen.messages
        match action:
            case Start() if not self._withdrawn:
                self._streams = False
            case Append(page=page) | Stop(page=page):
                self._streams = False
                messages[page].shown = None
                if isinstance(action, Stop) and not action.text:  # it cannot even be stopped
                    messages[page].live = False
            case Attach() if not self._withdrawn:
                self._attached, self._max_pages = True, 0  # what the files hold is shown in further messages
            case Edit(page=page) if messages[page].streamed and not messages[page].stuck:
                messages[page].stuck = True
            case Post(page=page) | Edit(page=page) if self._last_word is None:
                shown = messages[page].shown if isinstance(action, Edit) else None
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
        screen = self._screen
        if self._abandoned:
            return Done()
        if self._withdrawn:
            return screen.clear() or Done()
        if self._last_word is not None:
            page, text = self._last_word
            return screen.shorten(page + 1) or self._complete(page, text) or Done()
        if self._arrived:
            self._pager.feed("".join(self._arrived))
            self._arrived.clear()
        self._roll_over()
        sealed = self._pager.sealed[: self._max_pages or None]
        while screen.settled < len(sealed):
            if action := self._complete(screen.settled, self._dialect.render(sealed[screen.settled])):
                return action
            screen.settled += 1
        is_full = 0 < self._max_pages <= len(sealed)
        if self._ending is None:
            return Idle() if is_full else self._grow(len(sealed)) or Idle()
        rest = self._pager.rest(self._max_pages) if is_full else ""
        for number, page in enumerate([] if rest.strip() else self._last_pages(self._ending), start=len(sealed)):
            if action := self._complete(number, page):
                return action
        return self._attachment(rest, self._ending) or Done()

    def _attachment(self, rest: str, ending: Ending) -> Attach | None:
        if self._attached:
            return None
        attach = attachment(self._dialect, self.text, rest.strip() and rest, ending, code=self._with_code)
        self._attached = attach is None  # it is looked for once
        return attach

    def _roll_over(self) -> None:
        """Ends the page whose stream is so old that it would soon end by itself, or has."""
        number = len(self._pager.sealed)
        if self._ending is not None or number >= len(self._screen.messages):
            return
        message = self._screen.messages[number]
        if self._cut or (message.live and self._now - self._started_at >= self._dialect.lasts):
            self._pager.cut()
        self._cut = False

    def _complete(self, number: int, page: str) -> Shown | None:
        """What brings a message closer to its last state."""
        if number >= len(self._screen.messages):
            return Post(number, page, self._screen.again)  # a stream would take two calls for it
        message = self._screen.messages[number]
        if message.live:
            rest = None if message.shown is None else _rest(page, message.shown)
            if rest is None:
                return self._stop(number, "")
            if rest and self._append_first:
                return Append(number, message.id, rest)
            return self._stop(number, rest)
        return self._replace(number, page)

    def _grow(self, number: int) -> Shown | None:
        """What brings the message of the page being written closer to it."""
        if number < len(self._screen.messages) and not self._screen.messages[number].live:
            live = self._dialect.render(self._pager.live())
            return self._replace(number, live) if live else None
        certain = self._dialect.grow(self._pager.certain())
        if number < len(self._screen.messages):
            message = self._screen.messages[number]
            if message.shown is None or not certain.startswith(message.shown):
                return self._stop(number, "")
            more = certain[len(message.shown) :]
            return Append(number, message.id, more) if more else None
        if self._streams:
            return Start(number, certain, self._screen.again) if certain.strip() else None
        live = self._dialect.render(self._pager.live())
        return Post(number, live, self._screen.again) if live else None

    def _stop(self, number: int, text: str) -> Stop:
        return Stop(number, self._screen.messages[number].id, text, more=self._ending is None)

    def _replace(self, number: int, page: str) -> Edit | Delete | None:
        message = self._screen.messages[number]
        if message.stuck:
            return Delete(number, message.id)  # it is posted anew
        if message.shown is not None and _rest(page, message.shown) == "":
            return None
        return Edit(number, message.id, page)

    def _last_pages(self, ending: Ending) -> list[str]:
        """What stands after the sealed pages at the end: the last one, with the bot's own sentence."""
        words = sentence(ending)
        last = self._dialect.render(self._pager.last(broken_off=bool(words)))
        if not (words or last or self._pager.sealed):
            words = sentence(Ending(End.EMPTY))  # nobody is left without an answer
        return with_note(self._dialect, last, words)


def _rest(page: str, shown: str) -> str | None:
    """What of a page is not shown yet; None if something else is shown. White space at the end shows nothing."""
    if page.startswith(shown):
        return page[len(shown) :]
    return "" if page == shown.rstrip() else None
