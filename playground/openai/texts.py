"""What the built-in assistant knows by heart."""

from __future__ import annotations

HELLO = """\
Hello! 👋 I'm **Rivulet**, or rather the little scripted voice that stands in for a model while you look around.

You are watching an answer *stream*: I say one word after the other, and the message you are reading is edited \
while I speak. Try one of these:

- `show me some code` for a code block,
- `a table, please` for a table,
- `tell me a long answer` for one that does not fit into a single message,
- `my name is Ada`, and a little later `what is my name?`

Ask me for `help` if you would like to see me fail in interesting ways."""

HELP = """\
## What I can do

I am the playground's assistant. I don't think, but I do stream, and I remember what you told me in this conversation.

| Say something with | and you get |
|---|---|
| **code** | a Python function with an explanation |
| **table** | three rivers side by side |
| **long** | a text that goes on over several messages |
| **story** | a short story about a stream |
| **list** | a numbered list with points inside it |
| **my name is …** | someone who remembers you |
| **rich** | every construct of Markdown at once |
| **400 lines** | a code block that long |
| **60 rows** | a table that long |
| **japanese** | 12,000 characters of it, with emoji |
| **one line** | 9,000 characters without a break |
| **book** | 30,000 characters of everything |

### How to make me fail

Write `fault:` and one of these words, for instance `fault: cut`:

- *before the first word*: `429`, `credit`, `401`, `403`, `404`, `500`, `503`, `context`
- *in the middle*: `cut`, `stall`, `error`, `nested error`, `failed`, `silent end`, `incomplete`, `filter`
- *in my own words*: `refusal`

What has already been said should stay on your screen every time."""

CODE = """\
Here is a small one: it follows a stream downhill, always stepping to the lowest neighbour, until it reaches a \
hollow or the edge of the map.

```python
from collections.abc import Iterator


def follow(heights: list[list[int]], row: int, column: int) -> Iterator[tuple[int, int]]:
    \"\"\"Yields every square that the water runs through.\"\"\"
    while True:
        yield row, column
        lowest = min(neighbours(heights, row, column), key=lambda place: heights[place[0]][place[1]])
        if heights[lowest[0]][lowest[1]] >= heights[row][column]:
            return  # a hollow: this is where a lake begins
        row, column = lowest


def neighbours(heights: list[list[int]], row: int, column: int) -> list[tuple[int, int]]:
    around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
    return [(r, c) for r, c in around if 0 <= r < len(heights) and 0 <= c < len(heights[0])]
```

Three things to notice:

1. `follow` is a *generator*, so you can draw the stream while it is still running.
2. The comparison is `>=`, not `>`: on a plateau the water stops instead of running in circles.
3. `neighbours` knows the edge of the map, so `follow` does not have to.

Call it with `list(follow(heights, 0, 0))` and you have the whole course."""

TABLE = """\
Three rivers, side by side:

| River | Length | Source | Mouth | Known for |
|:---|---:|:---|:---|:---|
| Danube | 2,850 km | Black Forest | Black Sea | touching ten countries |
| Loire | 1,006 km | Massif Central | Atlantic | its castles and sandbanks |
| Shannon | 360 km | Cuilcagh | Atlantic | wide lakes on its way |

The **Danube** is the longest of them by far, but the **Loire** may well be the most unruly: in a dry August you \
can walk across it in places, and in February it takes whole islands along."""

LIST = """\
Here is how to get to know a stream:

1. **Find where it begins.** On the map it is the end of the thin blue line; outside it is usually a wet meadow.
   - Wear boots.
   - Look for rushes and marsh marigolds: they know where the water is.
2. **Walk with it, not against it.** You will see it grow, which is the whole point.
3. **Stop at every inflow.** Ask three questions:
   - Is it colder or warmer?
   - Is it clearer?
   - Who drinks from it?
4. **Listen under a bridge.** Arches keep the sound together.
5. **Let it go at the mouth.** Whatever it joins has another name, but it is still the same water.

*Half a day is enough for a small one.*"""

STORY = """\
## The stream that wanted to be seen

High above the village there was a spring so small that it had no name. It came out under a stone, ran three \
steps through the moss, and was gone again.

“Nobody knows me,” it said to the stone.

“Then keep going,” said the stone, who had never gone anywhere and was good at advice.

So the stream kept going. It ran under the moss and under the heather, in the dark, and every few steps it met \
another one like itself: a trickle from the snow, a drip from the cliff, a bit of last night's rain. None of \
them had a name either. They did not speak much. They just went on together, and it became a little less dark.

One morning, at the edge of the wood, they came out into the light. There was a girl sitting on the bank with \
her shoes off.

“Oh,” she said. “Has this always been here?”

“**Always**,” said the stream, and it was nearly true."""

_LONG_PARTS = (
    """\
# From the spring to the sea

You asked for something long, so let us follow a river all the way. It takes a while, but rivers do.""",
    """\
## 1. The spring

A river does not begin with water. It begins with a slope, and with ground that cannot hold what falls on it. \
Rain sinks in until it meets something tight, a layer of clay or a shelf of rock, and there it turns sideways. \
Where the slope cuts that layer, the water comes out again, often years after it fell. That is why a good spring \
runs evenly through a dry summer: what you drink in August may be the snow of a winter you have long forgotten.

Springs are cold in summer and mild in winter, because the ground is. If you hold a thermometer into one, you \
read the mean temperature of the year, and you can tell how high up the rain fell by how much colder it is than \
the valley.""",
    """\
## 2. The brook

The first kilometres are the steepest. A brook has little water but a lot of fall, and it spends it all on noise:

- it drops over **steps** of stones and logs, a metre down for every few metres forward;
- it digs **pools** below each step, where the trout wait;
- it carries **gravel** only on a few wild days a year, and rests on all the others.

Nearly all life here is upside down. The larvae of mayflies and caddisflies sit under the stones, where the \
current does not reach them, and graze at night. Whoever turns a stone carefully sees more animals in a minute \
than in a whole walk along the bank. Put it back the way it was.""",
    """\
## 3. The river

When two brooks of about the same size meet, hydrologists give the result a higher *order*. A river of the sixth \
order has hundreds of springs behind it. It is slower than a brook in its fall but not in its flow: less \
friction, more depth, and a mean speed that is often higher than that of the rushing little brook in the hills.

| Order | Typical width | Typical bed | You would cross it |
|---|---|---|---|
| 1 | 0.5 m | stones, moss | with a step |
| 3 | 6 m | gravel | in rubber boots |
| 5 | 40 m | gravel, sand | by swimming |
| 7 | 300 m | sand, mud | on a bridge |

A river also begins to **meander**. The reason is charmingly simple: water on the outside of a bend is faster, \
so it digs; on the inside it is slower, so it drops what it carries. Every bend therefore grows, until it nearly \
meets itself and a flood takes the short cut. The old loop stays behind as a lake in the shape of a \
horseshoe.""",
    """\
## 4. The measure of it

The one number that everybody asks for is the *discharge*: how much water passes in a second. You can estimate \
it yourself with a stick, a watch and a tape:

```python
def discharge(width: float, depth: float, seconds: float, distance: float = 10.0) -> float:
    \"\"\"Cubic metres a second, from a float that drifted `distance` metres in `seconds`.\"\"\"
    surface_speed = distance / seconds
    mean_speed = 0.85 * surface_speed  # the bed holds the lower layers back
    return width * depth * mean_speed


print(f"{discharge(width=6.0, depth=0.4, seconds=12.5):.2f} m³/s")  # 1.63 m³/s
```

Not very exact, but better than most guesses, and it makes you look at the water for a quarter of an hour.""",
    """\
## 5. The flood

> The river is not out of its bed. It is in its other bed.

A flood plain is called so because it floods. It stores in a week what would otherwise arrive in a day, it lets \
the water drop its mud on the meadows, and it fills the ground below. Where dikes have cut the plain off, the \
same rain makes a higher wave. In many places people now move the dikes *back* again, which costs a field or two \
and spares a town.""",
    """\
## 6. The mouth

In the end the slope runs out. The river slows, drops the last and finest of its load, and splits into arms \
around what it has dropped. Twice a day the sea pushes in below, because salt water is heavier, and the fresh \
water slides out above it. Eels cross that border without noticing; sturgeons used to.

And then there is no river any more, only a stretch of sea that is a little less salt than the rest. Some of it \
is already on its way up again. Give it a few days, and it will be a cloud over a slope, looking for a place to \
begin.""",
    """\
---

**In short:** a river is rain that takes its time. If you would like to see a shorter answer, ask me for a \
*table* or a *list*; and if you want to know whether I was listening, ask me what you asked before.""",
)
LONG = "\n\n".join(_LONG_PARTS)

NICE_TO_MEET = "Nice to meet you, **{name}**! I will remember that as long as this conversation lasts."
YOUR_NAME = "You are **{name}**; you told me so earlier in this conversation."
SHOWN_NAME = "You write here as **{name}**. Tell me `my name is …` if you would like to be called something else."
NO_NAME = "You haven't told me yet, not in this conversation at least. Say `my name is …` and I will remember it."
EARLIER = "Before this you said:\n\n{question}\n\nI keep the whole conversation in mind, so you can refer to it."
NOTHING_EARLIER = "Nothing yet: this conversation begins with your question."
THANKS = "You're welcome! 🌊 Is there anything else that you would like to see flow by?"
EMPTY = "You sent me a message without words. I am all ears."
TOOL = "The function has answered:\n\n```json\n{output}\n```\n\nThat is all I needed to know."
REFUSAL = "I'm sorry, but I can't help with that."
FAULTY = """\
You asked me to fail, so I will begin as if nothing were wrong: the water is clear, the banks are green, and \
every word arrives one after the other, as it should. Somewhere about here it may stop. What you have read so \
far must stay on your screen, whatever happens next, and below it there should be a line that says in plain \
words what went wrong. If you can read this last sentence as well, then the fault was one that lets the answer \
come to its end."""

DEFAULTS = (
    """\
You wrote:

{question}

I am only a scripted stand-in, so I have no opinion on that, but I can show you **how an answer looks while it \
flows**: ask me for `code`, a `table`, a `list`, a `story` or something `long`. With a real key in \
`OPENAI_API_KEY` a real model answers here instead.""",
    """\
Let me make sure I heard you right:

{question}

A model would think about it now. What I can do is *remember*: ask me what you asked before, or tell me your \
name and see whether I still know it three questions later.""",
    """\
That is a good one:

{question}

I'd rather not make something up. If you are curious how this channel copes with trouble, write `fault: cut` or \
`fault: stall`; if you would rather see something pleasant, ask for a `story`.""",
)
