"""Formulas of notebooks as MathML, which a browser draws by itself: no script, no font from elsewhere.

What a converter makes of LaTeX that others wrote is not trusted: its elements are made anew from lists of names and
values, so that no address, style, script or identifier passes. A formula that cannot be read stays the text it is.
"""

import html
import re
from typing import Final
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element
from markupsafe import Markup

#: A macro may stand for itself many times over; no formula of a notebook's needs one of its own.
_DEFINES: Final = re.compile(r"\\(?:def|[a-zA-Z]*newcommand|renewcommand|providecommand|let)\b")
#: MathML Core's elements of presentation, without those that carry a link, a script's hook or foreign content.
_ELEMENTS: Final = frozenset({
    "menclose", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "ms", "mspace", "msqrt",
    "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
})  # fmt: skip
_ATTRIBUTES: Final = frozenset({
    "accent", "columnalign", "columnlines", "columnspacing", "depth", "displaystyle", "fence", "form", "height",
    "largeop", "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "rowlines",
    "rowspacing", "rspace", "scriptlevel", "separator", "stretchy", "symmetric", "width",
})  # fmt: skip
#: Words and short lengths: nothing is moved far, and hardly anything backwards over what stands before it.
_WORD: Final = (
    r"(?:[a-z][a-z-]{0,30}|[+-]?\d|-?0?\.\d+(?:em|ex|px|pt|%)?|\d{1,2}(?:\.\d+)?(?:em|ex|px|pt|mu)?|\d{1,3}%)"
)
_VALUE: Final = re.compile(rf"{_WORD}(?: {_WORD}){{0,20}}", re.IGNORECASE)
#: Longer ones are somebody's mistake or malice.
_MOST_LETTERS: Final = 2_000
_MOST_ELEMENTS: Final = 5_000
_DOLLARS: Final = re.compile(r"\$\$(.+)\$\$|\$([^$]+)\$", re.DOTALL)
_BRACKETS: Final = re.compile(r"\\\[(.+)\\\]|\\\((.+)\\\)", re.DOTALL)


class _NoFormulaError(ValueError):
    """A text that is empty, has too many parts, or defines something."""


def _anew(element: Element, left: list[int]) -> Markup:
    left[0] -= 1
    if left[0] < 0:
        raise _NoFormulaError
    inside = Markup("").join(
        [
            html.unescape(element.text or ""),
            *(part for child in element for part in (_anew(child, left), html.unescape(child.tail or ""))),
        ]
    )
    if element.tag not in _ELEMENTS:
        return Markup("<mrow>{}</mrow>").format(inside)
    kept = sorted((name, value) for name, value in element.items() if name in _ATTRIBUTES and _VALUE.fullmatch(value))
    named = Markup("").join(Markup(' {}="{}"').format(name, value) for name, value in kept)
    return Markup("<{0}{1}>{2}</{0}>").format(element.tag, named, inside)


def _drawn(source: str, *, display: bool) -> Markup:
    if not source or len(source) > _MOST_LETTERS or _DEFINES.search(source):
        raise _NoFormulaError
    root = convert_to_element(source, display="block" if display else "inline")
    left = [_MOST_ELEMENTS]
    return Markup("").join(_anew(child, left) for child in root)


def mathml(latex: str, *, display: bool = False) -> Markup:
    """Return a formula as a ``<math>`` element, or its source as code where it cannot be read.

    ``display`` sets it on a line of its own, in a box that scrolls sideways.
    """
    source = latex.strip()
    try:
        drawn = _drawn(source, display=display)
    except Exception:  # noqa: BLE001 - a formula that is none ends the converter in some twenty ways, StopIteration too
        return Markup('<code class="lk-formula">{}</code>').format(latex)
    # the source is the name that a browser without MathML, and one that reads aloud, falls back on
    if display:
        return Markup(
            '<span class="lk-scroll lk-formula" tabindex="0" role="group">'
            '<math display="block" alttext="{}">{}</math></span>'
        ).format(source, drawn)
    return Markup('<math alttext="{}">{}</math>').format(source, drawn)


def of_output(latex: str) -> Markup:
    """Return what an output of the type ``text/latex`` shows: its formula without the signs that open and close it."""
    source = latex.strip()
    for signs in (_DOLLARS, _BRACKETS):
        found = signs.fullmatch(source)
        if found:
            return mathml(found[1] or found[2], display=bool(found[1]))
    return mathml(source, display=True)
