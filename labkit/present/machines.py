"""A machine, its performance levels and its condition as frames of text, ready to be shown; no figures.

Each function returns a frame whose columns are all of dtype ``object`` and hold text, in the reader's language; a value
that was not obtained is the words "not obtained" with the reason, never an empty cell.
"""

import pandas as pd

from labkit.machine.table import Row, condition_rows, level_cells, machine_rows
from labkit.model.machine import Condition, Machine, PerformanceLevel
from labkit.words import Language, say


def machine_frame(machine: Machine, language: Language | None = None) -> pd.DataFrame:
    """Return one row a property: columns Property, Value, Where it was read (text)."""
    return _frame(machine_rows(machine, language), language)


def condition_frame(condition: Condition, language: Language | None = None) -> pd.DataFrame:
    """Return one row a property: columns Property, Value, Where it was read (text)."""
    return _frame(condition_rows(condition, language), language)


def levels_frame(machine: Machine, language: Language | None = None) -> pd.DataFrame:
    """Return one row a performance level, the fastest first.

    Columns (all text): Level, then name, cores, logical cores, L1i, L1d, L2, cores that share an L2, L3. No rows where
    the levels were not obtained; :func:`machine_frame` then says why.
    """
    fields = PerformanceLevel.__struct_fields__
    heads = [say("machine.head.level", language), *(say(f"machine.field.{field}", language) for field in fields)]
    rows = [
        [str(position), *level_cells(machine, position, language).values()]
        for position in range(len(machine.performance_levels))
    ]
    return pd.DataFrame(rows, columns=heads, dtype=object)


def _frame(rows: tuple[Row, ...], language: Language | None) -> pd.DataFrame:
    heads = [say(f"machine.head.{head}", language) for head in ("property", "value", "source")]
    return pd.DataFrame([[row.property, row.value, row.source] for row in rows], columns=heads, dtype=object)
