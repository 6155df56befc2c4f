"""One world: the playground in this process, the bot in another one that is killed again and again.

start -> ready -> questions ... the kill's instant -> SIGKILL      once for each life of the plan
start -> ready -> everything comes to its end -> SIGTERM -> what stands there now is judged
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field

from playground.server import Playground
from playground.timeline import Moment
from tests.cli.program import Folder
from tests.crash.answers import KINDS, answer, answer_to, numbered, question
from tests.crash.bot import Bot
from tests.crash.plan import Instant, Kill, Life, Plan, Question
from tests.crash.verdict import Asked, Shown
from tests.visible import has_cursor

ROOMS = 12

_FIRST, _INTRODUCTIONS = 9999, 2  # numbers of the questions that introduce the bot, downwards

_START = 60.0  # seconds within which the bot must be ready, and within which it must end
_PATIENCE = 3.0  # seconds after which a kill does not wait any longer for its instant
_QUIET = 240.0  # seconds within which all must have come to its end
_LATE = 45.0  # seconds within which a question must at least be stored: Slack's last delivery of it is the latest
_LEAVING = 12.0  # seconds within which what says that an answer is coming must be taken back
_SOON = 10.0  # seconds: typing, which nobody can take back, goes away by itself


@dataclass(frozen=True, slots=True)
class Room:
    """A place to ask in; `thread` is Slack's."""

    platform: str
    id: str
    person: str
    thread: str = ""
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Killed:
    at: float  # on the timeline's clock
    kill: Kill
    in_time: bool  # the instant has come


@dataclass
class World:
    plan: Plan
    folder: Folder
    playground: Playground = field(default_factory=Playground)
    killed: list[Killed] = field(default_factory=list[Killed])
    ready: list[float] = field(default_factory=list[float])  # when the bot was, on the timeline's clock
    asked: list[Asked] = field(default_factory=list[Asked])
    asked_at: dict[int, float] = field(default_factory=dict[int, float])
    wrong: list[str] = field(default_factory=list[str])  # what went wrong with the bot as a process

    async def play(self) -> None:
        """Afterwards the world stands still, and `playground` is what is judged."""
        await self.playground.start()
        try:
            self._furnish()
            async with asyncio.TaskGroup() as asking:
                await self._introduce()
                for life in self.plan.lives:
                    await self._live(life, asking)
                await self._end()
        finally:
            await self.playground.close()

    def _furnish(self) -> None:
        self.playground.openai.answer = answer
        discord, slack = self.playground.discord, self.playground.slack
        # A bot that dies every few seconds uses up a minute's calls in a few; the limits are for other tests. Slack's
        # second and third delivery come after seconds here, not minutes
        slack.limits.tier_2, slack.limits.tier_3, slack.limits.tier_4 = 200, 500, 1000
        slack.limits.redeliver_after = (0.5, 6.0, 30.0)
        channels = [discord.general, *(discord.add_channel(name) for name in ("rivers", "lakes"))]
        self.rooms = [Room("discord", channel, discord.ada) for channel in channels]
        self.rooms.append(Room("discord", discord.create_thread(discord.general, "deltas"), discord.linus))
        self.rooms += [
            Room("discord", discord.open_dm(person), person, direct=True) for person in (discord.ada, discord.linus)
        ]
        channels = [slack.general, slack.add_channel("rivers")]
        self.rooms += [Room("slack", channel, slack.ada) for channel in channels]
        for channel in channels:
            thread = slack.say(channel, slack.linus, "A thread to ask in.")
            self.rooms.append(Room("slack", channel, slack.linus, thread))
        self.rooms += [Room("slack", slack.open_dm(person), person, direct=True) for person in (slack.ada, slack.linus)]
        # of few pages, so that what does not fit goes into a file
        bot = {"max_waiting": 0, "max_waiting_in_all": 0, "max_pages": 3, "log_level": "info"}
        self.folder.configure(self.playground, openai={"api": self.plan.api}, bot=bot)

    async def _introduce(self) -> None:
        """Discord lists no direct messages to a bot, so one that was never asked there does not know where to look."""
        direct = [number for number, room in enumerate(self.rooms) if room.platform == "discord" and room.direct]
        async with self._bot() as bot:
            await self._ready(bot)
            for number, room in enumerate(direct):
                await self._ask(Question(_FIRST - number, KINDS[0], room, 0.0))
            await self._until(lambda: len(self._statuses()) >= len(direct), _LATE)

    # A life

    async def _live(self, life: Life, asking: asyncio.TaskGroup) -> None:
        async with self._bot() as bot:
            for question in life.questions:
                asking.create_task(self._ask(question))
            if life.kill.instant == "start":
                in_time = True
            else:
                await self._ready(bot)
                await asyncio.sleep(life.kill.after)
                in_time = await _Seen(self).comes(life.kill.instant)
            await asyncio.sleep(life.kill.delay)
            self._check_alive(bot)
            self.killed.append(Killed(self.playground.timeline.now(), life.kill, in_time))

    async def _end(self) -> None:
        async with self._bot() as bot:
            await self._ready(bot)
            questions = sum(len(life.questions) for life in self.plan.lives) + _INTRODUCTIONS
            await self._until(lambda: len(self.asked) == questions, _LATE)
            if not await self._until(lambda: len(self._statuses()) >= questions, _LATE):
                self.wrong.append(f"{questions - len(self._statuses())} questions were never stored")
            if not await self._until(lambda: set(self._statuses()) <= _ENDED, _QUIET):
                self.wrong.append(f"after {_QUIET:.0f} s turns have not ended: {self._statuses()}")
            await self._until(lambda: not self.busy(), _LEAVING)
            self._check_alive(bot)
            bot.terminate()
            if (code := await bot.ends(_START)) != 0:
                self.wrong.append(f"after SIGTERM the bot ended with code {code}")

    @asynccontextmanager
    async def _bot(self) -> AsyncGenerator[Bot]:
        """One that is killed when its block ends."""
        bot = Bot(self.folder.path)
        await bot.start()
        try:
            yield bot
        finally:
            bot.kill()
            await bot.ends(_START)

    async def _ready(self, bot: Bot) -> None:
        if not await self._until(lambda: "ready\n" in bot.out or bot.exit_code is not None, _START):
            self.wrong.append(f"the bot was not ready after {_START:.0f} s: {bot.out!r}")
        self.ready.append(self.playground.timeline.now())

    def _check_alive(self, bot: Bot) -> None:
        if bot.exit_code is not None:
            self.wrong.append(f"the bot ended by itself with code {bot.exit_code} after {len(self.killed)} kills")

    async def _until(self, condition: Callable[[], object], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not condition():  # noqa: ASYNC110  (files and processes, which do not notify)
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return True

    # Questions

    async def _ask(self, question: Question) -> None:
        await asyncio.sleep(question.offset)
        room, number = self.rooms[question.room], question.number
        message = self._say(room, number, question.kind)
        words = answer_to(number, question.kind)
        self.asked.append(Asked(number, room.id, message, room.thread, words))
        self.asked_at[number] = self.playground.timeline.now()

    def _say(self, room: Room, number: int, kind: str) -> str:
        text, discord, slack = question(number, kind), self.playground.discord, self.playground.slack
        if room.platform == "discord":
            return discord.say(room.id, room.person, text, mentions_bot=True)
        return slack.say(room.id, room.person, f"<@{slack.bot_user}> {text}", room.thread or None)

    # The database

    def _statuses(self) -> list[str]:
        return [status for (status,) in self.rows("SELECT status FROM turns")]

    @property
    def ended(self) -> int:
        """How many turns have ended, as the database has it."""
        return sum(status in _ENDED for status in self._statuses())

    def rows(self, statement: str) -> list[tuple[str, ...]]:
        """What the database has; nothing while it has no tables yet. Raises sqlite3.DatabaseError if it is damaged."""
        path = self.folder.path / "rivulet.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            try:
                return database.execute(statement).fetchall()
            except sqlite3.OperationalError:
                return []

    # What stands there

    def shown(self) -> list[Shown]:
        """The bot's messages as everybody sees them now, in the order in which they were posted."""
        there: dict[str, Moment] = {}
        for moment in self.playground.timeline.moments:
            if moment.kind == "deleted":
                there.pop(moment.message, None)
            elif moment.kind in ("posted", "edited") and moment.bot and not moment.private_to:
                there[moment.message] = moment
        return [Shown(moment, self._files(moment)) for moment in there.values()]

    def _files(self, moment: Moment) -> dict[str, str]:
        stand_in = self.playground.discord if moment.platform == "discord" else self.playground.slack
        files = [stand_in.file(file.id) for file in moment.files]
        return {name: content.decode() for name, content in files}

    def busy(self) -> list[Moment]:
        """What says that somebody is at work, and will go on to say so."""
        timeline = self.playground.timeline
        rooms = dict.fromkeys(moment.room for moment in timeline.moments)
        return [moment for room in rooms for moment in timeline.busy(room) if not 0 < moment.lasts <= _SOON]


_ENDED = {"done", "stopped", "failed"}


class _Seen:
    """What has happened since a moment."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._moments = len(world.playground.timeline.moments)
        self._streams = len(world.playground.openai.streams)
        self._questions = len(world.asked)
        self._ended = world.ended

    async def comes(self, instant: Instant) -> bool:
        """Returns when it has come, or has not in the time that there is."""
        loop = asyncio.get_running_loop()
        late = loop.time() + _PATIENCE
        while instant != "time" and not self._has_come(instant):
            if loop.time() > late:
                return False
            await asyncio.sleep(0.002)
        return True

    def _has_come(self, instant: Instant) -> bool:
        openai = self._world.playground.openai
        match instant:
            case "asked":
                return len(self._world.asked) > self._questions
            case "stream opened":
                return len(openai.streams) > self._streams
            case "stored":
                return self._world.ended > self._ended
            case "stream ended":
                return any(stream.finished_at for stream in openai.streams[self._streams :])
            case _:
                return any(self._is(instant, moment) for moment in self._news())

    def _news(self) -> list[Moment]:
        moments = self._world.playground.timeline.moments
        news, self._moments = moments[self._moments :], len(moments)
        return [moment for moment in news if moment.bot]

    def _is(self, instant: Instant, moment: Moment) -> bool:
        match instant:
            case "typing":
                return moment.kind in ("typing", "status")
            case "posted" | "edited":
                return moment.kind == instant
            case "filed":
                return bool(moment.files)
            case _:
                return moment.kind in ("posted", "edited") and self._is_last(moment)

    def _is_last(self, moment: Moment) -> bool:
        if has_cursor(moment) or not (there := numbered(moment.text)):
            return False
        number, word = there[-1]
        whole = next((asked.answer for asked in self._world.asked if asked.number == number), "")
        return (number, word) == (numbered(whole) or [(0, 0)])[-1]
