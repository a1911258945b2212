"""A comparison of committed with generated code as a frame."""

import pandas as pd

from labkit.codegen.drift.shown import difference, maker, reasons
from labkit.model.drift import Drift, DriftKind
from labkit.present.table import Table, text_frame
from labkit.words import Language, say

_MOST: int = 5  # differences shown in a row


def drift_frame(drift: Drift, language: Language | None = None, *, everything: bool = False) -> pd.DataFrame:
    """Return one row a file that differs (with ``everything``, each file), in the order of paths.

    Columns (all str): kind, file, what differs, where (the first five places), who made it.
    """
    rows = [
        {
            "kind": say(f"drift.kind.{file.kind}", language),
            "path": file.path,
            "reason": reasons(file, language) or "-",
            "differs": "; ".join(difference(each, language) for each in file.differences[:_MOST]) or "-",
            "made_by": maker(file, language),
        }
        for file in drift.files
        if everything or file.kind is not DriftKind.SAME
    ]
    return text_frame(rows, ("kind", "path", "reason", "differs", "made_by"), "drift.head", language)


def counts_frame(drift: Drift, language: Language | None = None) -> pd.DataFrame:
    """Return one row a kind: its name, the number of files (str), what it means."""
    rows = [
        {
            "kind": say(f"drift.kind.{kind}", language),
            "n": str(n),
            "meaning": say(f"drift.meaning.{kind}", language),
        }
        for kind, n in drift.counts.items()
    ]
    return text_frame(rows, ("kind", "n", "meaning"), "drift.head", language)


def drift(found: Drift, *, everything: bool = False) -> Table:
    """Return the files that differ, to be read in a notebook."""
    return Table(drift_frame(found, everything=everything))


def drift_counts(found: Drift) -> Table:
    """Return how many files are of which kind, to be read in a notebook."""
    return Table(counts_frame(found))
