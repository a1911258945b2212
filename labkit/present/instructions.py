"""Instructions in notebooks: functions side by side, a column a target, with the atomic ones marked by a sign.

The signs stand before the instruction, so that colour is not needed: ``◆`` atomic or ordered, ``▲`` a barrier, ``→`` a
call; the kind of an atomic one is said behind it.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from labkit.model.instructions import Instruction, Listing
from labkit.present.table import PLAIN
from labkit.words import Language, say

_TYPES: Final = {
    "function": "string",
    "platform": "string",
    "variant": "string",
    "go_version": "string",
    "offset_bytes": "Int64",
    "bytes": "string",
    "mnemonic": "string",
    "operands": "string",
    "atomic": "string",
    "barrier": "boolean",
    "call": "boolean",
    "branch": "boolean",
    "target": "string",
}
#: What a reader asks about first, and the targets that answer side by side.
SHOWN: Final = (
    "main.CompareAndSwap64",
    "main.Add64",
    "main.Load64",
    "main.Store64",
    "main.StorePointer",
    "main.Framed",
)
_LINES: Final = 40
_GAP: Final = "   "


def listings_frame(listings: Sequence[Listing]) -> pd.DataFrame:
    """Return one row an instruction.

    Columns: ``function``, ``platform``, ``variant``, ``go_version``, ``bytes`` (hex), ``mnemonic``, ``operands``,
    ``atomic`` (lse, exclusive, ordered, lock, xchg; ``<NA>`` when it is none), ``target`` (of a call or branch):
    string; ``offset_bytes`` (from the function's start): Int64; ``barrier``, ``call``, ``branch``: boolean.
    """
    rows = [
        {
            "function": listing.function,
            "platform": listing.platform,
            "variant": listing.variant,
            "go_version": listing.go_version,
            "offset_bytes": each.offset_bytes,
            "bytes": each.bytes_hex,
            "mnemonic": each.mnemonic,
            "operands": each.operands,
            "atomic": None if each.atomic is None else each.atomic.value,
            "barrier": each.barrier,
            "call": each.call,
            "branch": each.branch,
            "target": each.target,
        }
        for listing in listings
        for each in listing.instructions
    ]
    return pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES)


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """Functions in rows, targets in columns; shows itself in a notebook and as text."""

    functions: tuple[str, ...]
    targets: tuple[str, ...]
    cells: dict[tuple[str, str], tuple[str, ...]]  # function and target: lines
    legend: str
    nothing: str

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col">{html.escape(target)}</th>' for target in self.targets)
        rows = []
        for name in self.functions:
            cells = "".join(f"<td>{self._cell(name, target)}</td>" for target in self.targets)
            rows.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
        style = "<style>table.labkit th, table.labkit td { text-align: left; vertical-align: top }</style>"
        whole = f"<thead><tr><th></th>{heads}</tr></thead><tbody>{''.join(rows)}</tbody>"
        table = f'<table class="labkit {PLAIN}">{whole}</table>'
        return f"{style}<p>{html.escape(self.legend)}</p>{table}"

    def _cell(self, function: str, target: str) -> str:
        lines = self.cells.get((function, target))
        if lines is None:
            return html.escape(self.nothing)
        return f'<pre class="labkit-source">{html.escape(chr(10).join(lines))}</pre>'

    def __repr__(self) -> str:
        text = [self.legend]
        for name in self.functions:
            columns = [self.cells.get((name, target), (self.nothing,)) for target in self.targets]
            widths = [max(map(len, (target, *lines))) for target, lines in zip(self.targets, columns, strict=True)]
            rows = [self.targets, *_rows(columns)]
            text += ["", name]
            text += [
                _GAP.join(each.ljust(width) for each, width in zip(row, widths, strict=True)).rstrip() for row in rows
            ]
        return "\n".join(text)


def listings(
    found: Sequence[Listing],
    functions: Sequence[str] = SHOWN,
    *,
    platforms: Sequence[str] = ("linux/arm64", "linux/amd64"),
    variants: Sequence[str] = ("GOARM64=v8.0", "GOARM64=v8.1", "GOAMD64=v1", ""),
    language: Language | None = None,
) -> SideBySide:
    """Show functions side by side, arm64 first, with the atomic instructions marked.

    Args:
        found: What :func:`labkit.gobuild.listings.listings` returned.
        functions: Their names, in the order of the rows.
        platforms: The platforms, in the order of the columns.
        variants: The architecture's levels to show of each.
        language: The reader's when None.

    """
    chosen = [each for each in found if each.platform in platforms and each.variant in variants]
    chosen.sort(key=lambda each: (platforms.index(each.platform), variants.index(each.variant)))
    cells = {
        (each.function, _target(each)): tuple(_lines(each, language)) for each in chosen if each.function in functions
    }
    return SideBySide(
        functions=tuple(name for name in functions if any(name == function for function, _ in cells)),
        targets=tuple(dict.fromkeys(_target(each) for each in chosen)),
        cells=cells,
        legend=say("instructions.legend", language),
        nothing=say("instructions.nothing", language),
    )


def _target(listing: Listing) -> str:
    return " ".join(filter(None, (listing.platform, listing.variant, listing.go_version)))


def _lines(listing: Listing, language: Language | None) -> list[str]:
    lines = [_line(each, language) for each in listing.instructions[:_LINES]]
    more = len(listing.instructions) - _LINES
    return lines + ([say("instructions.more", language, n=more)] if more > 0 else [])


def _line(each: Instruction, language: Language | None) -> str:
    sign = "◆" if each.atomic else "▲" if each.barrier else "→" if each.call else " "
    operands = each.operands
    if each.target is not None:  # a name says more than an address
        operands = f"{operands.rpartition(',')[0]}, {each.target}" if "," in operands else each.target
    kind = "" if each.atomic is None else f"  ({say(f'instructions.atomic.{each.atomic}', language)})"
    return f"{each.offset_bytes:>3x} {sign} {each.mnemonic:<7} {operands}{kind}".rstrip()


def _rows(columns: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    height = max(map(len, columns))
    return [tuple(column[at] if at < len(column) else "" for column in columns) for at in range(height)]
