"""Counts instructions over a whole text section: what a program really holds, whatever its functions are called."""

import re
from collections import Counter
from pathlib import Path
from typing import Final

from labkit.binary.instructions.code import read
from labkit.binary.instructions.decode import DATA, atomicity, sweep
from labkit.model.instructions import Census
from labkit.system.store import file_digest

#: Counted with their operands, which say their kind: breakpoints, barriers, address translation, traps.
_WITH_OPERANDS: Final = frozenset({"brk", "dmb", "dsb", "isb", "at", "tlbi", "dc", "hlt", "svc"})
_BARE: Final = frozenset({"int3", "mfence", "lfence", "sfence", "ud2", "syscall", "clrex"})
_SPACES: Final = re.compile(r"\s+")


def count(path: Path) -> Census:
    """Return how often atomics, barriers, breakpoints and address translations occur in a program's text section.

    The sweep goes from the first byte to the last, so padding and literals between functions are decoded as well: a
    count is an upper bound of what is executed.

    Raises:
        MalformedError: The file has no text section that can be decoded.

    """
    code = read(path)
    counts: Counter[str] = Counter()
    widths: Counter[int] = Counter()
    undecoded = 0
    for _address, size, mnemonic, operands in sweep(code.text, code.architecture, code.address):
        if mnemonic == DATA:
            undecoded += size
            continue
        widths[size] += 1
        if mnemonic in _WITH_OPERANDS:
            counts[_SPACES.sub(" ", f"{mnemonic} {operands}").strip()] += 1
        elif mnemonic in _BARE or atomicity(mnemonic, operands, code.architecture) is not None:
            counts[mnemonic] += 1
    return Census(
        file=path.name,
        sha256=file_digest(path),
        architecture=code.architecture,
        text_bytes=len(code.text),
        instruction_count=widths.total(),
        undecoded_bytes=undecoded,
        widths_bytes={str(size): n for size, n in sorted(widths.items())},
        counts=dict(sorted(counts.items())),
    )
