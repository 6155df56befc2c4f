r"""Formulas as text, and never with a part lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.formulas import readable, subscript, superscript


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\frac{a}{b}", "a/b"),
        (r"\frac{-b \pm \sqrt{b^2-4ac}}{2a}", "(-b ± √(b²-4ac))/2a"),
        (r"\sum_{i=1}^{n} i", "∑ᵢ₌₁ⁿ i"),
        (r"\int_0^\infty e^{-x^2}\,dx", "∫₀^∞ e^(-x²) dx"),
        (r"x_{n+1} \leq y_{ij}", "xₙ₊₁ ≤ yᵢⱼ"),
        (r"O(n \log n)", "O(n log n)"),
        (r"\log_2 n + \sin^2\theta", "log₂ n + sin²θ"),
        (r"\mathbb{R}^n \to \mathcal{L}", "ℝⁿ → ℒ"),
        (r"\text{if } x \neq 3", "if x ≠ 3"),
        (r"\left( \frac{1}{2} \right.", "( 1/2"),
        (r"\hat{x} + \vec{v}", "x̂ + v⃗"),
        (r"\frac{\partial f}{\partial x}", "(∂f)/(∂x)"),
        (r"90^\circ, f'(x), 50\%", "90°, f′(x), 50%"),
        (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", "(a b; c d)"),
        (r"f = \begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}", "f = {1 x > 0; 0 else"),
        (r"\begin{aligned} a &= b \\ &= c \end{aligned}", "a = b\n= c"),
        (r"\sqrt[3]{x} \sqrt[n]{x+1}", "∛x ⁿ√(x+1)"),
        (r"\binom{n}{k} \xrightarrow{f} \mathbf{X}^\top", "C(n, k) →[f] Xᵀ"),
    ],
)
def test_reads_well(latex: str, text: str):
    assert readable(latex) == text


@pytest.mark.parametrize("latex", [r"\unheard{x}", r"\frac{a}", "{x", "x}", "x^", r"\begin{tikz}\end{tikz}", "", r"\\"])
def test_what_it_cannot_read_is_left_alone(latex: str):
    assert readable(latex) is None


@given(st.text(alphabet=r"\{}^_&ab12 +-=[]()'~|" + "\n", max_size=40))
def test_no_letter_or_digit_is_lost(latex: str):
    text = readable(latex)
    if text is not None and "\\" not in latex:
        raised = {**{superscript(c): c for c in "ab12"}, **{subscript(c): c for c in "a12"}}
        plain = "".join(raised.get(char, char) for char in text)
        assert [c for c in plain if c in "ab12"] == [c for c in latex if c in "ab12"]


def test_a_deeply_nested_formula_is_left_alone():
    assert readable("{" * 500 + "x" + "}" * 500) is None
    assert readable("\\hat" * 500 + "x") is None
