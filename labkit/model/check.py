"""The one shape of a check: doctor rules, binary verdicts, solver bounds, traps and claims all have it.

A check has a permanent id, says in its docstring by what method it judges, names what it needs, and turns facts into a
:class:`Finding` with evidence. A check whose need is not met is skipped with that need as its reason, not failed.
"""

from enum import StrEnum
from typing import ClassVar, Protocol, TypeVar

from labkit.model.base import Provenance, Record, Text


class Status(StrEnum):
    """What a check found."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    SKIP = "skip"


class NeedKind(StrEnum):
    """What sort of thing a check cannot do without."""

    TOOL = "tool"  # an executable on this machine
    TOOLCHAIN = "toolchain"  # a provisioned set
    ARCHITECTURE = "architecture"  # of this machine
    SYSTEM = "system"  # macos or linux
    HARDWARE = "hardware"  # a chip, a counter
    NETWORK = "network"


class Need(Record, frozen=True, kw_only=True):
    """One thing that a check needs, such as ``Need(kind=NeedKind.TOOL, name="codesign")``."""

    kind: NeedKind
    name: str


class Evidence(Record, frozen=True, kw_only=True):
    """One thing that was looked at: what, what it said, and what was wanted (None when nothing was)."""

    what: str  # a command line, a file or a field of the facts
    found: str
    wanted: str | None = None
    provenance: Provenance = Provenance.MEASURED


class Remedy(Record, frozen=True, kw_only=True):
    """What to do: a sentence, and commands to copy."""

    text: Text
    commands: tuple[str, ...] = ()


class Finding(Record, frozen=True, kw_only=True):
    """The outcome of one check."""

    id: str
    status: Status
    title: Text
    evidence: tuple[Evidence, ...]
    remedy: Remedy | None = None  # on a failure
    reason: Text | None = None  # on a skip
    link: str | None = None  # the source of the rule
    confirmed_on_hardware: bool | None = None  # None: the rule is not about a particular machine


FactsT_contra = TypeVar("FactsT_contra", contravariant=True)


class Check(Protocol[FactsT_contra]):
    """What every check class offers; ``Facts`` is whatever its room gathers."""

    id: ClassVar[str]
    needs: ClassVar[tuple[Need, ...]]
    source: ClassVar[str | None]
    confirmed_on_hardware: ClassVar[bool | None]

    def check(self, facts: FactsT_contra) -> Finding:
        """Judge the facts."""
        ...
