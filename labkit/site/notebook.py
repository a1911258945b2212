"""An executed notebook as the parts of a page; how it ended is for the run's record to say.

The file is read as plain JSON, for it may come from another machine and be damaged: what cannot be read becomes a note
on the page, never a page that fails. nbconvert gives the Markdown, the colours of code and of terminal output; its
templates are not used, because they escape nothing of their own accord. Prompts are left out. Formulas in Markdown and
in outputs of the type ``text/latex`` become MathML, which needs no script.
"""

import base64
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from markupsafe import Markup
from nbconvert.filters.ansi import ansi2html, strip_ansi
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath

from labkit.site import figures, formulas
from labkit.site.sanitise import clean

_FORMAT: Final = 4  # nbformat's major version, unchanged since 2014
_BITMAPS: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
_SVG: Final = "image/svg+xml"
#: The cells that papermill adds on a failure; the page's banner says it instead.
_PAPERMILL_ERROR_TAG: Final = "papermill-error-cell-tag"
#: Data that travels in outputs and is not meant for eyes: scrapbook's.
_SCRAP: Final = "application/scrapbook."
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=\s]*")
_OPERATING_SYSTEM_COMMAND: Final = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]")

_highlight: Final = Highlight2HTML(pygments_lexer="python3")  # type: ignore[no-untyped-call]


class _RawOutput(msgspec.Struct):
    output_type: str
    name: str = "stdout"
    text: str | list[str] = ""
    data: dict[str, object] = {}
    ename: str = ""
    evalue: str = ""
    traceback: list[str] = []


class _RawCell(msgspec.Struct):
    cell_type: str
    source: str | list[str] = ""
    outputs: list[_RawOutput] = []
    execution_count: int | None = None
    metadata: dict[str, object] = {}
    attachments: dict[str, dict[str, object]] = {}


class _RawNotebook(msgspec.Struct):
    nbformat: int
    cells: list[_RawCell]


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """One output, of which exactly one field is set (``traceback`` goes with ``error``)."""

    html: Markup | None = None
    text: Markup | None = None
    stderr: Markup | None = None
    image: str | None = None  # a data: address
    figure: figures.Figure | None = None
    left_out: str | None = None  # why a figure is: "broken" or "map"
    error: str | None = None
    traceback: Markup | None = None
    not_shown: str | None = None  # a MIME type


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One cell: prose, or code with its outputs."""

    prose: Markup | None = None
    code: Markup | None = None
    ran: bool = True
    failed: bool = False
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Notebook:
    """A notebook's cells; ``unreadable`` says why there are none."""

    cells: tuple[Cell, ...] = ()
    unreadable: str | None = None

    @property
    def figures(self) -> tuple[figures.Figure, ...]:
        """Return the figures that the page draws, in its order."""
        shown = (output.figure for cell in self.cells for output in cell.outputs)
        return tuple(figure for figure in shown if figure is not None)

    @property
    def figure_count(self) -> int:
        """Return how many figures the page draws."""
        return len(self.figures)

    @property
    def failed(self) -> bool:
        """Return whether a cell shows an error."""
        return any(cell.failed for cell in self.cells)


def _joined(text: object) -> str:
    if isinstance(text, list):
        return "".join(part for part in text if isinstance(part, str))
    return text if isinstance(text, str) else ""


def _plain(text: str) -> str:
    return str(strip_ansi(text)).replace("\x1b", "")  # type: ignore[no-untyped-call]


def _last_written(text: str) -> str:
    """Return each line as it stands after what was written over itself; a line may have millions of letters."""
    *lines, last = text.split("\n")
    ends = [line.endswith("\r") for line in lines]  # the sign of a line's end, as Windows writes it
    kept = [line.removesuffix("\r").rpartition("\r")[2] + "\r" * end for line, end in zip(lines, ends, strict=True)]
    return "\n".join([*kept, last.rpartition("\r")[2]])


def terminal(text: str) -> Markup:
    """Return terminal output as HTML: colours kept, lines that were overwritten left out, all else escaped."""
    seen = _CONTROL.sub("", _last_written(_OPERATING_SYSTEM_COMMAND.sub("", text)))
    try:
        shown = str(ansi2html(seen))  # type: ignore[no-untyped-call]
    except (ValueError, IndexError):  # a sequence that is no colour
        return Markup.escape(_plain(seen))
    return Markup(shown.replace("\x1b", ""))  # noqa: S704 - ansi2html escapes before it adds its own spans


class _Renderer(IPythonRenderer):
    """nbconvert's, with a word of its own in each formula's place: the formulas come in when all else is harmless."""

    def __init__(self, attachments: dict[str, dict[str, str]]) -> None:
        super().__init__(escape=False, exclude_anchor_links=True, attachments=attachments)
        #: Nobody who writes Markdown can know it.
        self._word = f"formula{secrets.token_hex(16)}n"
        self.formulas: dict[str, tuple[str, Markup]] = {}

    def _kept(self, latex: str, *, display: bool) -> str:
        word = f"{self._word}{len(self.formulas)}x"
        self.formulas[word] = (latex, formulas.mathml(latex, display=display))
        return word

    def block_math(self, body: str) -> str:
        return self._kept(body, display=True)

    def inline_math(self, body: str) -> str:
        if body != body.strip():
            return str(super().inline_math(body))  # "$5 or $6": no formula ends with a space
        return self._kept(body, display=False)

    def latex_environment(self, name: str, body: str) -> str:
        return self._kept(f"\\begin{{{name}}}{body}\\end{{{name}}}", display=True)


def markdown(source: str, attachments: Mapping[str, Mapping[str, object]], ids: set[str] | None = None) -> Markup:
    """Return Markdown as harmless HTML."""
    kept = {name: {mime: _joined(data) for mime, data in mimes.items()} for name, mimes in attachments.items() if mimes}
    renderer = _Renderer(kept)
    try:
        return clean(MarkdownWithMath(renderer=renderer).render(source), ids=ids, formulas=renderer.formulas)
    except (InvalidNotebook, RecursionError):  # an attachment that is not there, a nesting without end
        return Markup("<pre>{}</pre>").format(source)


def _image(data: Mapping[str, object]) -> str | None:
    if _SVG in data:
        # a picture, not a part of the page: scripts in it do not run and it loads nothing
        return f"data:{_SVG};base64,{base64.b64encode(_joined(data[_SVG]).encode()).decode()}"
    for mime in _BITMAPS:
        content = _joined(data.get(mime))
        if content and _BASE64.fullmatch(content):
            return f"data:{mime};base64,{''.join(content.split())}"
    return None


def _data(data: Mapping[str, object]) -> Output | None:
    """Return the richest safe form of an output, or None for one that is not meant for eyes."""
    shown = Output(not_shown=", ".join(sorted(data)) or "?")
    if figures.MIME in data:
        figure = figures.read(data[figures.MIME])
        if figure is not None:
            return Output(figure=figure)
        return Output(left_out="map" if figures.on_map(data[figures.MIME]) else "broken")
    if any(mime.startswith(_SCRAP) for mime in data):
        return None
    if "text/html" in data:
        shown = Output(html=clean(_joined(data["text/html"])))
    elif (image := _image(data)) is not None:
        shown = Output(image=image)
    elif "text/markdown" in data:
        shown = Output(html=markdown(_joined(data["text/markdown"]), {}))
    elif "text/latex" in data:
        shown = Output(html=formulas.of_output(_joined(data["text/latex"])))
    elif "text/plain" in data:
        shown = Output(text=terminal(_joined(data["text/plain"])))
    elif "application/json" in data:
        shown = Output(text=terminal(json.dumps(data["application/json"], indent=1, ensure_ascii=False)))
    return shown


def _output(raw: _RawOutput) -> Output | None:
    match raw.output_type:
        case "stream" if raw.name == "stderr":
            return Output(stderr=terminal(_joined(raw.text)))
        case "stream":
            return Output(text=terminal(_joined(raw.text)))
        case "error":
            said = f"{raw.ename}: {raw.evalue}" if raw.evalue else raw.ename
            return Output(error=_plain(said), traceback=terminal("\n".join(raw.traceback)))
        case _:
            return _data(raw.data)


def _streams_joined(outputs: Iterable[_RawOutput]) -> list[_RawOutput]:
    """Return the outputs with neighbouring pieces of one stream put together, as they were written."""
    joined: list[_RawOutput] = []
    for output in outputs:
        before = joined[-1] if joined else None
        if before and output.output_type == before.output_type == "stream" and output.name == before.name:
            before.text = _joined(before.text) + _joined(output.text)
        else:
            joined.append(output)
    return joined


def _code(source: str) -> Markup:
    """Return source in colours, in a box that the keyboard reaches."""
    return Markup(_highlight(source).replace("<pre>", '<pre tabindex="0">', 1))  # noqa: S704 - pygments escapes


def _cell(raw: _RawCell, ids: set[str]) -> Cell | None:
    source = _joined(raw.source)
    tags = raw.metadata.get("tags")
    if isinstance(tags, list) and _PAPERMILL_ERROR_TAG in tags:
        return None
    match raw.cell_type:
        case "markdown":
            return Cell(prose=markdown(source, raw.attachments, ids))
        case "code":
            shown = tuple(found for raw_output in _streams_joined(raw.outputs) if (found := _output(raw_output)))
            return Cell(
                code=_code(source) if source.strip() else None,
                ran=raw.execution_count is not None or not source.strip(),
                failed=any(output.error is not None for output in shown),
                outputs=shown,
            )
        case _:
            return Cell(prose=Markup("<pre>{}</pre>").format(source)) if source.strip() else None


def read(path: Path) -> Notebook:
    """Return the notebook in a file, whatever state the file is in."""
    try:
        # NaN is no JSON, but Jupyter writes it
        content: object = json.loads(path.read_bytes(), parse_constant=lambda _: None)
        raw = msgspec.convert(content, type=_RawNotebook)
    except OSError as error:
        return Notebook(unreadable=error.strerror or type(error).__name__)
    except (ValueError, RecursionError) as error:  # msgspec.ValidationError and JSON's are ValueErrors
        return Notebook(unreadable=f"{error}")
    if raw.nbformat != _FORMAT:
        return Notebook(unreadable=f"nbformat {raw.nbformat}, where {_FORMAT} was wanted")
    ids: set[str] = set()
    return Notebook(cells=tuple(cell for raw_cell in raw.cells if (cell := _cell(raw_cell, ids)) is not None))
