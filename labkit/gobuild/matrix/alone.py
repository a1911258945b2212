"""What was started in an empty root: which places are one, and which trials took place there. It judges nothing."""

from typing import Final

from labkit.model.matrix import Cell, Outcome, Place, Trial

#: The places where a program has nothing but itself (and a static qemu).
EMPTY_ROOTS: Final = frozenset({Place.EMPTY_ROOT, Place.QEMU_EMPTY_ROOT})


def alone(cell: Cell) -> tuple[Trial, ...]:
    """Return the trials of a cell in an empty root, without those that were not tried."""
    return tuple(
        trial for trial in cell.trials if trial.place in EMPTY_ROOTS and trial.outcome is not Outcome.NOT_TRIED
    )
