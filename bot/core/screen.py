"""What people see of an answer, as far as it is known: what became of each call is noted here, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.actions import Append, Attach, Delete, Edit, Post, Shown, Start, Stop


@dataclass(slots=True)
class Message:
    """One page of an answer on the platform."""

    id: str
    shown: str | None  # None: not known, since a call was not answered or another attempt made it
    ours: bool = False  # this attempt has written into it
    streamed: bool = False  # it began as a stream
    live: bool = False  # it is a stream that takes more
    stuck: bool = False  # it can neither grow nor be edited


class Screen:
    """The messages of one answer, in order, and those with files, which are no pages of it.

    `resumed`: an earlier attempt was cut short, so a post may give a message that is there already, with the text it
    had.
    """

    def __init__(self, messages: Sequence[str] = (), files: Sequence[str] = (), *, resumed: bool = False) -> None:
        self.messages = [Message(message, None) for message in messages]
        self.settled = 0  # so many of them show what they will always show
        self.again = 0  # how often a post has to make another message than the one that its page had
        self._resumed = resumed
        self._unheard: Post | Start | None = None  # it was not answered, and may have made the next message
        self._unheard_files: Attach | None = None  # the same for a message with files
        self._files = list(files)
        self._ours = ""  # the one of them that this attempt has made

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(message.id for message in self.messages)

    @property
    def files(self) -> tuple[str, ...]:
        """The ids of the messages with files."""
        return tuple(self._files)

    @property
    def streaming(self) -> str:
        """The message whose stream is open; empty if there is none."""
        return next((message.id for message in self.messages if message.live), "")

    def adopt(self, message: str, *, file: bool) -> None:
        """An earlier attempt has made one more, below the others."""
        if file:
            self._files.append(message)
        else:
            self.messages.append(Message(message, None))

    def done(self, action: Shown, message: str = "") -> bool:
        """The call was accepted; what it has made has this id. Returns whether it has made anything: a post may give
        an earlier attempt's message, which has become an earlier page."""
        match action:
            case Post() | Start() if message in self.ids:
                self.again += 1
                return False
            case Post(text=text) | Start(text=text):
                known = not (self._resumed or self._unheard)
                live = isinstance(action, Start)
                made = Message(message, text if known else None, ours=not self._resumed, streamed=live, live=live)
                self.messages.append(made)
                self._unheard = None
            case Append(page=page, text=text) | Stop(page=page, text=text):
                grown = self.messages[page]
                grown.shown = None if grown.shown is None else grown.shown + text
                grown.live = isinstance(action, Append)
            case Edit(page=page, text=text):
                self.messages[page].shown, self.messages[page].ours = text, True
            case Delete(message=file) if file in self._files:
                self._files.remove(file)
            case Delete(page=page):
                del self.messages[page]
            case Attach():
                self._files = [*(file for file in self._files if file != message), message]
                self._ours = message
                self._unheard_files = None
        return True

    def unknown(self, action: Shown) -> None:
        """No answer came: the call may have had its effect."""
        match action:
            case Post() | Start():
                self._unheard = action
            case Attach():
                self._unheard_files = action
            case Append(page=page) | Stop(page=page) | Edit(page=page):
                self.messages[page].shown = None
            case Delete():
                pass

    def vanished(self, action: Shown) -> bool:
        """Somebody has removed the message that it was for. Returns whether the answer goes on, in another message: not
        without its first one, whose removal means the whole. What was removed before this attempt meant another."""
        if not isinstance(action, Append | Stop | Edit) or (not action.page and self.messages[0].ours):
            return False
        del self.messages[action.page]
        self.again += 1
        self.settled = min(self.settled, action.page)
        return True

    def clear(self) -> Shown | None:
        """The next call that takes all of it away, also what may have appeared without an answer."""
        return self._unheard_files or self._remove(self._files) or self.shorten(0)

    def shorten(self, pages: int) -> Shown | None:
        """The next call that leaves no more than so many messages, the last one first. One that may have appeared
        without an answer has to be known before."""
        if self._unheard and self._unheard.page >= pages:
            return self._unheard
        if len(self.messages) <= pages:
            return None
        last, message = len(self.messages) - 1, self.messages[-1]
        return Stop(last, message.id, "") if message.live else Delete(last, message.id)

    def remove_other_files(self) -> Delete | None:
        """The next call that removes files which this attempt has not made."""
        return self._remove([file for file in self._files if file != self._ours])

    def _remove(self, files: Sequence[str]) -> Delete | None:
        return Delete(len(self.messages), files[-1]) if files else None
