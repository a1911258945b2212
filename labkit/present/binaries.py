"""Binaries and verdicts in notebooks: as frames to compute with, and as views to read."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from labkit.binary.reading import printable
from labkit.binary.table import Row, fact_rows, headline, reasons, signature_words, verdict_word
from labkit.model.binary import Binary, Linkage, Runs, Slice
from labkit.present.table import PLAIN, text_frame
from labkit.system.store import shown
from labkit.words import Language

_BINARY_TYPES = {
    "path": "string",
    "format": "string",
    "error": "string",
    "size_bytes": "Int64",
    "architecture": "string",
    "file_type": "string",
    "linkage": "string",
    "interpreter": "string",
    "libraries": "string",
    "platform": "string",
    "minimum_os": "string",
    "sdk": "string",
    "uuid": "string",
    "symbols": "boolean",
    "dwarf": "boolean",
    "signature": "string",
    "team": "string",
    "hardened_runtime": "boolean",
    "pages": "Int64",
    "bad_pages": "Int64",
    "go": "string",
}
_VERDICT_TYPES = {
    "path": "string",
    "machine": "string",
    "runs": "string",
    "rule": "string",
    "reasons": "string",
    "source": "string",
    "confirmed_on_hardware": "boolean",
}
#: A sign beside each word, so that colour is not needed.
_SIGNS = {Runs.YES: "✓", Runs.TRANSLATED: "≈", Runs.NO: "✗", Runs.UNKNOWN: "?"}


def binaries_frame(binaries: Sequence[Binary]) -> pd.DataFrame:
    """Return one row a slice; a file without slices has one row too.

    Columns: ``path``, ``format``, ``error``, ``architecture``, ``file_type``, ``linkage``, ``interpreter``,
    ``libraries`` (joined by ", "), ``platform``, ``minimum_os``, ``sdk``, ``uuid``, ``signature`` (its kind), ``team``,
    ``go`` (its version): string; ``size_bytes`` (of the file), ``pages``, ``bad_pages``: Int64; ``symbols``, ``dwarf``,
    ``hardened_runtime``: boolean. What was not obtained is ``<NA>``.
    """
    rows = [_fields(binary, slice_) for binary in binaries for slice_ in (binary.slices or (None,))]
    return pd.DataFrame(rows, columns=list(_BINARY_TYPES)).astype(_BINARY_TYPES)


def verdicts_frame(binaries: Sequence[Binary], language: Language | None = None) -> pd.DataFrame:
    """Return one row a file and machine.

    Columns: ``path``, ``machine``, ``runs`` (yes, translated, no, unknown), ``rule``, ``reasons`` (in the reader's
    language), ``source``: string; ``confirmed_on_hardware``: boolean.
    """
    rows = [
        {
            "path": shown(binary.path),
            "machine": verdict.machine,
            "runs": verdict.runs.value,
            "rule": verdict.rule,
            "reasons": reasons(verdict, language),
            "source": verdict.source,
            "confirmed_on_hardware": verdict.confirmed_on_hardware,
        }
        for binary in binaries
        for verdict in binary.verdicts
    ]
    return pd.DataFrame(rows, columns=list(_VERDICT_TYPES)).astype(_VERDICT_TYPES)


def _fields(binary: Binary, slice_: Slice | None) -> dict[str, object]:
    fields: dict[str, object] = {
        "path": shown(binary.path),
        "format": binary.format.value,
        "error": binary.error,
        "size_bytes": binary.size_bytes,
        "go": None if binary.go is None else binary.go.version,
    }
    if slice_ is None:
        return fields
    return fields | {
        "architecture": slice_.architecture,
        "file_type": slice_.file_type,
        "linkage": slice_.linkage.value,
        "interpreter": slice_.interpreter,
        "libraries": ", ".join(slice_.libraries),
        "platform": slice_.platform,
        "minimum_os": slice_.minimum_os,
        "sdk": slice_.sdk,
        "uuid": slice_.uuid,
        "symbols": slice_.symbols,
        "dwarf": slice_.dwarf,
        "signature": slice_.signature.kind.value,
        "team": slice_.signature.team,
        "hardened_runtime": slice_.signature.hardened_runtime,
        "pages": slice_.signature.pages,
        "bad_pages": slice_.signature.bad_pages,
    }


def binaries_table(binaries: Sequence[Binary], language: Language | None = None) -> pd.DataFrame:
    """Return the short form to read, one row a slice: file, what it is, linkage, needs, system, signature, Go (str)."""
    heads = ("path", "what", "linkage", "needs", "system", "signature", "go")
    rows = [_short(binary, slice_, language) for binary in binaries for slice_ in (binary.slices or (None,))]
    return text_frame(rows, heads, "binary.column", language)


def verdicts_table(binaries: Sequence[Binary], language: Language | None = None) -> pd.DataFrame:
    """Return verdicts to read, one row a file and machine: file, machine, verdict with its sign, why (str)."""
    heads = ("path", "machine", "runs", "reasons")
    rows = [
        {
            "path": _name(binary),
            "machine": verdict.machine,
            "runs": f"{_SIGNS[verdict.runs]} {verdict_word(verdict, language)}",
            "reasons": reasons(verdict, language),
        }
        for binary in binaries
        for verdict in binary.verdicts
    ]
    return text_frame(rows, heads, "binary.column", language)


def _name(binary: Binary) -> str:
    return printable(shown(binary.path))


def _short(binary: Binary, slice_: Slice | None, language: Language | None) -> dict[str, str]:
    if slice_ is None:
        return dict.fromkeys(("linkage", "needs", "system", "signature", "go"), "-") | {
            "path": _name(binary),
            "what": headline(binary, language),
        }
    needs = [each for each in (slice_.interpreter, *slice_.libraries) if each]
    system = [each for each in (slice_.platform, slice_.minimum_os, slice_.minimum_libc) if each]
    return {
        "path": _name(binary),
        "what": f"{headline(binary, language).split(':')[0]} {slice_.architecture} {slice_.file_type}",
        "linkage": (Linkage.STATIC if slice_.linkage is Linkage.STATIC else Linkage.DYNAMIC).value,
        "needs": printable(", ".join(needs)) or "-",
        "system": printable(" ".join(system)) or "-",
        "signature": signature_words(slice_.signature, language),
        "go": "-" if binary.go is None else printable(binary.go.version),
    }


@dataclass(frozen=True)
class BinaryView:
    """Files as a notebook shows them: what each is in a line, its facts and verdicts below, to be opened."""

    binaries: Sequence[Binary]

    def _repr_html_(self) -> str:
        return f'<div class="labkit-binaries {PLAIN}">{"".join(_html(binary) for binary in self.binaries)}</div>'

    def __repr__(self) -> str:
        return "\n".join(f"{_name(binary)}: {headline(binary)}" for binary in self.binaries)


def _html(binary: Binary) -> str:
    machines = " ".join(f"{html.escape(verdict.machine)}&nbsp;{_SIGNS[verdict.runs]}" for verdict in binary.verdicts)
    verdicts = [
        Row(label=verdict.machine, value=f"{_SIGNS[verdict.runs]} {verdict_word(verdict)}: {reasons(verdict)}")
        for verdict in binary.verdicts
    ]
    lines = "".join(
        f'<tr><th scope="row">{html.escape(row.label)}</th><td>{html.escape(row.value)}</td></tr>'
        for row in (*fact_rows(binary), *verdicts)
    )
    title = f"<code>{html.escape(_name(binary))}</code> {html.escape(headline(binary))} <small>{machines}</small>"
    return f"<details><summary>{title}</summary><table>{lines}</table></details>"
