"""The answers of the gallery: what is asked and said, where each is caught while it is written, what to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Platform = Literal["discord", "slack"]

PAUSE = "⏸"  # in a text: here the model holds its breath while a picture is taken
SIZES: dict[Platform, int] = {"discord": 2_000, "slack": 12_000}  # characters of one message


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` has one PAUSE. Where pages matter it is made for the size of a platform's message."""

    name: str
    title: str
    look: str  # what to look at
    question: str
    text: str | Callable[[int], str]
    view: Literal["all", "seam", "end"] = "all"  # which part of it is shown
    commentary: str = ""  # said before the model does what follows, and then the text
    search: str = ""
    reasoning: str = ""
    ends: Literal["completed", "incomplete", "stopped"] = "completed"
    max_pages: int = 8
    quiet: float = 2.5  # seconds without a change after which nothing more will be shown

    def written(self, platform: Platform) -> str:
        return self.text if isinstance(self.text, str) else self.text(SIZES[platform])


def _up_to(size: int, opening: str, line: Callable[[int], str], close: str = "") -> str:
    """Lines until the text is `size` characters long, with a PAUSE in the middle of the last line but one."""
    lines: list[str] = []
    while sum(map(len, lines)) < size - len(opening):
        lines.append(line(len(lines) + 1))
    caught = lines[-2]
    lines[-2] = caught[: len(caught) * 2 // 3] + PAUSE + caught[len(caught) * 2 // 3 :]
    return opening + "".join(lines) + close


_WEEK = f"""\
# A week on the Loire

Seven days, **mostly flat**, and no more than 70 km a day. The *short version*:

1. Take the train to **Nevers**.
   - Bikes travel free on the regional trains.
   - Reserve on the *Intercités*:
     - from Paris, platform 18
     - from Lyon, platform 4
2. Follow the signs of `La Loire à Vélo`.
3. Fly home from Nantes.

## Before you leave

- [x] Book the trains
- [x] Buy a map 1:100,000
- [ ] Mend the **rear br{PAUSE}ake**
- [ ] Tell the neighbours

### Where to sleep

Camp sites are open until *September*. After that:

- ~~hostels~~ closed
- guest houses, about 60 €

#### One more thing

The wind blows from the **west**, so ride eastwards if you can choose.
"""

_CODE = f"""\
Both steps take a minute:

1. Save this as `count.py`:

   ```python
   from collections import Counter
   from pathlib import Path

   def words(path: Path) -> Counter[str]:
       # one pass, no copy of the text
       with path.open(encoding="utf-8") as lines:
           return Counter(w for line in lines{PAUSE} for w in line.split())

   if __name__ == "__main__":
       print(words(Path("river.txt")).most_common(3))
   ```

2. Run it:

   ```sh
   python count.py
   ```

It prints `[('the', 41), ('river', 17), ('and', 12)]`. If a file has ``a ` in it`` or a_b_c, nothing changes.
"""

_TABLE = f"""\
Here they are, longest first:

| River | Length | Ends in |
|:------|-------:|:-------:|
| **Danube** | 2,850 km | Black Sea |
| Rhine | 1,233 km | North Sea |
| [Loire](https://example.org/loire) | 1,006 km | Atlan{PAUSE}tic |
| `Seine` | 775 km | Channel |

Only the Danube crosses *ten* countries.
"""

_WIDE = f"""\
All three are kept up, and they differ in what they are made for:

| Library | Made for | What it does well | What to know before you choose it | License |
|---|---|---|---|---|
| aiohttp | servers and clients | WebSockets, a long history | Its client and its server are one package | Apache-2.0 |
| httpx | clients | The same calls with and without `async` | HTTP/2 needs an extra, and{PAUSE} proxies too | BSD-3 |
| niquests | clients | HTTP/3, and a drop-in for requests | Younger than the others, one maintainer | Apache-2.0 |

And a plan, as a table that fits:

| Step | What happens |
|---|---|
| 1 | Count the calls that the program makes today, by host and by minute |
| 2 | Move the ones that matter least, and look at the logs for a week |
"""

_EAST = f"""\
旅行の計画です。三つの町を比べました：

| 町 | 見どころ | 食べ物 | 気分 |
|---|---|---|---|
| 京都 | 金閣寺、嵐山 | 湯豆腐 | 😌 |
| 大阪 | 道頓堀 | たこ焼き | 🎉 |
| 札幌 | 大通公園 | 味噌ラ{PAUSE}ーメン | ❄️ |
| 那覇 | 首里城 | ゴーヤチャンプルー | 🏝️ |

**おすすめ**は京都です。家族 👨‍👩‍👧‍👦 なら大阪も楽しいでしょう。서울도 가깝습니다, and the flag is 🇯🇵.
"""

_FORMULAS = f"""\
The energy of a body at rest is $E = mc^2$, and the area under the bell curve is

$$
\\int_{{-\\infty}}^{{\\infty}} e^{{-x^2}}\\,dx = \\sqrt{{\\pi}}
$$

For a quadratic $ax^2 + bx + c = 0$ the solutions are

\\[ x_{{1,2}} = \\frac{{-b \\pm \\sqrt{{b^2 - 4ac}}}}{{2a}} \\]

- The sum is $x_1 + x_2 = -\\frac{{b}}{{a}}$.
- The product is $x_1 \\cdot x_2 = \\fr{PAUSE}ac{{c}}{{a}}$.

It costs $5 to $10 to print, and $\\alpha \\in \\mathbb{{R}}$ throughout.
"""

_LINKS = f"""\
The [Loire](https://example.org/wiki/Loire_(river) "a river") is France's longest river[^1]. Its source is at
**Mont Gerbier de Jonc**, see <https://example.org/source> and https://example.org/map?x=1&y=2.

![The bridge at Blois](https://example.org/blois.jpg)

It floods every few years[^2]; the town keeps a [list of the{PAUSE} high waters](https://example.org/floods) since 1707.

---

Write to <mailto:town@example.org>. Nobody is called by @everyone, <!channel> or <@U1000000002>.

[^1]: 1,006 km, of which little can be sailed.
[^2]: The last time in **2016**.
"""

_QUOTES = f"""\
She said two things:

> The river is **never** the same.
>
> - It rises in spring,
>   - and in a wet autumn,
> - it falls in summer.
>
> 1. First you listen,
> 2. then you *cross it wi{PAUSE}th care*.
>
> > And do not swim.

- In a list it looks like this:

  > A quote inside an item.

That is all. 2 * 3 * 4 = 24, and some_names_have_underscores.
"""


def _long_list(size: int) -> str:
    opening = "How a harbour is opened in spring:\n\n"
    boats = size // 250  # so many that a page ends among them

    def step(number: int) -> str:
        first = (
            f"{number}. **Quay {number}**: the harbour master walks it from end to end and writes down what he finds.\n"
        )
        return first + "".join(
            f"    - Boat {number * 100 + boat} wants new ropes, and its owner hears of it before the first tide.\n"
            for boat in range(1, boats + 1)
        )

    return _up_to(int(size * 1.6), opening, step, "\nThen the season begins.\n")


def _long_code(size: int) -> str:
    return _up_to(
        int(size * 1.3),
        "The whole table of tides, as a module:\n\n```python\n",
        lambda n: (
            f'def tide_{n:03}(hour: int) -> float:\n    """Metres over the mark of station {n}."""\n'
            f"    return round({n} * 0.25 + hour / 12, 2)  # 1987\n\n"
        ),
        "```\n\nCall the one of your station.\n",
    )


def _long_table(size: int) -> str:
    return _up_to(
        int(size * 1.3),
        "Every lock on the way, from the source to the sea:\n\n| Lock | Town | Rise |\n|---:|---|---:|\n",
        lambda n: f"| {n} | Saint-Jean-sur-Loire {n} | {(n * 37) % 90 / 10 + 1:.1f} m |\n",
        "\nAll of them open at eight.\n",
    )


def _book(size: int) -> str:
    return _up_to(
        int(size * 2.2),
        "## The ferryman\n\n",
        lambda n: (
            f"On day {n} the ferryman rowed out before sunrise. The water was grey and *very* quiet, and nobody had "
            f"rung the bell. He waited, as he had waited every morning, and thought of the bridge.\n\n"
        ),
    )


ANSWERS = (
    Answer(
        "headings",
        "Headings, lists and tasks",
        "Three levels of bullets under a number; boxes of a task list; a heading of the fourth level. Caught inside "
        "bold words: no bare asterisks.",
        "Plan a week on the Loire for me.",
        _WEEK,
    ),
    Answer(
        "code",
        "Code in a list",
        "The fence stands in a list item, and item 2 goes on counting. Caught with the fence open: it is closed, and "
        "the cursor stands below it.",
        "How do I count words?",
        _CODE,
    ),
    Answer(
        "table",
        "A table",
        "Numbers at the right, the link below the columns on Discord. Caught in the middle of a row: no half row.",
        "Compare four rivers.",
        _TABLE,
    ),
    Answer(
        "wide-table",
        "A wide table",
        "Sentences are wrapped in their columns on Discord, and rows stay apart; on Slack one scrolls sideways.",
        "Which HTTP library should I take?",
        _WIDE,
    ),
    Answer(
        "east-asian",
        "East Asian text and emoji in a table",
        "The columns line up, although these characters are wider than letters; families and flags stay whole.",
        "日本でどの町がいいですか？",
        _EAST,
    ),
    Answer(
        "formulas",
        "Formulas",
        "Text that can be read, in code where a part of it would be taken for markup; the prices are no formula.",
        "Remind me of some formulas.",
        _FORMULAS,
    ),
    Answer(
        "links",
        "Links, a picture, footnotes, a rule",
        "A link with brackets in it, numbers of footnotes; nobody is called. Caught in the words of "
        "a link: no bare bracket.",
        "Tell me about the Loire, with links.",
        _LINKS,
    ),
    Answer(
        "quotes",
        "Quotes with lists",
        "Lists inside a quote, a quote in a quote, and a quote in an item, on platforms that know only one level.",
        "What did she say?",
        _QUOTES,
    ),
    Answer(
        "list-seam",
        "A seam in a list",
        "Where an item goes on, the second page begins with its number and an ellipsis; what follows counts on.",
        "How is a harbour opened?",
        _long_list,
        view="seam",
    ),
    Answer(
        "code-seam",
        "A seam in code",
        "The block is closed and opened again with its language; no line is cut, and no function.",
        "Write the tides as a module.",
        _long_code,
        view="seam",
    ),
    Answer(
        "table-seam",
        "A seam in a table",
        "The names of the columns stand again on the second page.",
        "List every lock.",
        _long_table,
        view="seam",
    ),
    Answer(
        "file",
        "The rest as a file",
        "With `max_pages = 1`: while it grows a line says that a file comes, and then the file is there.",
        "Tell me a very long story.",
        _book,
        view="end",
        max_pages=1,
    ),
    Answer(
        "cut",
        "Cut by length",
        "The bot says in its own words why nothing more comes, and what to write to get the rest.",
        "Explain how locks work.",
        f"A lock is a chamber with a gate at each end:\n\n- **Going up**: the boat enters below, the lower gate is "
        f"closed, and water from above fills the chamber until both levels are the same.\n- **Going down**: the same "
        f"the other way round, and the water **runs out {PAUSE}below**.",
        ends="incomplete",
    ),
    Answer(
        "stopped",
        "Stopped by a person",
        "The words so far stay, the half-written code is closed, and the answer itself says that it was stopped.",
        "Write a loop.",
        f"Of course:\n\n```python\nfor lock in locks:\n    lock.fill({PAUSE})\n```\n",
        ends="stopped",
    ),
    Answer(
        "search",
        "Searching",
        "A line says what the model does while it does not write; it is gone when the text goes on.",
        "Is lock 7 open today?",
        f"{PAUSE}Lock 7 is **open** today, from 8:00 to 18:30, see [the notice](https://example.org/lock-7).",
        commentary="I look that up for you.\n\n",
        search="lock 7 opening hours",
    ),
    Answer(
        "thinking",
        "Thinking",
        "After five seconds without a word the bot says that it thinks; the answer takes the place of that line.",
        "How many locks fit between two towns 12 km apart?",
        f"{PAUSE}With one lock every 1.5 km there are **seven** between them.",
        reasoning="Twelve kilometres and one and a half kilometres each: eight parts, so seven locks between them.",
        quiet=7.5,
    ),
)
