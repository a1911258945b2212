"""Views that show themselves in a notebook: a table that cuts no text, and a piece of source code."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from labkit.words import Language, say

# JupyterLab sets every cell to the right; these are texts. Published pages have their own style and drop this one.
_STYLE = "<style>table.labkit th, table.labkit td { text-align: left !important; vertical-align: top }</style>"

#: What MathJax leaves alone: JupyterLab has it look for formulas in HTML, where $HOME/a:$TMPDIR would be one.
PLAIN = "tex2jax_ignore mathjax_ignore"


@dataclass(frozen=True)
class Table:
    """A frame to be read: every text whole, no index. ``frame`` is the frame itself."""

    frame: pd.DataFrame

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return _STYLE + self.frame.to_html(index=False, border=0, classes=f"labkit {PLAIN}", escape=True)

    def __repr__(self) -> str:
        with pd.option_context("display.max_colwidth", None, "display.width", 200):
            return self.frame.to_string(index=False)


@dataclass(frozen=True)
class Source:
    """The text of a file, shown as it is."""

    text: str

    def _repr_html_(self) -> str:
        return f'<pre class="labkit-source">{html.escape(self.text)}</pre>'

    def __repr__(self) -> str:
        return self.text


def text_frame(
    rows: Sequence[Mapping[str, str]], heads: Sequence[str], topic: str, language: Language | None = None
) -> pd.DataFrame:
    """Return rows of text (columns all str) under heads in the reader's language, whose ids are ``topic.head``."""
    frame = pd.DataFrame(rows, columns=pd.Index(heads), dtype="str")
    return frame.rename(columns={head: say(f"{topic}.{head}", language) for head in heads})
