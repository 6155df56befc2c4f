"""What LaTeX's commands are called and what they look like as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from pylatexenc.latex2text import get_default_latex_context_db

SUPERSCRIPTS = dict(
    zip(
        "0123456789+-=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδθφχ−′∘°*⊤†",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ⁻′°°*ᵀ†",
        strict=True,
    )
)
SUBSCRIPTS = dict(zip("0123456789+-=()aehijklmnoprstuvxβγρφχ−", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ₋", strict=True))


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


FUNCTIONS = _names(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp lim max min sup inf det dim gcd ker deg "
    "arg argmax argmin Pr hom mod bmod limsup liminf"
)
STYLES = _names(
    "mathrm mathbf mathit mathsf mathtt mathnormal operatorname boldsymbol bm mathfrak boxed underbrace overbrace "
    "textbf textit textrm textsf texttt emph mbox hbox text underline ensuremath substack smash"
)
SILENT = _names(
    "left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr displaystyle textstyle limits "
    "scriptstyle nolimits nonumber notag bf rm it cal hline"
)
SILENT_WITH_ARGUMENT = {"label", "hspace", "vspace", "color", "phantom", "hphantom", "vphantom"}
SPACES = {",": " ", ";": " ", ":": " ", " ": " ", ">": " ", "quad": "  ", "qquad": "  ", "!": "", "enspace": " "}
ACCENTS = {
    **dict.fromkeys(("hat", "widehat"), "\u0302"),
    **dict.fromkeys(("tilde", "widetilde"), "\u0303"),
    **dict.fromkeys(("vec", "overrightarrow"), "\u20d7"),
    "bar": "\u0304",
    "overline": "\u0305",
    "dot": "\u0307",
    "ddot": "\u0308",
}
ARROWS = {"xrightarrow": "→", "xleftarrow": "←", "xRightarrow": "⇒"}
BRACKETS = {
    "matrix": "[]",
    "smallmatrix": "[]",
    "array": "[]",
    "pmatrix": "()",
    "bmatrix": "[]",
    "Bmatrix": "{}",
    "vmatrix": "||",
    "Vmatrix": "‖‖",
    "cases": "{ ",
}
LINES = {"aligned", "align", "align*", "gather", "gather*", "gathered", "split", "equation", "equation*", "multline"}
ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}


class _Symbol(Protocol):
    macroname: str
    simplify_repl: object


def _symbols() -> dict[str, str]:
    table: dict[str, str] = {}
    database: Any = get_default_latex_context_db()
    specs: Iterable[_Symbol] = database.iter_macro_specs()
    for spec in specs:
        if isinstance(spec.simplify_repl, str) and len(spec.simplify_repl) == 1:
            table[spec.macroname] = spec.simplify_repl
    more = "ne≠ neq≠ implies⟹ iff⟺ Reℜ Imℑ degree° land∧ lor∨ neg¬ lnot¬ colon: triangle△ checkmark✓ models⊨ bot⊥ gets←"
    table.update((entry[:-1], entry[-1]) for entry in more.split())
    return table | {char: char for char in "%$#&_{}"} | {"|": "‖", "varphi": "φ", "epsilon": "ε", "cdots": "⋯"}


SYMBOLS = _symbols()
