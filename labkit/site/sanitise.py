"""HTML that others wrote, made harmless; not a judgement of what it says.

Notebooks come from other machines, so the HTML in their outputs and their Markdown is untrusted. What passes is a list
of tags, attributes, CSS properties and link schemes; everything else is removed, with the contents of scripts, styles,
frames and forms. No image is loaded from elsewhere: only embedded bitmaps stay. The pages' Content-Security-Policy is
the second wall behind this one.

bleach, which is nbconvert's own sanitiser, decides. The pass before it only removes the contents of elements whose text
nobody should read (bleach would show a removed script's text); the one after it only adds: scrolling boxes, widths of
cells, names.
"""

import re
from collections.abc import Mapping
from typing import Final

import bleach
from bleach.css_sanitizer import CSSSanitizer
from bs4 import BeautifulSoup, NavigableString
from markupsafe import Markup

_SWALLOWED: Final = (
    "applet", "audio", "base", "button", "canvas", "dialog", "embed", "form", "frame", "frameset", "iframe", "input",
    "link", "math", "meta", "noembed", "noframes", "noscript", "object", "portal", "script", "select", "slot", "source",
    "style", "svg", "template", "textarea", "title", "track", "video", "xmp",
)  # fmt: skip
_TAGS: Final = frozenset({
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "details", "div", "dl",
    "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li",
    "mark", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strong", "sub", "summary", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var",
})  # fmt: skip
_CSS: Final = frozenset({
    "background-color", "border", "border-bottom", "border-color", "border-left", "border-right", "border-style",
    "border-top", "border-width", "color", "font-style", "font-variant-numeric", "font-weight", "max-width",
    "min-width", "padding", "padding-left", "padding-right", "text-align", "text-decoration", "vertical-align",
    "white-space", "width",
})  # fmt: skip
_EVERYWHERE: Final = frozenset({"title", "lang", "dir", "style"})
_BY_TAG: Final = {
    "td": frozenset({"colspan", "rowspan", "headers"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "ol": frozenset({"start"}),
    "img": frozenset({"alt", "width", "height"}),
    "details": frozenset({"open"}),
    "time": frozenset({"datetime"}),
}
#: Links are matched as they stand: an address spelt with entities or control characters is no address of ours.
_LINK: Final = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x20]+|#[\w.:-]*|(?!/)[\w./-]+(?:#[\w.:-]*)?")
_BITMAP: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
#: The classes that content keeps: those of labkit's and pandas's tables, and pygments' (``highlight``, ``k``, ``s1``).
#: All others belong to somebody's style sheet: the site's furniture, or plotly's, whose notes are fixed over the page.
_CLASS: Final = re.compile(
    r"labkit(?:-[a-z-]+)?|tex2jax_ignore|mathjax_ignore|dataframe|data|blank|index_name|(?:col|row)_heading|(?:row|col|level)\d+"
    r"|highlight|[a-z]{1,2}\d?"
)
#: Letters of a cell that is not broken, and of one that is given room to wrap.
_SHORT_CELL: Final = 26
_LONG_CELL: Final = 40


def is_bitmap(address: str) -> bool:
    """Return whether an address is that of a picture which carries itself and holds no markup."""
    return _BITMAP.fullmatch(address) is not None


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return all(_CLASS.fullmatch(word) for word in value.split())
    if tag == "a" and name == "href":
        return _LINK.fullmatch(value) is not None
    if tag == "img" and name == "src":
        return is_bitmap(value)
    return name in _EVERYWHERE or name in _BY_TAG.get(tag, frozenset())


_CLEANER: Final = bleach.Cleaner(
    tags=_TAGS,
    attributes=_allowed,
    protocols=frozenset({"http", "https", "mailto", "data"}),
    strip=True,
    strip_comments=True,
    css_sanitizer=CSSSanitizer(allowed_css_properties=_CSS),
)


def _tables_scroll(soup: BeautifulSoup) -> None:
    """Put each table into a box of its own that scrolls sideways, reachable by keyboard."""
    for table in soup.find_all("table"):
        if table.find_parent("table") is None:
            table.wrap(soup.new_tag("div", attrs={"class": "lk-scroll", "tabindex": "0", "role": "group"}))


def _sources_reached(soup: BeautifulSoup) -> None:
    """Let the keyboard reach each text that may scroll sideways."""
    for source in soup.find_all("pre"):
        source["tabindex"] = "0"


def _cells_sized(soup: BeautifulSoup) -> None:
    """Mark cells whose words stay on one line (names, versions, numbers), and those with text to wrap."""
    for cell in soup.find_all(["td", "th"]):
        length = len(cell.get_text())
        kind = "lk-short" if length <= _SHORT_CELL else "lk-long" if length > _LONG_CELL else None
        if kind is not None:
            cell["class"] = " ".join([*filter(None, cell.get_attribute_list("class")), kind])


def _images_said(soup: BeautifulSoup) -> None:
    """Put the description where an image was that may not be loaded."""
    for image in soup.find_all("img", src=False):
        image.replace_with(f"[{image['alt']}]" if image.get("alt") else "")


def _formulas_set(soup: BeautifulSoup, formulas: Mapping[str, tuple[str, Markup]]) -> None:
    """Put each formula where its word stands; in an attribute, where no element can be, its source."""
    words = re.compile(f"({'|'.join(map(re.escape, formulas))})")
    for text in soup.find_all(string=words):
        pieces = words.split(text)
        new = [
            *(
                BeautifulSoup(formulas[piece][1], "html.parser") if piece in formulas else NavigableString(piece)
                for piece in pieces
            )
        ]
        text.replace_with(*new)
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            if isinstance(value, str):
                tag[name] = words.sub(lambda found: formulas[found[0]][0], value)


def _headings_named(soup: BeautifulSoup, taken: set[str]) -> None:
    """Give each heading an id made of its words, so that it can be linked to."""
    for heading in soup.find_all(sorted(_HEADINGS)):
        words = re.sub(r"[^\w]+", "-", heading.get_text().lower()).strip("-")
        # "s-" keeps such an id from shadowing a global name that a script looks up (DOM clobbering)
        name = f"s-{words}" if words else ""
        if name and name not in taken:
            taken.add(name)
            heading["id"] = name


def clean(
    html: str, *, ids: set[str] | None = None, formulas: Mapping[str, tuple[str, Markup]] | None = None
) -> Markup:
    """Return HTML with only what is allowed, its tables in scrolling boxes.

    With ``ids``, those that the page has already (it is added to), headings become linkable. ``formulas`` gives, for
    each word that stands for one, its source and its own, trusted HTML.
    """
    rough = BeautifulSoup(html, "html.parser")
    for element in rough.find_all(list(_SWALLOWED)):
        element.decompose()
    soup = BeautifulSoup(_CLEANER.clean(str(rough)), "html.parser")
    for link in soup.find_all("a", href=re.compile("^https?:")):
        link["rel"] = "noopener noreferrer nofollow"
    _images_said(soup)
    if formulas:
        _formulas_set(soup, formulas)
    _tables_scroll(soup)
    _sources_reached(soup)
    _cells_sized(soup)
    if ids is not None:
        _headings_named(soup, ids)
    return Markup(str(soup))  # noqa: S704 - the one place where text becomes markup: all of it passed the list above
