"""The shape of a trap: what it needs, and five steps on real parts. Runs nothing itself; see :mod:`.running`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from labkit.model.base import Text
from labkit.model.traps import Case, Step
from labkit.traps.parts import Part
from labkit.traps.rig import Rig


class Trap(ABC):
    """One trap, one object a run: it keeps the parts that it started, and the rig ends them.

    The docstring of a subclass says by what method it goes. Each step returns what it saw and judges only its own
    ``seen``; whether the trap passes is decided in one place (:func:`labkit.traps.running.judged`). A part that
    crashes, or a condition that does not come in time, raises a LabError: that fails the trap, and never passes it.
    """

    id: ClassVar[str]
    needs: ClassVar[tuple[Part, ...]] = ()  # without one of these the trap is skipped
    sources: ClassVar[tuple[str, ...]] = ()
    notes: ClassVar[tuple[str, ...]] = ()  # ids of words: what differs on macOS

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    @classmethod  # noqa: B027 - most traps need nothing more
    def prepare(cls) -> None:
        """Fetch into labkit's store what the trap needs beyond the machine's packages; twice does no harm."""

    @property
    def title(self) -> Text:
        """Its name for a reader."""
        return Text(id=f"trap_{self.id}.title")

    @property
    def cause(self) -> Text:
        """Its cause in a sentence; told only when diagnose has shown it."""
        return Text(id=f"trap_{self.id}.cause")

    @property
    def remedy(self) -> Text:
        """Its fix in a sentence; told only when verify has shown it."""
        return Text(id=f"trap_{self.id}.fix")

    @abstractmethod
    def reproduce(self) -> Step:
        """Start the parts with the fault in them and look for the symptom; ``output`` is the symptom's own text."""

    @abstractmethod
    def diagnose(self) -> Step:
        """Run the command that shows the cause."""

    @abstractmethod
    def fix(self) -> Step:
        """Change what is wrong, on the running parts where operators would."""

    @abstractmethod
    def verify(self) -> Step:
        """Look for the symptom with the probe of reproduce."""

    @abstractmethod
    def control(self) -> Step:
        """Look for the symptom with the probe of reproduce, on fresh parts that never had the fault."""

    def cases(self) -> tuple[Case, ...]:
        """Return what else the parts show; a case whose own parts are missing is skipped with the reason."""
        return ()

    def versions(self) -> Mapping[str, str]:
        """Return the versions of the parts, as they say themselves."""
        return {}
