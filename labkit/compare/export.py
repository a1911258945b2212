"""What was compared, in the Go benchmark format: machine, set and day are keys that benchstat can compare."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from labkit.bench.benchfmt import write
from labkit.compare.entry import Entry
from labkit.compare.reading import measured
from labkit.model.comparison import Comparison

#: A key stays in force until it is given anew or empty; not every machine has these.
_FORGET: Final = "\ncpu:\ntranslated:\nprovenance:\n"


def benchmarks(entries: Sequence[Entry], comparison: Comparison) -> str:
    """Return the samples of all runs that were compared.

    ``benchstat -table pkg -col machine -ignore /gomaxprocs`` puts machines side by side: what else differs between two
    machines (goos, cpu, the number in a name) would give each a table or rows of its own. So do the keys toolchain, go
    and day.

    Imported times are left out: of most of them there is only a summary. The records are read once more, for what is
    compared needs less of them.

    Raises:
        RecordError: A record has changed since it was compared.

    """
    refused = {each.name for each in comparison.refused if each.kernel is None}
    parts = []
    for entry in entries:
        if entry.machine is None or entry.name in refused or not entry.times:
            continue
        samples = measured(Path(entry.file))
        if samples:
            parts.append(write(samples, entry.machine) + _FORGET)
    return "\n".join(parts)
