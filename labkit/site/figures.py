"""plotly figures as data: what a page carries and the site's script draws; nothing is drawn or trusted here.

A figure leaves the notebook as ``application/vnd.plotly.v1+json`` and reaches the page as JSON in a script element of
type ``application/json``, which no browser runs. Its title becomes the caption, where it wraps on a phone, can be
searched and read aloud. Sizes, configuration and links to servers that the figure asks for are left behind.

What a figure may hold is what draws from its own numbers. Traces on maps load outlines or tiles from servers, so a
figure with one is none; subplots for maps, pictures from elsewhere, buttons and sliders (they set anything to anything)
and the modebar's additions are left out. Its texts are plotly's small markup: of its tags only links to the web and
plain styles keep their attributes.

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

from labkit.site.sanitise import is_bitmap

MIME: Final = "application/vnd.plotly.v1+json"
_SVG_EQUAL: Final = {"scattergl": "scatter", "scatterpolargl": "scatterpolar", "heatmapgl": "heatmap"}
_DEFAULT_HEIGHT_PX: Final = 420
_HEIGHTS_PX: Final = (120, 2400)
_BREAK: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)
#: Where a line in smaller letters begins, as titles had it before plotly knew subtitles.
_UNDER: Final = re.compile(r"<br\s*/?>(?=\s*<su[bp]>)", re.IGNORECASE)
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*>")
#: Traces that draw from their own numbers (https://plotly.com/javascript/reference/); those on maps are missing.
_TYPES: Final = frozenset({
    "bar", "barpolar", "box", "candlestick", "carpet", "cone", "contour", "contourcarpet", "funnel", "funnelarea",
    "heatmap", "histogram", "histogram2d", "histogram2dcontour", "icicle", "image", "indicator", "isosurface",
    "mesh3d", "ohlc", "parcats", "parcoords", "pie", "quiver", "sankey", "scatter", "scatter3d", "scattercarpet",
    "scatterpolar", "scattersmith", "scatterternary", "splom", "streamtube", "sunburst", "surface", "table", "treemap",
    "violin", "volume", "waterfall",
})  # fmt: skip
#: Left out wherever they stand, also in a template.
_LEFT_OUT: Final = frozenset({
    "__proto__", "constructor", "prototype", "frames", "geojson", "modebar", "sliders", "transforms", "updatemenus",
})  # fmt: skip
_ON_MAP: Final = re.compile(r"geo$|^choropleth|map$|mapbox$")
_MAP: Final = re.compile(r"(?:geo|map|mapbox)\d*")
#: As plotly finds the tags in a text.
_ANY_TAG: Final = re.compile(r"<(/?)([^\s<>/]*)([^<>]*)>")
_HREF: Final = re.compile(r"""(?:^|\s)href\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')""", re.IGNORECASE)
_WEB: Final = re.compile(r"https?://[^\s\x00-\x20\"'<>&]+")
_STYLED: Final = re.compile(r"""(?:^|\s)style\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')""", re.IGNORECASE)
_STYLE: Final = re.compile(r"(?:color|font-size|font-style|font-weight|text-decoration)\s*:\s*[\w#%., -]+")


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
    """Return a plotly title and what is written smaller under it, without plotly's own small markup.

    Breaks that only kept the title within the figure's width are none here: the page wraps it.
    """
    if isinstance(title, Mapping):
        subtitle = title.get("subtitle")
        return _caption(title.get("text")) + (_caption(subtitle) if isinstance(subtitle, Mapping) else ())
    if not isinstance(title, str):
        return ()
    lines = (" ".join(_BREAK.split(part)) for part in _UNDER.split(title))
    read = (" ".join(html.unescape(_TAG.sub("", line)).split()) for line in lines)
    return tuple(line for line in read if line)


def _attribute(pattern: re.Pattern[str], attributes: str) -> str:
    found = pattern.search(attributes)
    return "" if found is None else (found[1] or found[2] or "").strip()


def _tag(found: re.Match[str]) -> str:
    end, name, attributes = found[1], found[2], found[3]
    if not name[:1].isalpha():
        return found[0]  # a text with signs of less and more
    kept = ""
    if not end and name.lower() == "a" and _WEB.fullmatch(address := _attribute(_HREF, attributes)):
        kept = f' href="{address}"'
    if not end and name.lower() in {"a", "span"}:
        styles = [one.strip() for one in _attribute(_STYLED, attributes).split(";")]
        if plain := "; ".join(one for one in styles if _STYLE.fullmatch(one)):
            kept += f' style="{plain}"'
    return f"<{end}{name}{kept}>"


def _harmless(value: object) -> object:
    """Return a part of a figure without what loads, sends or sets; numbers and texts stay."""
    if isinstance(value, str):
        return _ANY_TAG.sub(_tag, value)
    if isinstance(value, list):
        return [_harmless(one) for one in value]
    if isinstance(value, Mapping):
        return {
            key: _harmless(inner)
            for key, inner in value.items()
            if not (key in _LEFT_OUT or (key == "source" and isinstance(inner, str) and not is_bitmap(inner)))
        }
    return value


def _height(layout: Mapping[str, object]) -> int:
    wanted = layout.get("height")
    if not isinstance(wanted, int | float) or isinstance(wanted, bool):
        return _DEFAULT_HEIGHT_PX
    return int(min(max(wanted, _HEIGHTS_PX[0]), _HEIGHTS_PX[1]))


def on_map(value: object) -> bool:
    """Return whether a figure is left out because it would be drawn on a map, whose outlines come from a server."""
    traces = value.get("data") if isinstance(value, Mapping) else None
    return isinstance(traces, list) and any(
        isinstance(trace, Mapping) and _ON_MAP.search(str(trace.get("type"))) is not None for trace in traces
    )


def read(value: object) -> Figure | None:
    """Return the figure in a notebook's output, or None when it is none that draws from its own numbers."""
    if not isinstance(value, Mapping) or not isinstance(value.get("data"), list):
        return None
    traces: list[object] = value["data"]
    layout = value.get("layout")
    layout = dict(layout) if isinstance(layout, Mapping) else {}
    caption = _caption(layout.pop("title", None))
    height = _height(layout)
    for dropped in ("width", "height", "autosize", *filter(_MAP.fullmatch, list(layout))):
        layout.pop(dropped, None)
    try:
        drawn = []
        for trace in traces:
            kind = str(trace.get("type") or "scatter") if isinstance(trace, dict) else ""
            kind = _SVG_EQUAL.get(kind, kind)
            if kind not in _TYPES or not isinstance(trace, dict):
                return None
            drawn.append(trace | {"type": kind})
        figure = _harmless({"data": drawn, "layout": layout})
        return Figure(caption=caption, json=script_safe(figure), height_px=height)
    except (ValueError, TypeError, RecursionError):
        return None
