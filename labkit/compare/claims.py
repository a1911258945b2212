"""Statements' verdicts side by side: what each column's latest run found, and who has not judged. It judges nothing."""

from collections.abc import Sequence
from typing import Final

from labkit.compare.columns import Group
from labkit.compare.entry import Judged
from labkit.model.base import Text
from labkit.model.claims import ClaimVerdict
from labkit.model.comparison import Axis, ClaimCell, ClaimRow, ClaimStanding

_Key = tuple[str, str]  # ledger, id

#: The first rows are those that a reader compares machines for.
_ORDER: Final = tuple(ClaimStanding)


def rows(groups: Sequence[Group], axis: Axis) -> tuple[ClaimRow, ...]:
    """Return a row a statement: those that differ first, then those that some have not judged, then the others.

    Of a column's several runs the latest that has the statement counts: an older one was of other tools.
    """
    if axis is Axis.TRANSLATION:
        return ()
    latest: list[dict[_Key, Judged]] = []
    known: dict[_Key, Judged] = {}
    for made in groups:
        found: dict[_Key, Judged] = {}
        for entry in made.looked_at:
            for key, judged in entry.claims.items():
                known.setdefault(key, judged)
                if key not in found or judged.date > found[key].date:
                    found[key] = judged
        latest.append(found)
    made_rows = [
        _row(
            key,
            judged,
            [_cell(made, of.get(key)) for made, of in zip(groups, latest, strict=True)],
            asked=[any(other[0] == key[0] for other in of) for of in latest],
        )
        for key, judged in known.items()
    ]
    return tuple(sorted(made_rows, key=lambda each: _ORDER.index(each.standing)))


def _row(key: _Key, judged: Judged, cells: Sequence[ClaimCell], *, asked: Sequence[bool]) -> ClaimRow:
    return ClaimRow(
        ledger=key[0],
        id=key[1],
        chapter=judged.chapter,
        wording=judged.wording,
        standing=_standing([each for each, was in zip(cells, asked, strict=True) if was]),
        cells=tuple(cells),
    )


def _cell(made: Group, judged: Judged | None) -> ClaimCell:
    if judged is not None:
        return ClaimCell(
            verdict=judged.verdict, parts=judged.parts, date=judged.date, toolchain=judged.toolchain, run=judged.run
        )
    if made.judged_for is not None:
        return ClaimCell(verdict=None, why=Text(id="compare.why.no_record", values={"chip": made.chip or made.name}))
    return ClaimCell(verdict=None, why=Text(id="compare.why.no_claim"))


def _standing(cells: Sequence[ClaimCell]) -> ClaimStanding:
    """Return how the columns that have judged this ledger stand to each other; what one of them lacks is a gap."""
    said = [
        {at: verdict for at, verdict in each.parts.items() if verdict is not ClaimVerdict.UNTESTED} for each in cells
    ]
    letters = {at for of in said for at in of}
    if any(len({of[at] for of in said if at in of}) > 1 for at in letters):
        return ClaimStanding.DIFFERS
    if any(at not in of for of in said for at in letters):
        return ClaimStanding.PARTLY
    return ClaimStanding.ALIKE if letters else ClaimStanding.UNTESTED
