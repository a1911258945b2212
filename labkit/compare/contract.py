"""What may be compared: along one axis; everything else is equal, or the field is named.

The identity of a machine (which one is it?) stands apart from what varies (how was it that day?). Two runs with one
identity are runs of one machine; which fields make it can be named, as they can be wrong: a fleet of virtual machines
that look alike, or a laptop whose memory was changed.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from labkit.compare.entry import Entry
from labkit.errors import UsageError
from labkit.model.base import Provenance
from labkit.model.comparison import Axis, Differing, Refusal

#: By what machines are told apart when nothing is named.
IDENTITY: Final = ("chip", "performance cores", "cores", "memory", "system major")

#: What can be named.
IDENTITY_KEYS: Final = (*IDENTITY, "logical cores", "system", "model", "machine", "hypervisor")

#: Where these differ from the baseline's, times are refused. The axis itself is not among what is held equal.
_EQUAL: Final[Mapping[Axis, tuple[str, ...]]] = {
    Axis.MACHINE: ("suite", "toolchain", "translated"),
    Axis.TOOLCHAIN: ("suite", "identity", "translated"),
    Axis.DAY: ("suite", "identity", "toolchain", "translated"),
    Axis.TRANSLATION: ("suite", "identity", "toolchain", "translator"),
}

#: Of these only times tell: what is refused by them keeps its findings and binaries.
OF_TIMES: Final = frozenset({"suite", "translated", "translator"})

Key = tuple[str, ...]


def check_identity(keys: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of a machine's identity, the standard ones when none is named.

    Raises:
        UsageError: There is no such key.

    """
    for key in keys:
        if key not in IDENTITY_KEYS:
            near = difflib.get_close_matches(key, IDENTITY_KEYS, n=1)
            raise UsageError(
                f"a machine has no key {key!r}",
                remedy=f"did you mean {near[0]!r}?" if near else f"the keys are: {', '.join(IDENTITY_KEYS)}",
            )
    return tuple(dict.fromkeys(keys)) or IDENTITY


def identity(entry: Entry, keys: Sequence[str]) -> tuple[str, ...]:
    """Return who a machine is, a text a key; a question mark where it is not said."""
    return tuple(entry.facts.get(key) or "?" for key in keys)


def key(entry: Entry, axis: Axis, keys: Sequence[str], sets: Mapping[str, str]) -> Key:
    """Return what an entry's column is told by: entries of one key are runs of one column.

    Args:
        entry: The run.
        axis: What is compared.
        keys: Of a machine's identity.
        sets: By a set's name and versions, the digest that other entries give for it (:func:`digests`).

    """
    if entry.provenance is Provenance.IMPORTED:
        # Never pooled: two texts, or two columns of one, may be of two machines of one chip, or of two versions.
        return ("imported", entry.file, entry.name)
    kind = str(entry.provenance)
    match axis:
        case Axis.MACHINE:
            return (kind, *identity(entry, keys))
        case Axis.TOOLCHAIN:
            named = set_of(entry, "toolchain") or "?"
            return (kind, entry.facts.get("toolchain") or sets.get(named) or named)
        case Axis.DAY:
            return (kind, entry.day or "?")
        case Axis.TRANSLATION:
            return (kind, entry.facts.get("translated") or "?")


def digests(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the digests of sets by their names and versions: a run without times has no digest of its own."""
    found = {}
    for entry in entries:
        named, digest = set_of(entry, "toolchain"), entry.facts.get("toolchain")
        if named and digest:
            found[named] = digest
    return found


def set_of(entry: Entry, field: str) -> str | None:
    """Return a fact; of the toolchain its versions with its name, for digests differ by platform."""
    if field != "toolchain":
        return entry.facts.get(field)
    versions, named = entry.facts.get("versions") or entry.facts.get("go"), entry.facts.get("set")
    return versions and (f"{named}: {versions}" if named else versions)


def refuse(entry: Entry, reference: Entry, axis: Axis, keys: Sequence[str], column: str) -> Refusal | None:
    """Return why an entry is not compared with the reference, or its times are not; None: it is.

    What one of the two does not say is not held against it. Imported times meet only others of their own package,
    and are judged there, cell by cell.
    """
    if Provenance.IMPORTED in {entry.provenance, reference.provenance}:
        return None
    for field in _EQUAL[axis]:
        if field in OF_TIMES and not entry.times:
            continue
        wanted, found = (_said(each, field, keys) for each in (reference, entry))
        if wanted is not None and found is not None and not _same(field, entry, reference, wanted, found):
            return Refusal(name=entry.name, column=column, field=field, wanted=wanted, found=found)
    return None


def _said(entry: Entry, field: str, keys: Sequence[str]) -> str | None:
    if field == "identity":
        return None if entry.machine is None else ", ".join(identity(entry, keys))
    return set_of(entry, field)


def _same(field: str, entry: Entry, reference: Entry, wanted: str, found: str) -> bool:
    if field != "toolchain":
        return wanted == found
    facts = (entry.facts, reference.facts)
    if all(each.get("versions") for each in facts):
        return facts[0]["versions"] == facts[1]["versions"]
    if all(each.get("toolchain") for each in facts) and facts[0].get("platform") == facts[1].get("platform"):
        return facts[0]["toolchain"] == facts[1]["toolchain"]
    return facts[0].get("go") == facts[1].get("go")


def differing(columns: Mapping[str, Iterable[Entry]], axis: Axis) -> tuple[Differing, ...]:
    """Return in what columns differ though they may be compared, what varies within one among it."""
    found: dict[str, dict[str, set[str]]] = {}
    for name, entries in columns.items():
        for entry in entries:
            for field, value in _soft(entry, axis).items():
                if value:
                    found.setdefault(field, {}).setdefault(name, set()).add(value)
    return tuple(
        Differing(field=field, values={name: tuple(sorted(values)) for name, values in by_column.items()})
        for field, by_column in found.items()
        if len(set[str]().union(*by_column.values())) > 1
    )


def _soft(entry: Entry, axis: Axis) -> Mapping[str, str | None]:
    """Return what is listed where it differs; what the axis itself changes is no news."""
    along = {Axis.TOOLCHAIN: ("Go", "worker"), Axis.TRANSLATION: ("worker",)}.get(axis, ())
    soft = {field: value for field, value in entry.soft.items() if field not in along}
    if axis is not Axis.TOOLCHAIN:
        soft["set"] = entry.facts.get("set")
    if axis is not Axis.MACHINE:
        soft["machine"] = entry.facts.get("machine")
    return soft
