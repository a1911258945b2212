"""The service with the connection pools: our ``Orders.java``, compiled and run on the JDK at hand, told by lines."""

import os
from collections.abc import Callable
from importlib import resources

from labkit.errors import ProcessError
from labkit.system import proc
from labkit.system.proc import Interactive
from labkit.traps import jars, jdk
from labkit.traps.rig import PATIENCE_S, Rig

JARS = "pool"
PACKAGE = "labkit.traps.pool"
_SOURCE = "Orders.java"
_REMEDY = "run it once more with -v and read the log for what the service said"


def compiled(rig: Rig) -> str:
    """Compile the service into the rig's folder and return its class path."""
    path = jars.classpath(JARS, PACKAGE)
    classes = rig.folder / "classes"
    classes.mkdir()
    source = rig.folder / _SOURCE
    source.write_bytes(resources.files(PACKAGE).joinpath(_SOURCE).read_bytes())
    rig.run([*jdk.watching("javac"), "-Xlint:all", "-cp", path, "-d", classes, source])
    return f"{classes}{os.pathsep}{path}"


class Service:
    """One running service; the rig ends it."""

    def __init__(self, rig: Rig, classpath: str) -> None:
        self._rig = rig
        self._child: Interactive = rig.enter(
            proc.converse(
                [jdk.tool("java"), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classpath,
                 "Orders"],
                env=rig.environment(),
                cwd=rig.folder,
            )
        )  # fmt: skip
        rig.enter(jdk.ended_in_order(self._child))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    def say(self, command: str, **words: str | int) -> dict[str, str]:
        """Tell the service to do something and return its answer.

        Raises:
            ProcessError: It ended, or refused for another cause than the caller asks about.

        """
        fields = self.ask(command, **words)
        if "refused" in fields:
            raise ProcessError(f"the service refused {command}: {fields['refused']}", remedy=_REMEDY)
        return fields

    def ask(self, command: str, **words: str | int) -> dict[str, str]:
        """Return the service's answer, a refusal (``refused``) included."""
        line = " ".join([command, *(f"{name}={value}" for name, value in words.items())])
        self._child.write_line(line, remedy=_REMEDY)
        answer = self._child.read_line(timeout_s=PATIENCE_S, remedy=_REMEDY)
        return dict(field.split("=", 1) for field in answer.split("\t"))

    def state(self, pool: str) -> dict[str, int]:
        """Return the numbers of a pool and of what was sent to it."""
        return {name: int(value) for name, value in self.say("state", pool=pool).items() if name != "error"}

    def until(self, what: str, pool: str, reached: Callable[[dict[str, int]], bool]) -> dict[str, int]:
        """Wait until a pool's numbers are so, and return them."""

        def look() -> dict[str, int] | None:
            numbers = self.state(pool)
            return numbers if reached(numbers) else None

        return self._rig.until(what, look)

    def log(self) -> str:
        """Return what the service has logged so far."""
        return self._child.output()[1].decode("utf-8", "replace")


class Condition:
    """A condition on a pool's numbers: each named one has this value, or more."""

    def __init__(self, **least: int) -> None:
        self._least = least

    def __call__(self, numbers: dict[str, int]) -> bool:
        """Return whether they are reached."""
        return all(numbers[name] >= value for name, value in self._least.items())
