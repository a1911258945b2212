"""A comparison's page as one file: parts within a frame, and a policy by which only the file's own two scripts run.

Names of machines and benchmarks come from others. As text they are escaped, in figures they are data that no browser
runs; plotly's small markup keeps its tags and loses their attributes, so that a name is no link and no style.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Final

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from labkit.words import Language

_TAG: Final = re.compile(r"<(/?[^\s<>/]+)[^<>]*>")
_TABLE: Final = re.compile(r"<table\b.*?</table>", re.DOTALL)
_HEIGHT_PX: Final = 450
_LANGUAGES: Final = {Language.ENGLISH: "en", Language.CHINESE: "zh-Hans"}
_STYLE: Final = (
    "body{font-family:sans-serif;margin:1em;color:#1c2128;background:#fff}"
    ".scroll{overflow-x:auto;max-width:100%}table{border-collapse:collapse}"
    "td,th{padding:.2em .6em;border-bottom:1px solid #ccc;min-width:6em;max-width:26em;overflow-wrap:anywhere}"
    "pre{white-space:pre-wrap}"
)
_DRAW: Final = """
for (const place of document.querySelectorAll("[data-figure]")) {
  const figure = JSON.parse(place.nextElementSibling.textContent);
  Plotly.newPlot(place, figure.data, figure.layout, {responsive: true, displaylogo: false});
}
"""


def figure_part(figure: go.Figure) -> str:
    """Return a figure as a place and its data, which the page's script draws into it."""
    drawn = json.loads(figure.to_json())
    text = json.dumps(_plain(drawn), ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    title = drawn["layout"].get("title", {}).get("text", "")
    label = html.escape(_TAG.sub(" ", title), quote=True)
    height = int(drawn["layout"].get("height", _HEIGHT_PX))
    place = f'<div data-figure role="group" aria-label="{label}" style="height:{height}px"></div>'
    return f'{place}<script type="application/json">{text}</script>'


def whole(title: str, parts: Sequence[str], language: Language | None) -> str:
    """Return the page of these parts (HTML, their texts escaped); it opens without a network and asks for nothing."""
    plotly = get_plotlyjs().replace("</script", "<\\/script")
    body = _TABLE.sub(lambda found: f'<div class="scroll" tabindex="0">{found[0]}</div>', "\n".join(parts))
    policy = (
        f"default-src 'none'; script-src {_hash(plotly)} {_hash(_DRAW)}; style-src 'unsafe-inline';"
        " img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return (
        f'<!DOCTYPE html><html lang="{_LANGUAGES[language or Language.ENGLISH]}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><meta name="referrer" content="no-referrer">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body><main>{body}</main>"
        f"<script>{plotly}</script><script>{_DRAW}</script></body></html>\n"
    )


@cache
def _hash(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _plain(value: object) -> object:
    """Return figure data whose texts' tags have no attributes."""
    if isinstance(value, str):
        return _TAG.sub(r"<\1>", value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value
