"""Names the kind of difference of two files from what goshape found. Pure: facts in, a kind and its reasons out.

The gravest wins: what may compile or behave differently is semantic; else what reads differently is format; else only
stamps differ. docs/drift.md is the table of these rules.
"""

from collections.abc import Iterator

from labkit.codegen.drift.eras import apart, era_of
from labkit.codegen.drift.shapes import Comparison, Side
from labkit.model.drift import DriftKind, Reason

#: These stand beside a changed generator; what else differs behind an equal API and descriptor is put down to it.
_SEEN = frozenset({Reason.PACKAGE, Reason.CONSTRAINT, Reason.API, Reason.DESCRIPTOR})


def judge(committed: Side, generated: Side, comparison: Comparison | None) -> tuple[DriftKind, tuple[Reason, ...]]:
    """Return the kind of a file that is there on both sides, and what it was decided by, the gravest reason first."""
    if comparison is not None and comparison.identical:
        return DriftKind.SAME, ()
    broken = _broken(committed)
    if comparison is None or broken is not None:
        return DriftKind.SEMANTIC, (broken or Reason.UNREADABLE,)
    semantic = _semantic(comparison, committed, generated)
    if semantic:
        return DriftKind.SEMANTIC, semantic
    if not comparison.rest:
        return DriftKind.FORMAT, tuple(_format(comparison, committed, generated))
    return DriftKind.HEADER, (Reason.STAMPS if committed.marked == generated.marked else Reason.MARKER,)


def _broken(committed: Side) -> Reason | None:
    if committed.unreadable:
        return Reason.UNREADABLE
    if not committed.syntax:
        return None
    if committed.conflict:
        return Reason.CONFLICT
    return Reason.TRUNCATED if committed.truncated else Reason.SYNTAX


def _semantic(comparison: Comparison, committed: Side, generated: Side) -> tuple[Reason, ...]:
    facts = (
        (Reason.PACKAGE, comparison.package),
        (Reason.CONSTRAINT, comparison.constraint),
        (Reason.API, comparison.api),
        (Reason.DESCRIPTOR, comparison.descriptor),
        (Reason.IMPORTS, comparison.imports),
        (Reason.INIT_ORDER, comparison.initialised),
        (Reason.DIRECTIVE, comparison.directives),
        (Reason.BODY, comparison.bodies),
    )
    found = [reason for reason, equal in facts if not equal]
    if not found:
        return ()
    if {Reason.API, Reason.DESCRIPTOR} & set(found) and Reason.BODY in found:
        found.remove(Reason.BODY)  # it follows from those
    if other_shape(committed, generated):
        return (*(reason for reason in found if reason in _SEEN), Reason.GENERATOR)
    if other_stamp(committed, generated):
        return (*found, Reason.GENERATOR)
    return tuple(found)


def other_shape(committed: Side, generated: Side) -> bool:
    """Return whether header or code shows another generator, or code that no version makes which makes the other."""
    plugin = generated.plugin
    if committed.plugin and committed.plugin != plugin:
        return True
    return apart(era_of(plugin, committed.features or ()), era_of(plugin, generated.features or ()))


def other_stamp(committed: Side, generated: Side) -> bool:
    """Return whether the headers name different versions of the plugin."""
    stamped = committed.versions.get(committed.plugin)
    return stamped is not None and stamped != generated.versions.get(generated.plugin)


def _format(comparison: Comparison, committed: Side, generated: Side) -> Iterator[Reason]:
    facts = (
        (Reason.BOM, committed.bom == generated.bom),
        (Reason.LINE_ENDS, committed.crlf == generated.crlf),
        (Reason.COMMENTS, comparison.comments),
        (Reason.ORDER, comparison.order),
        (Reason.IMPORT_NAMES, comparison.import_names),
        (Reason.ENCODING, comparison.encoding),
    )
    found = [reason for reason, equal in facts if not equal]
    if not found:
        found.append(Reason.LAYOUT if comparison.spelling else Reason.SPELLING)
    yield from found
