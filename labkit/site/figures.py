"""plotly figures as data: what a page carries and the site's script draws; nothing is drawn or trusted here.

A figure leaves the notebook as ``application/vnd.plotly.v1+json`` and reaches the page as JSON in a script element of
type ``application/json``, which no browser runs. Its title becomes the caption, where it wraps on a phone, can be
searched and read aloud. Sizes, configuration and links to servers that the figure asks for are left behind.

WebGL traces become their SVG equals: plotly compiles WebGL shaders with ``new Function``, which the pages'
policy forbids.
"""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

MIME: Final = "application/vnd.plotly.v1+json"
_SVG_EQUAL: Final = {"scattergl": "scatter", "scatterpolargl": "scatterpolar", "heatmapgl": "heatmap"}
_DEFAULT_HEIGHT_PX: Final = 420
_HEIGHTS_PX: Final = (120, 2400)
_BREAK: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*>")


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One figure: caption lines, JSON that is safe within a script element, and the height to keep free for it."""

    caption: tuple[str, ...]
    json: Markup
    height_px: int


def script_safe(value: object) -> Markup:
    """Return JSON that cannot end the script element it stands in, nor open a comment in it.

    Raises:
        ValueError: A number is not finite.

    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - holds no character that HTML would read


def _caption(title: object) -> tuple[str, ...]:
    """Return the lines of a plotly title, without plotly's own small markup."""
    if isinstance(title, Mapping):
        subtitle = title.get("subtitle")
        return _caption(title.get("text")) + (_caption(subtitle) if isinstance(subtitle, Mapping) else ())
    if not isinstance(title, str):
        return ()
    lines = (html.unescape(_TAG.sub("", line)).strip() for line in _BREAK.split(title))
    return tuple(line for line in lines if line)


def _height(layout: Mapping[str, object]) -> int:
    wanted = layout.get("height")
    if not isinstance(wanted, int | float) or isinstance(wanted, bool):
        return _DEFAULT_HEIGHT_PX
    return int(min(max(wanted, _HEIGHTS_PX[0]), _HEIGHTS_PX[1]))


def read(value: object) -> Figure | None:
    """Return the figure in a notebook's output, or None when it is no figure."""
    if not isinstance(value, Mapping) or not isinstance(value.get("data"), list):
        return None
    traces: list[object] = value["data"]
    if not all(isinstance(trace, dict) for trace in traces):
        return None
    layout = value.get("layout")
    layout = dict(layout) if isinstance(layout, Mapping) else {}
    caption = _caption(layout.pop("title", None))
    height = _height(layout)
    for dropped in ("width", "height", "autosize"):
        layout.pop(dropped, None)
    drawn = [
        trace | {"type": _SVG_EQUAL.get(str(trace.get("type")), trace.get("type", "scatter"))}
        for trace in traces
        if isinstance(trace, dict)
    ]
    try:
        return Figure(caption=caption, json=script_safe({"data": drawn, "layout": layout}), height_px=height)
    except (ValueError, TypeError, RecursionError):
        return None
