"""Puts a trap's outcome together: of its steps, or of what it lacks. Runs nothing and judges nothing."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case, ReasonKind, Step, StepKind, TrapOutcome
from labkit.traps.parts import Part
from labkit.traps.trap import Trap

#: Letters of a part's own words that are kept; of a longer text the middle is left out.
MOST_LETTERS: Final = 4000
#: What stands for a trap's own folder, whose name is another one in each run.
FOLDER: Final = "$TRAP"


def skipped(trap: type[Trap], lacking: Sequence[Part]) -> TrapOutcome:
    """Return the outcome of a trap that lacks parts."""
    kinds = {part.kind for part in lacking}
    kind = ReasonKind.IMPOSSIBLE if ReasonKind.IMPOSSIBLE in kinds else ReasonKind.MISSING
    return TrapOutcome(
        id=trap.id,
        status=Status.SKIP,
        title=Text(id=f"trap_{trap.id}.title"),
        symptom=None,
        cause=None,
        fix=None,
        verified=False,
        notes=tuple(Text(id=note) for note in trap.notes),
        sources=trap.sources,
        reason=reason_of(lacking),
        reason_kind=kind,
    )


def reason_of(lacking: Sequence[Part]) -> Text:
    """Return one reason for all that is missing; what cannot be had at all is said first, and alone."""
    impossible = [part for part in lacking if part.kind is ReasonKind.IMPOSSIBLE]
    if impossible or len(lacking) == 1:
        return (impossible or list(lacking))[0].reason()
    apt = dict.fromkeys(part.apt for part in lacking if part.apt)
    brew = dict.fromkeys(part.brew for part in lacking if part.brew)
    ways = [f"apt-get install {' '.join(apt)}"] if apt else []
    ways += [f"brew install {' '.join(brew)}"] if brew else []
    ways += dict.fromkeys(part.other for part in lacking if part.other)
    names = ", ".join(part.name for part in lacking)
    return Text(id="traps.missing", values={"name": names, "commands": " | ".join(ways)})


def absent(id_: str) -> TrapOutcome:
    """Return the outcome of a trap that this labkit lacks."""
    return TrapOutcome(
        id=id_,
        status=Status.FAIL,
        title=Text(id=f"trap_{id_}.title"),
        symptom=None,
        cause=None,
        fix=None,
        verified=False,
        reason=Text(id="traps.failed.absent", values={"id": id_}),
    )


def outcome(
    trap: type[Trap],
    steps: tuple[Step, ...],
    cases: tuple[Case, ...],
    *,
    seen: Collection[StepKind],
    status: Status,
    reason: Text | None,
    versions: Mapping[str, str],
    folder: str,
    duration_s: float,
) -> TrapOutcome:
    """Return the outcome of a trap that was run, its texts without the name of its own folder."""
    shown = tuple(_tidy_step(step, folder) for step in steps)
    symptom = shown[0].output if StepKind.REPRODUCE in seen else None
    return TrapOutcome(
        id=trap.id,
        status=status,
        title=Text(id=f"trap_{trap.id}.title"),
        symptom=symptom,
        cause=Text(id=f"trap_{trap.id}.cause") if StepKind.DIAGNOSE in seen else None,
        fix=Text(id=f"trap_{trap.id}.fix") if StepKind.VERIFY in seen else None,
        verified=set(StepKind) <= set(seen),
        steps=shown,
        cases=tuple(_tidy_case(case, folder) for case in cases),
        versions=versions,
        notes=tuple(Text(id=note) for note in trap.notes),
        sources=trap.sources,
        reason=None if reason is None else _without_folder_text(reason, folder),
        duration_s=round(duration_s, 3),
    )


def _tidy_step(step: Step, folder: str) -> Step:
    return msgspec.structs.replace(
        step,
        command=_tidy(step.command, folder),
        output=_tidy(step.output, folder),
        text=_without_folder_text(step.text, folder),
        facts=_without_folder(step.facts, folder),
    )


def _tidy_case(case: Case, folder: str) -> Case:
    return msgspec.structs.replace(
        case,
        command=_tidy(case.command, folder),
        output=_tidy(case.output, folder),
        text=_without_folder_text(case.text, folder),
        facts=_without_folder(case.facts, folder),
        reason=None if case.reason is None else _without_folder_text(case.reason, folder),
    )


def _tidy(text: str, folder: str) -> str:
    short = (text.replace(folder, FOLDER) if folder else text).strip("\n")
    if len(short) <= MOST_LETTERS:
        return short
    half = MOST_LETTERS // 2
    return f"{short[:half]}\n... {len(short) - 2 * half} letters left out ...\n{short[-half:]}"


def _without_folder_text(text: Text, folder: str) -> Text:
    values = {name: _tidy(value, folder) if isinstance(value, str) else value for name, value in text.values.items()}
    return Text(id=text.id, values=values)


def _without_folder(
    facts: Mapping[str, str | int | float | bool], folder: str
) -> Mapping[str, str | int | float | bool]:
    return {name: _tidy(value, folder) if isinstance(value, str) else value for name, value in facts.items()}
