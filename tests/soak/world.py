"""One evening: the playground in this process, the bot in another one, and as many answers at once all the time.

start -> warm-up -> quiet, a sample -> load, a line of the table now and then -> quiet, a sample -> SIGTERM

Between the two samples every question came to its end, so what the second has and the first has not was left behind.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from playground.server import Playground
from playground.timeline import Moment
from tests.cli.program import Folder
from tests.crash.answers import answer_to, question
from tests.crash.plan import Api
from tests.crash.verdict import Asked, Shown
from tests.soak.accidents import Accidents
from tests.soak.bot import Bot, Sample
from tests.soak.places import Place, Places
from tests.soak.questions import Deed, Model, Question, make_question

_START = 60.0  # seconds within which the bot must be ready, and within which it must end
_LONGEST = 180.0  # seconds within which a question must have come to its end
_UNSTORED = 15.0  # seconds after which a deleted question will not be stored any more
_LATE = 120.0  # seconds that a command may come late, and then to the next question, where connections are cut
_TICK = 0.1  # seconds between two looks at the database
_SLACKS_SHARE = 0.32  # of the answers: what a workspace's limits let through at this rate
_RENEWED = 20.0  # seconds after which another room takes the place of one
_REST = 7.0  # seconds of silence: what the bot notes with a delay is noted, and typing is over
_PATIENCE = 30.0  # seconds more for tasks and connections to end

# How many of each there are.
Rows = dict[str, int]


@dataclass(frozen=True, slots=True)
class Evening:
    """`minutes` of load after the warm-up, with `live` answers at once."""

    api: Api
    minutes: float
    live: int = 50
    warm_up: float = 0.5  # minutes
    every: float = 10.0  # seconds between two lines of the table
    pace: float = 1.0  # of the model's speed in the field
    accidents: float = 1.0  # how often they come, of what is usual
    seed: int = 1
    trace: int = 0  # frames of tracebacks for what memory is taken


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table. `live`: questions without an end yet; `streams`: those that the model is writing."""

    at: float  # seconds since the warm-up
    live: int
    streams: int
    answered: int
    sample: Sample
    rows: Rows
    refusals: int


@dataclass
class World:
    evening: Evening
    folder: Folder
    tell: Callable[[Line], None] = lambda _: None
    playground: Playground = field(default_factory=Playground)
    lines: list[Line] = field(default_factory=list[Line])
    asked: list[Asked] = field(default_factory=list[Asked])
    screen: dict[str, Moment] = field(default_factory=dict[str, Moment])  # the bot's messages as they stand, by id
    disturbed: set[int] = field(default_factory=set[int])  # whose answers may end early, or be another's
    deeds: Counter[Deed] = field(default_factory=Counter[Deed])
    wrong: list[str] = field(default_factory=list[str])
    answered: int = 0
    unheard: int = 0  # questions that the bot cannot know of
    before: Line | None = None  # when all was quiet after the warm-up
    after: Line | None = None  # when all was quiet at the end
    log: str = ""  # of the bot

    async def play(self) -> None:
        """Afterwards the world stands still."""
        self._random = Random(f"{self.evening.api} {self.evening.seed}")
        self._model = Model(self.evening.pace)
        self._pending: dict[str, asyncio.Future[None]] = {}  # questions without an end, by their message
        self._stored: set[str] = set()  # of them, those that the bot has in its database
        self._last_turn = 0
        self._commanded: dict[str, float] = {}  # rooms where an answer was stopped or asked for again, and when
        self._number = 0
        self._remote = 0  # conversations on the model's server
        await self.playground.start()
        try:
            self._furnish()
            async with self._bot() as bot, asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch())
                await self._evening(bot)
                watching.cancel()
        finally:
            await self.playground.close()

    def _furnish(self) -> None:
        playground = self.playground
        playground.openai.answer = self._model.answer
        playground.openai.streamable = 60.0  # seconds: nobody comes back later here, and it costs this process memory
        # Slack sends again after a minute what nobody took; here after seconds, since its sockets are cut so often
        playground.slack.limits.redeliver_after = (0.0, 10.0, 60.0)
        self._places = Places(playground, self._random)
        self.accidents = Accidents(playground, self._random)
        self.folder.configure(
            playground,
            openai={"api": self.evening.api},
            # each thread its own memory where the server keeps it, else one for the channel
            slack={"conversation_scope": "channel" if self.evening.api == "chat" else "thread"},
            bot={"max_waiting": 0, "max_waiting_in_all": 0, "max_running": 0},
        )

    async def _evening(self, bot: Bot) -> None:
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        await self._load(60 * self.evening.warm_up)
        self.before = await self._quiet(bot)
        self._began, self.answered = loop.time(), 0
        loading = asyncio.create_task(self._load(60 * self.evening.minutes))
        while not loading.done():
            await asyncio.wait([loading], timeout=self.evening.every)
            if not loading.done():
                await self._look(bot)
        await loading
        self.after = await self._quiet(bot, self.before)

    @asynccontextmanager
    async def _bot(self) -> AsyncGenerator[Bot]:
        bot = Bot(self.folder.path, trace=self.evening.trace)
        await bot.start()
        try:
            await self._until(lambda: "ready\n" in bot.out or bot.exit_code is not None, _START)
            if "ready\n" not in bot.out:
                raise RuntimeError(f"the bot is not ready: {bot.out}\n{bot.log}")
            yield bot
        finally:
            ended = bot.exit_code
            code = await bot.stop(_START)
            self.log = bot.log
            if ended is not None:
                self.wrong.append(f"the bot ended by itself with code {ended}")
            elif code != 0:
                self.wrong.append(f"after SIGTERM the bot ended with code {code}")

    # The load

    async def _load(self, seconds: float) -> None:
        """As many questions at once, until the time is over and all of them have come to their end."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        slacks = round(_SLACKS_SHARE * self.evening.live)
        async with asyncio.TaskGroup() as people:
            for seat in range(self.evening.live):
                people.create_task(self._people("slack" if seat < slacks else "discord", until))
            people.create_task(self._renew(until))
            if self.evening.accidents:
                people.create_task(self.accidents.happen(until, self.evening.accidents))

    async def _people(self, platform: str, until: float) -> None:
        """One after the other asks and waits for the answer, so that there is always one."""
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            with self._places.one(platform) as place:
                for _ in range(self._random.randint(1, 3) if place.fleeting else 1):
                    if loop.time() < until:
                        await self._ask(place)

    async def _renew(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, _RENEWED))
            self._places.renew()

    async def _ask(self, place: Place) -> None:
        asked = self._make()
        message, ended = self._say_question(place, asked)
        self.deeds[asked.deed] += 1
        if asked.deed == "two at once":
            await asyncio.sleep(asked.after)
            another, its_end = self._say_question(place, self._make())
            await self._ends(place, another, its_end)
        elif asked.deed in {"stop", "edit", "delete"}:
            await asyncio.sleep(asked.after)
            if not ended.done():
                self._interfere(asked, place, message)
        await self._ends(place, message, ended, deleted=asked.deed == "delete")
        if asked.deed == "retry":
            self._commanded[place.room] = asyncio.get_running_loop().time()
            self._say(place, "!retry")
            if await self._until(lambda: message in self._open, 5.0):
                self._stored.add(message)
                await self._ends(place, message, self._expect(message))
        elif asked.deed == "new":
            self._command(place, "new")

    def _make(self) -> Question:
        self._number += 1
        return make_question(self._number, self._random)

    def _say_question(self, place: Place, asked: Question) -> tuple[str, asyncio.Future[None]]:
        self._model.expect(asked)
        now = asyncio.get_running_loop().time()
        if asked.disturbed or now < self._commanded.get(place.room, -_LATE) + _LATE:
            self.disturbed.add(asked.number)
        message = self._say(place, question(asked.number, asked.kind))
        words = answer_to(asked.number, asked.kind)
        self.asked.append(Asked(asked.number, place.room, message, place.thread, words))
        return message, self._expect(message)

    def _interfere(self, asked: Question, place: Place, message: str) -> None:
        """Somebody stops the answer, or edits or deletes the question."""
        discord, slack = self.playground.discord, self.playground.slack
        self._commanded[place.room] = asyncio.get_running_loop().time()
        match asked.deed, place.platform:
            case "stop", "slack" if self._random.random() < 0.5:
                try:
                    slack.stop_session(place.room, place.person, place.thread or message)
                except ValueError:  # there is no button now
                    self._say(place, "!stop")
            case "stop", _:
                self._command(place, "stop")
            case "delete", "discord":
                discord.delete(message)
            case "delete", _:
                slack.delete(place.room, message)
            case _:
                anew = self._make()
                self.disturbed.add(anew.number)
                words = answer_to(anew.number, anew.kind)
                self.asked.append(Asked(anew.number, place.room, message, place.thread, words))
                if place.platform == "discord":
                    discord.edit(message, f"<@{discord.bot_user}> {question(anew.number, anew.kind)}")
                else:
                    slack.edit(place.room, message, f"<@{slack.bot_user}> {question(anew.number, anew.kind)}")

    def _command(self, place: Place, name: str) -> None:
        if place.platform == "discord" and self._random.random() < 0.5:
            self.playground.discord.press_command(place.room, place.person, name)
        else:
            self._say(place, f"!{name}")

    def _say(self, place: Place, text: str) -> str:
        discord, slack = self.playground.discord, self.playground.slack
        if place.platform == "discord":
            return discord.say(place.room, place.person, text, mentions_bot=True)
        return slack.say(place.room, place.person, f"<@{slack.bot_user}> {text}", place.thread or None)

    def _expect(self, message: str) -> asyncio.Future[None]:
        return self._pending.setdefault(message, asyncio.get_running_loop().create_future())

    async def _ends(self, place: Place, message: str, ended: asyncio.Future[None], *, deleted: bool = False) -> None:
        await asyncio.wait([ended], timeout=_UNSTORED if deleted and message not in self._stored else _LONGEST)
        if not ended.done():
            self._pending.pop(message, None)
            if not deleted and not self._is_out_of_reach(place, message):
                what = "stored" if message in self._stored else "not even stored"
                self.wrong.append(f"question {message} had no end after {_LONGEST:.0f} s; it was {what}: {place}")
        self._stored.discard(message)

    def _is_out_of_reach(self, place: Place, message: str) -> bool:
        """Who writes the first direct message of all while Discord has ended the session is not heard, nor found later:
        Discord lists no such rooms."""
        known = self.query(f"SELECT count(*) FROM turns WHERE room = '{place.room}'")[0][0]
        if known or not place.unlisted:
            return False
        self.disturbed |= {asked.number for asked in self.asked if asked.message == message}
        self.unheard += 1
        return True

    # What is seen

    async def _watch(self) -> None:
        """Keeps up with the world, and lets go of what the playground remembers for others."""
        while True:
            self._follow_turns()
            self._follow_screen()
            self._follow_model()
            await asyncio.sleep(_TICK)

    def _follow_turns(self) -> None:
        self._open = {
            message for (message,) in self.query("SELECT message FROM turns WHERE status IN ('queued', 'running')")
        }
        for turn, message in self.query(f"SELECT id, message FROM turns WHERE id > {self._last_turn} ORDER BY id"):
            self._last_turn = turn
            if message in self._pending:
                self._stored.add(message)
        for message in [message for message in self._pending if message in self._stored and message not in self._open]:
            ended = self._pending.pop(message)
            self.answered += 1
            if not ended.done():
                ended.set_result(None)

    def _follow_screen(self) -> None:
        moments = self.playground.timeline.moments
        for moment in moments:
            if moment.kind == "deleted":
                self.screen.pop(moment.message, None)
            elif moment.kind in ("posted", "edited") and moment.bot and not moment.private_to:
                self.screen[moment.message] = moment
        moments.clear()
        self.playground.discord.calls.clear()
        self.playground.slack.calls.clear()

    def _follow_model(self) -> None:
        openai = self.playground.openai
        for request in openai.requests:
            if request.status == 200 and request.path.strip("/").split("/")[0] in {"conversations", "threads"}:
                depth = len(request.path.strip("/").split("/"))
                self._remote += (request.method == "POST" and depth == 1) - (request.method == "DELETE" and depth == 2)
        openai.requests[:] = [request for request in openai.requests if not request.status]
        openai.streams[:] = [
            stream for stream in openai.streams if not (stream.finished_at or stream.closed_by_client_at)
        ]

    async def _look(self, bot: Bot, *, settled: bool = False) -> Line:
        sample = await bot.look(settled=settled)
        discord, slack = self.playground.discord, self.playground.slack
        line = Line(
            at=asyncio.get_running_loop().time() - self._began,
            live=len(self._pending),
            streams=len(self.playground.openai.streams),
            answered=self.answered,
            sample=sample,
            rows=self._rows(),
            refusals=len(discord.refusals) + len(slack.refusals),
        )
        self.lines.append(line)
        self.tell(line)
        return line

    def _rows(self) -> Rows:
        """Rows of each table, and of those the ones that must not stay."""
        counts = {
            table: f"SELECT count(*) FROM {table}" for table in ("turns", "messages", "conversations", "notes")
        } | {
            "open turns": "SELECT count(*) FROM turns WHERE status IN ('queued', 'running')",
            "messages of no turn": "SELECT count(*) FROM messages WHERE turn_id NOT IN (SELECT id FROM turns)",
            "closed conversations on the server": (
                "SELECT count(*) FROM conversations WHERE closed_at IS NOT NULL AND remote <> ''"
            ),
            "conversations on the server": "SELECT count(*) FROM conversations WHERE remote <> ''",
        }
        return {name: int(self.query(count)[0][0]) for name, count in counts.items()}

    async def _quiet(self, bot: Bot, like: Line | None = None) -> Line:
        """When all has come to its end and had some rest; with `like`, as soon after that as all is as it was there."""
        for platform in ("discord", "slack"):  # after its turn the bot does what could not be done before
            with self._places.one(platform) as place:
                message = self._say(place, "Is anybody still here?")
                await self._ends(place, message, self._expect(message))
        await asyncio.sleep(_REST)
        last = asyncio.get_running_loop().time() + _PATIENCE
        while like and asyncio.get_running_loop().time() < last:
            sample = await bot.look()
            if sample.tasks == like.sample.tasks and sample.files_in_all <= like.sample.files_in_all:
                break
            await asyncio.sleep(1.0)
        return await self._look(bot, settled=True)

    @property
    def remote(self) -> int:
        """Conversations that there are on the model's server."""
        return self._remote

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        path = self.folder.path / "rivulet.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute(statement).fetchall()

    async def _until(self, condition: Callable[[], object], seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition():  # noqa: ASYNC110  (files and processes, which do not notify)
                    await asyncio.sleep(0.05)
                return True
        return False

    # What stands there

    def shown(self) -> list[Shown]:
        """The bot's messages as everybody sees them now, in the order in which they were posted."""
        return [Shown(moment, self._files(moment)) for moment in self.screen.values()]

    def _files(self, moment: Moment) -> dict[str, str]:
        stand_in = self.playground.discord if moment.platform == "discord" else self.playground.slack
        return {name: content.decode() for name, content in (stand_in.file(file.id) for file in moment.files)}
