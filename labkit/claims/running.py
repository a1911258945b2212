"""Runs the checks of a ledger's statements and counts what became of their parts; judges nothing itself."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from inspect import getdoc
from typing import Final

from labkit.claims import needs
from labkit.claims.base import ClaimCheck
from labkit.claims.facts import ClaimFacts
from labkit.claims.kept import NotGatheredError
from labkit.claims.ledgers import Ledger, Statement
from labkit.claims.registry import registered
from labkit.claims.using import watching
from labkit.errors import UNFORESEEN, LabError, NetworkError
from labkit.model.base import Text
from labkit.model.claims import CheckError, ClaimResult, ClaimsRecord, ClaimVerdict, PartVerdict

Done = Callable[[int, int, str], None]

#: The reason's id of a claim that :class:`labkit.claims.kept.KeptFacts` did not gather for.
NOT_GATHERED: Final = "claimpage.not_gathered"


def run(
    ledger: Ledger,
    facts: ClaimFacts,
    *,
    only: Sequence[str] = (),
    jobs: int = 2,
    checks: Mapping[str, ClaimCheck] | None = None,
    known: Mapping[str, ClaimResult] | None = None,
    keep: Callable[[ClaimResult], None] = lambda _result: None,
    done: Done | None = None,
) -> ClaimsRecord:
    """Judge statements and return the run.

    Args:
        ledger: The statements.
        facts: What the checks share.
        only: Ids, chapters or words; all statements when there are none.
        jobs: How many checks run at a time; those that measure run alone, after the others.
        checks: The check of each id; :func:`labkit.claims.registry.registered` when None.
        known: Results of a run that was broken off, by id: they are taken over.
        keep: Called with each result as soon as it is there, by one thread at a time.
        done: Called with the number judged, the number of all, and the id.

    Raises:
        UsageError: ``only`` names nothing.
        ProvisionError: The set cannot be had.

    """
    started = time.monotonic()
    chosen = ledger.choose(only)
    bound = registered() if checks is None else checks
    toolchain = facts.lab.toolchain.digest
    results: dict[str, ClaimResult] = {each.id: known[each.id] for each in chosen if known and each.id in known}
    errors: dict[str, CheckError] = {}
    left = [each for each in chosen if each.id not in results]
    together = [each for each in left if not (each.id in bound and bound[each.id].measures)]
    alone = [each for each in left if each not in together]

    def take(outcome: ClaimResult | CheckError) -> None:
        if isinstance(outcome, ClaimResult):
            results[outcome.id] = outcome
            keep(outcome)
        else:
            errors[outcome.id] = outcome
        if done is not None:
            done(len(results) + len(errors), len(chosen), outcome.id)

    with ThreadPoolExecutor(max_workers=max(jobs, 1)) as pool:
        try:
            for outcome in pool.map(lambda each: attempt(each, bound.get(each.id), facts), together):
                take(outcome)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for statement in alone:
        take(attempt(statement, bound.get(statement.id), facts))
    return ClaimsRecord(
        ledger=ledger.name,
        ledger_digest=ledger.digest,
        machine=facts.machine,
        toolchain=toolchain,
        date=_now(),
        wall_time_s=time.monotonic() - started,
        claims=tuple(results[each.id] for each in chosen if each.id in results),
        facts=facts.uses,
        errors=tuple(errors[each.id] for each in chosen if each.id in errors),
    )


def attempt(statement: Statement, check: ClaimCheck | None, facts: ClaimFacts) -> ClaimResult | CheckError:
    """Judge a statement, or return the error that its check ended in: that is no verdict."""
    try:
        return judge(statement, check, facts)
    except LabError as error:
        return CheckError(id=statement.id, what=error.what, remedy=error.remedy, exit_code=error.exit_code)
    except Exception as error:  # noqa: BLE001 - one check's fault must not take the others' verdicts away
        what = f"the check of {statement.id} broke: {type(error).__name__}: {error}"
        remedy = f"please report it, with what `labkit -v claims --only {statement.id}` says"
        return CheckError(id=statement.id, what=what, remedy=remedy, exit_code=UNFORESEEN)


def judge(statement: Statement, check: ClaimCheck | None, facts: ClaimFacts) -> ClaimResult:
    """Judge a statement with its check; without one every part is untested, and the result says so.

    Raises:
        LabError: The check could not do its work.

    """
    with watching() as using:
        parts = _unbound(statement) if check is None else _parts_or_why(statement, check, facts)
    if using.refused:  # whatever the check made of it
        parts = not_gathered(statement, using.refused)
    judged = [each.verdict for each in parts if each.verdict is not ClaimVerdict.UNTESTED]
    return ClaimResult(
        id=statement.id,
        chapter=statement.chapter,
        verdict=overall(judged),
        judged_parts=len(judged),
        all_parts=len(parts),
        parts=parts,
        by_reading=statement.by_reading,
        bound=check is not None,
        date=_now(),
        command=f"labkit claims --only {statement.id}",
        method=" ".join((getdoc(type(check)) or "").split()) if check is not None else "",
        facts=tuple(using.facts),
        tools=dict(sorted(using.tools.items())),
    )


def overall(judged: Sequence[ClaimVerdict]) -> ClaimVerdict:
    """Return the verdict of a claim from those of its judged parts."""
    if not judged:
        return ClaimVerdict.UNTESTED
    return judged[0] if len(set(judged)) == 1 else ClaimVerdict.CONDITIONAL


def prepare(ledger: Ledger, facts: ClaimFacts, *, only: Sequence[str] = ()) -> tuple[CheckError, ...]:
    """Fetch whatever the checks of statements will want, and return what could not be fetched.

    Raises:
        UsageError: ``only`` names nothing.
        ProvisionError: The set cannot be had.

    """
    failed: list[CheckError] = []
    facts.lab.toolchain  # noqa: B018 - obtains it
    for statement in ledger.choose(only):
        check = registered().get(statement.id)
        if check is None:
            continue
        try:
            for need in (*check.needs, *(each for needed in check.part_needs.values() for each in needed)):
                needs.obtain(need, facts)
            check.prepare(facts)
        except LabError as error:
            failed.append(CheckError(id=statement.id, what=error.what, remedy=error.remedy, exit_code=error.exit_code))
    return tuple(failed)


def not_gathered(statement: Statement, what: str) -> tuple[PartVerdict, ...]:
    """Return the parts of a statement whose facts are not here and were not to be gathered in this run."""
    values = {"what": what, "id": statement.id}
    reason, would = Text(id=NOT_GATHERED, values=values), Text(id="claimpage.would_gather", values=values)
    return tuple(needs.untested(letter, reason, would) for letter in statement.letters)


def is_gathered(claim: ClaimResult) -> bool:
    """Return whether a claim's facts were here, so that its verdict says something of the statement."""
    return not any(each.untested is not None and each.untested.reason.id == NOT_GATHERED for each in claim.parts)


def _parts_or_why(statement: Statement, check: ClaimCheck, facts: ClaimFacts) -> tuple[PartVerdict, ...]:
    try:
        return _parts(statement, check, facts)
    except NotGatheredError as error:
        return not_gathered(statement, error.what)


def _parts(statement: Statement, check: ClaimCheck, facts: ClaimFacts) -> tuple[PartVerdict, ...]:
    missing = needs.unmet(check.needs, facts)
    if missing is not None:
        return tuple(needs.untested(letter, *missing) for letter in statement.letters)
    lacking = {
        letter: reason
        for letter, needed in check.part_needs.items()
        if (reason := needs.unmet(needed, facts)) is not None
    }
    found: dict[str, PartVerdict] = {}
    if set(statement.letters) - set(lacking):
        for each in _asked(statement, check, facts):
            if each.part in found or each.part not in statement.letters:
                raise LabError(
                    f"the check of {statement.id} judged part {each.part!r} twice, or there is none",
                    remedy="this is a fault in labkit: please report it",
                )
            found[each.part] = each
    found |= {letter: needs.untested(letter, *reason) for letter, reason in lacking.items()}
    if set(found) != set(statement.letters):
        raise LabError(
            f"the check of {statement.id} judged the parts {', '.join(sorted(found))}, the statement has "
            f"{', '.join(statement.letters)}",
            remedy="this is a fault in labkit: please report it",
        )
    return tuple(found[letter] for letter in statement.letters)


def _asked(statement: Statement, check: ClaimCheck, facts: ClaimFacts) -> tuple[PartVerdict, ...]:
    try:
        return tuple(check.parts(facts))
    except NetworkError as error:  # what must be fetched is not here: that is a reason, not a fault
        reason, would = (Text(id=f"claims.{each}.network", values={"why": error.what}) for each in ("unmet", "would"))
        return tuple(needs.untested(letter, reason, would) for letter in statement.letters)


def _unbound(statement: Statement) -> tuple[PartVerdict, ...]:
    reason, would = Text(id="claims.unmet.check"), Text(id="claims.would.check")
    return tuple(needs.untested(letter, reason, would) for letter in statement.letters)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
