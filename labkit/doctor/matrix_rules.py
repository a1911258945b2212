"""The rules about the build matrix, in the manner of :mod:`labkit.doctor.rules`."""

from typing import ClassVar

from labkit.gobuild.matrix.alone import alone
from labkit.model.base import Text
from labkit.model.binary import Linkage
from labkit.model.check import Evidence, Finding, Need, NeedKind, Remedy, Status
from labkit.model.matrix import Cell, Matrix, Outcome, Trial


class StaticIsAlone:
    """Compares each program's linkage, as its bytes say it, with whether it started in an empty root.

    Static and started, or dynamic and not started, agree; skipped when nothing was started in an empty root.
    Fix: none for a user; such a program shows a fault in labkit's reading.
    """

    id: ClassVar[str] = "static-is-alone"
    needs: ClassVar[tuple[Need, ...]] = (Need(kind=NeedKind.TOOLCHAIN, name="current"),)
    source: ClassVar[str | None] = None
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: Matrix) -> Finding:
        """Judge all programs at once."""
        title = Text(id="matrix.static_is_alone")
        tried = [(cell, trial) for cell in facts.cells for trial in alone(cell)]
        if not tried:
            return Finding(
                id=self.id, status=Status.SKIP, title=title, evidence=(), reason=Text(id="matrix.nothing_alone")
            )
        wrong = [(cell, trial) for cell, trial in tried if not _agree(cell, trial)]
        count = Evidence(
            what="programs in an empty root", found=f"{len(tried) - len(wrong)} agree", wanted=f"{len(tried)} agree"
        )
        each = tuple(
            Evidence(
                what=f"{cell.program} {cell.platform} {cell.variant}",
                found=f"{cell.linkage}, {trial.outcome}: {trial.said}",
                wanted="static programs start alone, dynamic ones do not",
            )
            for cell, trial in wrong
        )
        return Finding(
            id=self.id,
            status=Status.FAIL if wrong else Status.PASS,
            title=title,
            evidence=(count, *each),
            remedy=Remedy(text=Text(id="matrix.report_it")) if wrong else None,
        )


def _agree(cell: Cell, trial: Trial) -> bool:
    return (trial.outcome is not Outcome.NOT_STARTED) == (cell.linkage is Linkage.STATIC)
