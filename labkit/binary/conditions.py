"""What a verdict rule's condition is: a function, by the rule's id, from a case to the slots of its text or None.

The conditions themselves are those of :mod:`labkit.binary.apple` and :mod:`labkit.binary.linux`. They look at facts, at
what a machine's name stands for, and at whether a library lies beside the program where its rpaths point. They know no
other machine and start no process.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from labkit.binary.machines import Target
from labkit.model.binary import Binary, Slice

Slots: TypeAlias = Mapping[str, str | int]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One binary before one machine, and the slice that this machine would take."""

    binary: Binary
    target: Target
    slice: Slice
    rule: Mapping[str, Any]

    @property
    def macos(self) -> int:
        """The machine's major version of macOS."""
        return self.target.macos or 0

    @property
    def translated(self) -> bool:
        """Whether Rosetta would run it."""
        return self.slice.architecture in {"x86_64", "x86_64h"}


Condition: TypeAlias = Callable[[Case], Slots | None]


def keeper(registry: dict[str, Condition]) -> Callable[[str], Callable[[Condition], Condition]]:
    """Return a decorator that keeps functions as the conditions of rules: ``@condition("rule-id")``."""

    def condition(id_: str) -> Callable[[Condition], Condition]:
        def keep(function: Condition) -> Condition:
            registry[id_] = function
            return function

        return keep

    return condition


COMMON: Final[dict[str, Condition]] = {}
_condition = keeper(COMMON)

_LOADABLE: Final = frozenset({"executable", "library", "bundle"})


@_condition("not-a-program")
def _not_a_program(case: Case) -> Slots | None:
    return None if case.slice.file_type in _LOADABLE else {"type": case.slice.file_type}
