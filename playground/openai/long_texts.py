"""Answers that do not fit: each goes on for thousands of characters, and numbers its parts so that a loss shows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count


def _grown(part: Callable[[int], str], characters: int, *, joint: str = "\n\n", start: int = 1) -> str:
    """Numbered parts until there are at least so many characters."""
    text = part(start)
    for number in count(start + 1):
        if len(text) >= characters:
            return text
        text += joint + part(number)
    raise AssertionError("count() does not end")


# 400 lines of code, in one block.

_CODE_HEAD = '''\
"""A stream, bend by bend. Every function takes the water that arrives and returns what flows on."""

from __future__ import annotations

from collections.abc import Callable

Bend = Callable[[float], float]
BENDS: list[Bend] = []


def bend(function: Bend) -> Bend:
    """Puts a bend at the end of the course."""
    BENDS.append(function)
    return function

'''
_CODE_TAIL = '''\


def flow(water: float) -> float:
    """Cubic metres a second at the mouth."""
    for step in BENDS:
        water = step(water)
    return water


if __name__ == "__main__":
    print(f"{len(BENDS)} bends: {flow(2.5):.3f} m³/s at the mouth")'''
_PLACES = ("a weir", "a mill", "an island", "a ford", "a wooden bridge", "two alders", "a pool with trout")
_LINES = 400


def _bend(number: int) -> list[str]:
    place = _PLACES[number % len(_PLACES)]
    return [
        "",
        "@bend",
        f"def bend_{number:03d}(water: float) -> float:",
        f'    """Bend {number}, at {place}."""',
        f"    seepage = 0.{number % 9 + 1:03d} * water  # what the gravel takes",
        f"    if water > {number % 7 + 1}.0 and seepage < water:",
        f'        print("bend {number}: the meadow is under water")',
        f"    return water - seepage + {number % 5}e-4",
        "",
    ]


def _code() -> str:
    head, tail = _CODE_HEAD.split("\n"), _CODE_TAIL.split("\n")
    middle: list[str] = []
    for number in count(1):
        lines = _bend(number)
        if len(head) + len(middle) + len(lines) + len(tail) > _LINES:
            break
        middle += lines
    rest = _LINES - len(head) - len(middle) - len(tail)
    middle += [f"# {line} lines to the mouth" for line in range(rest, 0, -1)]
    return "\n".join([*head, *middle, *tail])


LONG_CODE = f"""\
Here is the whole course as a program. It has exactly {_LINES} lines, so it will take a while to come down:

```python
{_code()}
```

The **`@bend`** decorator collects the functions in the order of the course; `flow` then only has to follow it."""


# A table of 60 rows.

_RIVERS = """\
Nile,6650,Mediterranean|Amazon,6400,Atlantic|Yangtze,6300,East China Sea|Mississippi,3766,Gulf of Mexico
Yenisei,3487,Kara Sea|Yellow River,5464,Bohai Sea|Ob,3650,Kara Sea|Paraná,4880,Río de la Plata|Congo,4700,Atlantic
Amur,2824,Sea of Okhotsk|Lena,4294,Laptev Sea|Mekong,4350,South China Sea|Mackenzie,1738,Beaufort Sea
Niger,4180,Gulf of Guinea|Volga,3530,Caspian Sea|Murray,2508,Southern Ocean|Tocantins,2450,Atlantic
Indus,3180,Arabian Sea|Euphrates,2800,Persian Gulf|Madeira,3250,Amazon|Purus,3211,Amazon|Yukon,3190,Bering Sea
São Francisco,2830,Atlantic|Syr Darya,2212,Aral Sea|Salween,2800,Andaman Sea|Danube,2850,Black Sea
Brahmaputra,2900,Bay of Bengal|Ganges,2525,Bay of Bengal|Zambezi,2574,Indian Ocean|Orinoco,2250,Atlantic
Rio Grande,3051,Gulf of Mexico|Irrawaddy,2170,Andaman Sea|Colorado,2330,Gulf of California|Dnieper,2200,Black Sea
Don,1870,Sea of Azov|Tigris,1900,Persian Gulf|Columbia,2000,Pacific|Orange,2200,Atlantic|Kama,1805,Volga
Pechora,1809,Barents Sea|Limpopo,1750,Indian Ocean|Senegal,1641,Atlantic|Elbe,1094,North Sea|Rhine,1233,North Sea
Vistula,1047,Baltic Sea|Loire,1006,Atlantic|Tagus,1007,Atlantic|Dniester,1362,Black Sea|Meuse,925,North Sea
Ebro,930,Mediterranean|Oder,854,Baltic Sea|Rhône,813,Mediterranean|Seine,777,English Channel|Po,652,Adriatic
Douro,897,Atlantic|Garonne,529,Atlantic|Shannon,360,Atlantic
Severn,354,Bristol Channel|Thames,346,North Sea|信濃川,367,日本海"""


def _table() -> str:
    rivers = [river.split(",") for line in _RIVERS.split("\n") for river in line.split("|")]
    rows = [f"| {number} | **{name}** | {int(km):,} | {mouth} |" for number, (name, km, mouth) in enumerate(rivers, 1)]
    return "\n".join(["| # | River | Length (km) | Flows into |", "|---:|:---|---:|:---|", *rows])


LONG_TABLE = f"""\
Sixty rivers and where they go; measurements differ, so take the lengths as a beginning:

{_table()}

The last one, the *Shinano*, is short for this table, but the longest in its country."""


# Japanese, with emoji of every make.

_SENTENCES = (
    "川は山の雪から始まり、苔の下をくぐって、誰にも知られずに流れ出します。",
    "朝になると霧が立ち、カワセミが水面すれすれに飛んでいきます🐦。",
    "橋の下では音が集まって、まるで小さな演奏会のようです🎶。",
    "子どもたちは靴を脱いで、浅いところを渡っていきます👨‍👩‍👧‍👦。",
    "「どこへ行くの？」と石が聞くと、水は「まだ分からない」と答えました。",
    "夏の夕立のあと、虹🌈が谷の両側をつなぎました。",
    "秋には紅葉🍁が流れに落ち、いくつもの小さな舟になります。",
    "冬の岸辺は静かで、**氷**の下から水の声だけが聞こえます❄️。",
    "釣り人🎣は何も釣れなくても、一日じゅう機嫌がよさそうです。",
    "旗🇯🇵が揺れる町を過ぎると、川幅は急に広くなります。",
    "そして最後に海🌊へ出ると、名前は消えても、水はそのまま残ります。",
)


def _section(number: int) -> str:
    turned = [_SENTENCES[(number + place) % len(_SENTENCES)] for place in range(len(_SENTENCES))]
    return f"### 第{number}節\n\n" + "".join(turned)


JAPANESE = "# 川の話\n\n" + _grown(_section, 12_000)


# One line without any break.


def _drops(number: int) -> str:
    return f"drop {number}"


ONE_LINE = _grown(_drops, 9_000, joint=", ")[:8_999].rstrip(", ").ljust(8_999, "…") + "."


# A book: everything in turns.

_CHAPTERS: tuple[Callable[[int], str], ...] = (
    lambda n: (
        f"## Chapter {n}: water\n\nIn chapter {n} the river is **wide** and slow. It carries what {n} brooks have "
        "given it: sand, leaves, a bottle without a letter. Nobody on the bank can tell which drop came from which "
        "spring, and the river has long stopped asking. It has learned to be *patient* with bridges."
    ),
    lambda n: (
        f"## Chapter {n}: a list\n\n"
        + "\n".join(
            f"{place}. Place {n}.{place}: look for\n   - the *left* bank\n   - the right one" for place in range(1, 6)
        )
    ),
    lambda n: (
        f"## Chapter {n}: code\n\n```python\ndef chapter_{n}(depth: float) -> str:\n    if depth > {n}.0:\n"
        f'        return "swim, do not walk"  # learned in chapter {n}\n    return "walk"\n```'
    ),
    lambda n: (
        f"## Chapter {n}: a table\n\n| Gauge | Chapter {n} | Trend |\n|:---|---:|:---:|\n"
        + "\n".join(f"| km {n}.{row} | {n * row} cm | {'↗' if row % 2 else '↘'} |" for row in range(1, 8))
    ),
    lambda n: (
        f"## Chapter {n}: what was said\n\n> “Chapter {n} again,” said the ferryman.\n>\n> “It comes every year,” said "
        "the river.\n\nSee [the gauge](https://example.org/gauge_" + str(n) + "?unit=cm_per_s) for the figures."
    ),
)

BOOK = "# A river, in chapters\n\n" + _grown(lambda number: _CHAPTERS[number % len(_CHAPTERS)](number), 30_000)
