"""Records side by side, along one axis; what is not comparable is refused by the field's name. Measures nothing.

The ratio of two columns is that of medians over runs of medians over processes, with a bootstrap's interval
(:mod:`labkit.compare.bootstrap`); on the same chip it stands beside the answer to another question, whether a
regression is shown (:mod:`labkit.bench.regression`).
"""

import contextlib
import gc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from labkit import __version__
from labkit.compare import claims, columns, contract, judgements, times
from labkit.compare.checking import check
from labkit.compare.columns import Group
from labkit.compare.contract import IDENTITY, IDENTITY_KEYS
from labkit.compare.documents import of_here
from labkit.compare.entry import Entry
from labkit.compare.reading import find, load
from labkit.compare.times import CONTROL
from labkit.errors import UsageError
from labkit.model.base import Provenance
from labkit.model.comparison import Axis, ColumnCurve, Comparison, Refusal

if TYPE_CHECKING:
    from labkit.facts import Facts

__all__ = ["CONTROL", "IDENTITY", "IDENTITY_KEYS", "Entry", "check", "compare", "find", "load", "read", "read_named"]


#: A whole run's record has some 500 KB; a larger file is read on its own.
_ROOM_BYTES: Final = 1 << 20


def read(paths: Iterable[Path]) -> tuple[Entry, ...]:
    """Return what is in files, and in the runs below folders.

    Raises:
        UsageError: A file does not exist, or there is no record below a folder.
        RecordError: A file is damaged, of a newer schema, or nothing that can be compared.

    """
    files, room = find(paths), bytearray(_ROOM_BYTES)
    with _not_collecting():
        return tuple(entry for path in files for entry in load(path, room))


def read_named(records: str, facts: "Facts") -> tuple[Entry, ...]:
    """Return what :func:`read` does for files and folders that are named in one text, separated by spaces.

    Where none is named, the runs below the current folder's ``runs``; where there are none either, this machine with
    the programs that ``facts`` has: no times, but what is judged of them.

    Raises:
        UsageError: As of :func:`read`, for what is named.
        RecordError: As of :func:`read`.
        LabError: A program that is to be judged cannot be built.

    """
    if records.strip():
        return read(Path(each) for each in records.split())
    runs = Path("runs")
    if runs.is_dir() and next(runs.rglob("record.json"), None):
        return read([runs])
    return (of_here(facts.machine, facts.server_binaries),)


def compare(
    entries: Sequence[Entry],
    *,
    axis: Axis = Axis.MACHINE,
    baseline: str | None = None,
    identity: Sequence[str] = (),
    include: Iterable[Provenance] = (),
    control: str | None = CONTROL,
    seed: int = 1,
) -> Comparison:
    """Return entries side by side.

    Args:
        entries: What :func:`read` returned.
        axis: What is compared. Everything else is equal, or is named in ``refused`` or ``differs``.
        baseline: The column that ratios are to, by its name or the beginning of it; the first with times when None.
        identity: The keys by which machines are told apart (:data:`IDENTITY_KEYS`); :data:`IDENTITY` when none is.
        include: Made-up records are refused unless ``Provenance.SYNTHETIC`` is among these.
        control: The kernel that each run's times are divided by for the second ratio, along machines and days;
            None: no such ratio.
        seed: Of the bootstrap.

    Raises:
        UsageError: No key or column has that name, or all entries are refused.

    """
    with _not_collecting():
        return _compare(entries, axis, baseline, identity, include, control, seed)


def _compare(  # noqa: PLR0917 - of compare
    entries: Sequence[Entry],
    axis: Axis,
    baseline: str | None,
    identity: Sequence[str],
    include: Iterable[Provenance],
    control: str | None,
    seed: int,
) -> Comparison:
    keys = contract.check_identity(identity)
    welcome, refused = _admitted(entries, {Provenance.MEASURED, Provenance.IMPORTED, *include})
    if not welcome:
        first = refused[0] if refused else None
        raise UsageError(
            f"nothing is left to compare: {first.name} has {first.field} {first.found}"
            if first
            else "there is nothing to compare",
            remedy="name records of runs; made-up ones only with --include synthetic",
        )
    if axis is Axis.TRANSLATION:
        welcome, unpaired = columns.expand(welcome)
        refused += unpaired
    groups = columns.group(welcome, axis, keys)
    base = columns.pick(groups, baseline)
    reference = next((entry for entry in base.entries if entry.times), base.entries[0])
    accepted = []
    for made in groups:
        told = [(each, contract.refuse(each, reference, axis, keys, made.name)) for each in made.entries]
        refused += [refusal for _each, refusal in told if refusal]
        accepted.append(
            replace(
                made,
                accepted=tuple(each for each, refusal in told if each.times and refusal is None),
                looked_at=tuple(
                    each for each, refusal in told if refusal is None or refusal.field in contract.OF_TIMES
                ),
            )
        )
    whole = (*accepted, *(columns.judged(accepted) if axis is Axis.MACHINE else ()))
    base = next(each for each in whole if each.name == base.name)
    # A control must do the same work on both sides; another compiler's is other work, and so is a translated one.
    control = control if axis in {Axis.MACHINE, Axis.DAY} else None
    rows, kernels = times.rows(whole, base, axis=axis, control=control, seed=seed)
    return Comparison(
        labkit_version=__version__,
        axis=axis,
        baseline=base.name,
        identity=keys,
        control=control if any(row.name == control for row in rows) else None,
        seed=seed,
        columns=tuple(columns.column(each, keys) for each in whole),
        rows=rows,
        findings=judgements.findings(whole),
        binaries=judgements.binaries(whole, axis),
        curves=tuple(_curves(whole)),
        claims=claims.rows(whole, axis),
        refused=(*refused, *kernels),
        differs=contract.differing({each.name: each.accepted or each.entries for each in whole}, axis),
    )


@contextlib.contextmanager
def _not_collecting() -> Iterator[None]:
    """Hold the garbage collector: what is read stays, and it would go over all of it again and again, half the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _admitted(entries: Sequence[Entry], kinds: set[Provenance]) -> tuple[list[Entry], list[Refusal]]:
    """Return what may take part, and what may not: kinds of numbers that were not asked for, a run given twice."""
    welcome: list[Entry] = []
    refused: list[Refusal] = []
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        # A run has its id wherever its record lies; another document is known by its file.
        identity = (entry.name, str(entry.provenance) if entry.name != Path(entry.file).name else entry.file)
        if entry.provenance not in kinds:
            wanted, found = ", ".join(sorted(kinds)), str(entry.provenance)
            refused.append(Refusal(name=entry.name, column=None, field="provenance", wanted=wanted, found=found))
        elif identity in seen:
            refused.append(Refusal(name=entry.name, column=None, field="run", wanted="once", found="twice"))
        else:
            seen.add(identity)
            welcome.append(entry)
    return welcome, refused


def _curves(groups: Sequence[Group]) -> Iterable[ColumnCurve]:
    """Yield each column's curves, of its latest run that has some."""
    for made in groups:
        latest = next((each for each in reversed(made.entries) if each.curves), None)
        for curve in latest.curves if latest else ():
            yield ColumnCurve(column=made.name, curve=curve)
