"""Single cases run with the parts of the production traps, for statements that a trap's own steps do not judge.

Where a part is missing the statement is untested, with the trap's own words on how to get it. A whole trap as a shared
fact is :mod:`labkit.claims.trap_runs`.
"""

import contextlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import ClassVar, Final

from labkit.claims import trap_runs
from labkit.claims.base import ClaimCheck
from labkit.claims.facts import ClaimFacts
from labkit.claims.ledgers import own
from labkit.claims.needs import untested
from labkit.model.claims import PartVerdict
from labkit.system import environment, proc
from labkit.system.store import Store, digest, file_digest
from labkit.traps import jdk, outcomes, running
from labkit.traps.parts import Part
from labkit.traps.rig import Rig

_ROOM: Final = Path(running.__file__).parent
_COMPILE_TIMEOUT_S: Final = 300.0
_JAVAP_TIMEOUT_S: Final = 60.0


class CaseCheck(ClaimCheck):
    """Base of the checks that judge single cases of a trap; all parts are untested where one of ``wants`` is missing.

    Attributes:
        trap: The trap's id.
        wants: What its cases are made of.

    """

    trap: ClassVar[str]
    wants: ClassVar[tuple[Part, ...]] = ()

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge, or say what is missing."""
        lacking = [part for part in self.wants if not part.present()]
        if lacking:
            reason, would = outcomes.reason_of(lacking), trap_runs.would(self.trap)
            return tuple(untested(letter, reason, would) for letter in own().find(self.id).letters)
        return self.shown(facts)

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge the parts by cases that can be run here; as :meth:`ClaimCheck.parts`."""
        raise NotImplementedError

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch what the trap wants."""
        facts.progress(f"trap-{self.trap}: prepare")
        for _id, _why in running.prepare([self.trap]):
            pass  # what could not be had is the reason why the claim is untested


@contextlib.contextmanager
def rig(name: str) -> Iterator[Rig]:
    """Return a rig whose parts are gone afterwards; one that has crashed meanwhile is an error.

    Raises:
        ProcessError: A part ended by itself.

    """
    with Rig(name) as made:
        yield made
        made.check_parts()


@cache
def sources(id_: str) -> str:
    """Return a digest of the files that a trap's parts are run by: another one makes what was gathered stale."""
    names = [*_ROOM.glob("*.py"), *(_ROOM / id_).glob("*")]
    return digest({each.name: file_digest(each) for each in sorted(names) if each.is_file()})


def java_classes(name: str, source: Path, classpath: str, *, release: str = "17") -> Path:
    """Compile one Java file against a class path, once, into the store; return the folder of its classes.

    Raises:
        ProcessError: The compiler refused it.

    """
    recipe = {"kind": "java", "source": file_digest(source), "libraries": classpath, "release": release}

    def make(folder: Path) -> Path:
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            proc.run(
                [*jdk.watching("javac"), "-proc:none", "-parameters", "--release", release, "-cp", classpath, "-d",
                 folder, source],
                env=environment.base(),
                timeout_s=_COMPILE_TIMEOUT_S,
                cwd=Path(scratch),
            )  # fmt: skip
        return next(folder.rglob("*.class"))

    return Store().obtain(f"claims-{name}", recipe, make, held=True)


def java_calls(name: str, classpath: str) -> tuple[str, ...]:
    """Return the methods that a class calls, as javap reads its bytes; none where there is no javap."""
    javap = jdk.tool("javap")
    if not javap.is_file():
        return ()
    said = proc.run(
        [*jdk.watching("javap"), "-p", "-c", "-cp", classpath, name], env=environment.base(), timeout_s=_JAVAP_TIMEOUT_S
    )
    return tuple(dict.fromkeys(re.findall(r"// (?:Interface)?Method ([\w/$]+\.\w+):", said.stdout)))
