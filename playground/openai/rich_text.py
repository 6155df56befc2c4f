"""One answer with every construct that models write, and with what must never act."""

from __future__ import annotations

RICH = r"""# Everything at once

Some **bold**, *italic*, ***both***, ~~gone~~, `code with | and *stars*`, ``a ` in code`` and <u>HTML underline</u>.
Words keep their_own_underscores and 2 * 3 * 4 = 24; so do addresses: https://example.org/a_b_c?x=*y*&z=(1) is bare,
[this one](https://example.org/wiki/River_(disambiguation) "with a title") has a name, <https://example.org/angle>
stands in brackets, and [that one][ref] is defined further down.\
This line follows a hard break. \*Escaped\*, &amp; entities, a < b && c > d.

Setext heading
--------------

## Second level
### Third level
#### Fourth level
##### Fifth level
###### Sixth level

- a list
  - inside it another
    - and a third level
      with a second line
- [x] a task that is done
- [ ] one that is open
* another bullet

1. first
2. second
   1. second, a

      ```bash
      echo "a fence in a list" | tee /dev/null
      ```
10. tenth

> A quote with **bold**.
>
> > And one inside it.
>
> ```json
> {"a fence": ["in a quote"]}
> ```

````markdown
A longer fence around a shorter one:

```python
print("```")
```
````

~~~
tildes work as well
~~~

    and so does indentation

| River | 名前 | Length | Mood |
|:------|:----:|-------:|------|
| Danube | ドナウ川 | 2,850 km | calm 😌 |
| Loire | `ロワール川` | 1,006 km | **wild** 🌊 |
| a \| b | | 0 | [link](https://example.org/x_y) |
| a family | 👨‍👩‍👧‍👦 | 🇯🇵 | é as two code points |

![A picture of a river](https://example.org/river.png)

---

A footnote[^1], some maths: $E = mc^2$ and

$$
\int_0^\infty e^{-x^2}\,dx = \frac{\sqrt{\pi}}{2}
$$

<details>
<summary>HTML</summary>
It <b>looks</b> raw where nobody knows it.<br>
</details>

Right to left: النهر يجري إلى البحر, and הנהר זורם אל הים. Zero width: a​b.

Nobody is called by this: @everyone, @here, <@1234567890>, <@&42>, <@U1000000002>, <!channel>, <!here>, `<!channel>`,
||a spoiler||, -# no subtext, <https://example.org/evil|your bank>.

-# this would be small on Discord

>>> and this would quote the rest

[ref]: https://example.org/reference "by reference"
[^1]: The footnote itself.
"""
