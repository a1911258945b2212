"""An answer of the solver as lines for a reader. Nothing is decided here."""

from collections.abc import Iterator

from labkit.toolchain.compat.asking import Answer
from labkit.toolchain.compat.bounds import Bound, Kind, catalogue
from labkit.toolchain.compat.solver import By, Choice, Conflict, Solution
from labkit.words import say


def lines(answer: Answer) -> Iterator[str]:
    """Yield the answer, line by line, in the reader's language."""
    yield say("compat.for", module=answer.module or answer.go_mod, machine=answer.machine)
    for axis, by_what in answer.replaced.items():
        yield "  " + say("compat.replaced", axis=axis, by=by_what)
    match answer.result:
        case Solution():
            yield from _solution(answer.result)
        case Conflict():
            yield from _conflict(answer, answer.result)
    for axis in answer.result.unknown:
        yield "  " + say("compat.unknown", axis=axis, version=answer.wish.values[axis], date=catalogue().as_of)
    for axis in answer.unexamined:
        yield "  " + say("compat.unexamined", axis=axis)
    yield from _sets(answer)


def sentence(bound: Bound) -> str:
    """Return a bound as one sentence, with its source."""
    when = say("compat.and").join(f"{axis} {text}" for axis, text in bound.when.items()) or say("compat.always")
    needs = say("compat.and").join(f"{axis} {text}" for axis, text in bound.needs.items())
    said = say("compat.promise" if bound.kind is Kind.PROMISE else "compat.bound", when=when, needs=needs)
    seen = say("compat.seen", how=bound.proved) if bound.proved else say("compat.not_seen")
    if bound.confirmed_on_hardware is False:
        seen += say("compat.no_mac")
    return f"[{bound.id}] {said} {bound.symptom} ({seen}; {bound.source})"


def _solution(solution: Solution) -> Iterator[str]:
    wide = max(len(choice.axis) for choice in solution.choices)
    for choice in solution.choices:
        yield f"  {choice.axis:{wide}}  {choice.version:8}  {_reason(choice)}"
    named = dict.fromkeys(id_ for choice in solution.choices for id_ in choice.bounds)
    for id_ in named:
        yield "    " + sentence(catalogue().bound(id_))
    for id_ in solution.given_up:
        yield "  " + say("compat.given_up", promise=sentence(catalogue().bound(id_)))


def _reason(choice: Choice) -> str:
    match choice.by:
        case By.STATED:
            return say("compat.stated")
        case By.NEWEST:
            return say("compat.newest")
        case By.BOUNDS:
            return say("compat.decided", newer=choice.newer or "", bounds=", ".join(choice.bounds))


def _conflict(answer: Answer, conflict: Conflict) -> Iterator[str]:
    yield "  " + say("compat.conflict")
    for axis in conflict.axes:
        origin = say(f"compat.origin.{answer.wish.origins[axis]}")
        yield "    " + say("compat.states", origin=origin, axis=axis, value=answer.wish.values[axis])
    for id_ in conflict.bounds:
        yield "    " + sentence(catalogue().bound(id_))
    for way in conflict.ways_out:
        yield "  " + (
            say("compat.change", axis=way.axis, version=way.version)
            if way.version
            else say("compat.leave", axis=way.axis, value=answer.wish.values[way.axis])
        )


def _sets(answer: Answer) -> Iterator[str]:
    for fit in answer.sets:
        if fit.excluded_by:
            yield "  " + say("compat.set_no", name=fit.name, bounds=", ".join(fit.excluded_by))
        elif fit.given_up:
            yield "  " + say("compat.set_but", name=fit.name, promises=", ".join(fit.given_up))
        else:
            yield "  " + say("compat.set_yes", name=fit.name)
    if answer.chosen_set:
        yield say("compat.next", command=f"labkit setup --toolchain {answer.chosen_set}")
    else:
        yield say("compat.none")
