"""Entries become columns: runs of one machine (or set, or day) together, and the machines nobody has sent one of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from labkit.binary import DEFAULT_MACHINES
from labkit.compare import contract
from labkit.compare.entry import NATIVE, TRANSLATED, Entry
from labkit.errors import UsageError
from labkit.model.base import Provenance, Text
from labkit.model.comparison import Axis, Column, Refusal

#: The chips that are shown also without a record, and the system that binaries are judged for.
JUDGED: Final = tuple((f"Apple {name.partition('-')[0].upper()}", name) for name in DEFAULT_MACHINES if name[0] == "m")


@dataclass(frozen=True, kw_only=True)
class Group:
    """A column with the runs it rests on."""

    name: str
    provenance: Provenance
    entries: tuple[Entry, ...]  # all of them
    accepted: tuple[Entry, ...] = ()  # those whose times are compared
    looked_at: tuple[Entry, ...] = ()  # those whose findings and binaries are: the same set, whatever their suite
    judged_for: str | None = None  # the machine's name, of a column without a record
    chip: str | None = None


def expand(entries: Sequence[Entry]) -> tuple[list[Entry], list[Refusal]]:
    """Return the entries along native and translated: a run that had both side by side is two.

    Where there is such a run, the times of one that had not are refused: they were taken at another hour.
    """
    found, refused = [], []
    side_by_side = any(entry.arms for entry in entries)
    for entry in entries:
        if entry.arms:
            for arm, word in ((NATIVE, "no"), (TRANSLATED, "yes")):
                kept = entry if arm == NATIVE else replace(entry, findings={}, binaries={}, curves=())
                facts = {**entry.facts, "translated": word}
                found.append(replace(kept, times=entry.arms.get(arm, {}), facts=facts))
            continue
        if side_by_side and entry.times:
            told = ("side by side", "alone")
            refused.append(Refusal(name=entry.name, column=None, field="translated", wanted=told[0], found=told[1]))
            if entry.provenance is Provenance.IMPORTED:
                continue  # it has nothing but times
        found.append(replace(entry, times={}) if side_by_side else entry)
    return found, refused


def group(entries: Sequence[Entry], axis: Axis, keys: Sequence[str]) -> tuple[Group, ...]:
    """Return the columns that entries make, in the order in which they are first met."""
    sets = contract.digests(entries)
    grouped: dict[contract.Key, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(contract.key(entry, axis, keys, sets), []).append(entry)
    groups: list[Group] = []
    taken: set[str] = set()
    for runs in grouped.values():
        bare = name = _name(runs[0], axis, keys)
        turn = 2
        while name in taken:
            name, turn = f"{bare} ({turn})", turn + 1
        taken.add(name)
        groups.append(
            Group(name=name, provenance=runs[0].provenance, entries=tuple(runs), chip=runs[0].facts.get("chip"))
        )
    return tuple(groups)


def judged(groups: Sequence[Group]) -> tuple[Group, ...]:
    """Return a column for each chip of :data:`JUDGED` that no measured record is of (``Apple M1 Pro`` is an M1)."""
    measured = [each.chip or "" for each in groups if each.provenance is not Provenance.IMPORTED]
    return tuple(
        Group(name=target, provenance=Provenance.JUDGED, entries=(), judged_for=target, chip=chip)
        for chip, target in JUDGED
        if not any(each == chip or each.startswith(f"{chip} ") for each in measured)
    )


def pick(groups: Sequence[Group], name: str | None) -> Group:
    """Return the baseline: the column of this name (or the only one that begins so), else the first with times.

    Raises:
        UsageError: There is no such column, or several.

    """
    if name is None:
        return next((each for each in groups if any(entry.times for entry in each.entries)), groups[0])
    exact = [each for each in groups if each.name == name]
    found = exact or [each for each in groups if each.name.lower().startswith(name.lower())]
    if len(found) != 1:
        what = "no column" if not found else f"{len(found)} columns"
        raise UsageError(
            f"{what} named {name!r} to compare with", remedy=f"the columns are: {', '.join(g.name for g in groups)}"
        )
    return found[0]


def column(made: Group, keys: Sequence[str]) -> Column:
    """Return what is told of a column."""
    if made.judged_for is not None:
        return Column(
            name=made.name,
            provenance=made.provenance,
            n=0,
            runs=0,
            days=(),
            identity=dict.fromkeys(keys) | {key: made.chip for key in keys if key == "chip"},
            chip=made.chip,
            platform=None,
            toolchain=None,
            translated=None,
            records=(),
            why=Text(id="compare.why.no_record", values={"chip": made.chip or made.name}),
            how=Text(id="compare.how_to_send"),
        )
    first, timed = made.entries[0], [each for each in made.accepted if each.times]
    flags = {each.facts.get("translated") for each in timed or made.entries}
    return Column(
        name=made.name,
        provenance=made.provenance,
        n=_behind(timed),
        runs=len(timed),
        days=tuple(sorted({each.day for each in timed if each.day is not None})),
        identity={key: first.facts.get(key) for key in keys},
        chip=first.facts.get("chip"),
        platform=first.facts.get("platform"),
        toolchain=next((said for each in timed or made.entries if (said := contract.set_of(each, "toolchain"))), None),
        translated={"yes": True, "no": False}.get(next(iter(flags)) or "") if len(flags) == 1 else None,
        records=tuple(each.name for each in made.entries),
        source=first.source,
        why=None if timed else Text(id="compare.why.no_times"),
        how=None if timed else Text(id="compare.how_to_measure"),
    )


def _behind(timed: Sequence[Entry]) -> int | None:
    """Return how many values the kernel with most of them rests on; None where no source says it."""
    counts: dict[str, int] = {}
    for entry in timed:
        for kernel, times in entry.times.items():
            if times.n is not None:
                counts[kernel] = counts.get(kernel, 0) + times.n
    return max(counts.values(), default=None if timed else 0)


def _name(entry: Entry, axis: Axis, keys: Sequence[str]) -> str:
    if entry.provenance is Provenance.IMPORTED:
        return f"{entry.facts.get('chip') or '?'} ({entry.name})"
    match axis:
        case Axis.MACHINE:
            standard = tuple(keys) == contract.IDENTITY and entry.machine is not None
            return entry.machine.id if standard and entry.machine else " ".join(contract.identity(entry, keys))
        case Axis.TOOLCHAIN:
            return " ".join(each for each in (entry.facts.get("set"), entry.facts.get("go")) if each) or "?"
        case Axis.DAY:
            return entry.day or "?"
        case Axis.TRANSLATION:
            by = entry.facts.get("translator")
            return {"yes": TRANSLATED + (f" ({by})" if by else ""), "no": NATIVE}[entry.facts.get("translated") or "no"]
