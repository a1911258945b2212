"""What benchstat would say of Go benchmark files: medians, intervals, p-values and geometric means, digit for digit.

Made after golang.org/x/perf (benchmath, cmd/benchstat) and github.com/aclements/go-moremath/stats, and compared with
the program itself by ``python -m benchmarks.benchstat_parity``. It is for those who have files and no benchstat, and
for showing that labkit's files mean to benchstat what they mean to labkit. labkit's own intervals are
:mod:`labkit.bench.statistics`'s; benchstat's test knows nothing of pairs, order or machines.
"""

from labkit.bench.benchstat.csv import as_csv
from labkit.bench.benchstat.summary import Comparison, Summary, compare, summarise
from labkit.bench.benchstat.tables import Cell, Table, Tables, Total, tables
from labkit.bench.benchstat.text import as_text

__all__ = [
    "Cell",
    "Comparison",
    "Summary",
    "Table",
    "Tables",
    "Total",
    "as_csv",
    "as_text",
    "compare",
    "summarise",
    "tables",
]
