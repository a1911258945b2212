"""An agreed list of verdicts, and what is not as agreed: the gate of ``labkit claims --expect``."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from labkit.errors import UsageError, VacuousError
from labkit.model.claims import ChangedClaim, ClaimsRecord, ClaimVerdict


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an agreed claim; whatever else a document holds is not looked at."""

    part: str
    verdict: ClaimVerdict


class _Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An agreed claim."""

    id: str
    verdict: ClaimVerdict
    parts: tuple[_Part, ...] = ()


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """What ``labkit claims --json`` printed when it was agreed on; ids, verdicts and parts are looked at, no more."""

    claims: tuple[_Claim, ...]

    @property
    def verdicts(self) -> Mapping[tuple[str, str | None], ClaimVerdict]:
        """The verdict of each claim, and of each part that is named."""
        whole = {(each.id, None): each.verdict for each in self.claims}
        return whole | {(each.id, part.part): part.verdict for each in self.claims for part in each.parts}


def read(file: Path) -> Agreed:
    """Return an agreed list.

    Raises:
        UsageError: It cannot be read, or is none.
        VacuousError: It has no claim.

    """
    remedy = "make one with `labkit claims --json > FILE`"
    try:
        agreed = msgspec.json.decode(file.read_bytes(), type=Agreed)
    except OSError as error:
        raise UsageError(f"the agreed list {file} cannot be read: {error.strerror}", remedy=remedy) from error
    except msgspec.DecodeError as error:
        raise UsageError(f"{file} is no list of verdicts: {error}", remedy=remedy) from error
    if not agreed.claims:
        raise VacuousError(f"{file} agrees on no claim", remedy=remedy)
    return agreed


def changes(record: ClaimsRecord, agreed: Agreed, *, chosen: Sequence[str]) -> tuple[ChangedClaim, ...]:
    """Return which of the chosen statements' verdicts are not as agreed, in the order of their ids.

    A statement that was not agreed on counts too, and so does one that has no verdict now. Parts are compared where the
    list names them.

    Raises:
        VacuousError: The list has none of the chosen statements.

    """
    known = {each.id for each in agreed.claims}
    if not known & set(chosen):
        raise VacuousError(
            "the agreed list has none of the statements that were judged", remedy="compare with a list of this ledger"
        )
    with_parts = {each.id for each in agreed.claims if each.parts}
    found: dict[tuple[str, str | None], ClaimVerdict] = {}
    for claim in record.claims:
        found[claim.id, None] = claim.verdict
        if claim.id in with_parts:
            found |= {(claim.id, part.part): part.verdict for part in claim.parts}
    wanted = {key: verdict for key, verdict in agreed.verdicts.items() if key[0] in set(chosen)}
    return tuple(
        ChangedClaim(id=key[0], part=key[1], agreed=wanted.get(key), found=found.get(key))
        for key in sorted(wanted.keys() | found.keys(), key=lambda each: (each[0], each[1] or ""))
        if wanted.get(key) is not found.get(key)
    )
