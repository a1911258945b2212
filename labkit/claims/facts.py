"""What the checks share: the facts of this machine, Go of other days, the host's tools, and facts gathered once.

A *probe* is a named function that gathers one fact that several checks may want. Its value is a record, so that it can
be kept: under ``LABKIT_HOME/claims`` by the digest of all that it depends on, with the date. What a test replaces (a Go
tree, a tool, the value of a probe) turns that cache off for the probes that asked for it, and for no others.
"""

import inspect
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast, get_type_hints

import msgspec

from labkit import __version__
from labkit.claims import gos, keeping
from labkit.claims.using import current, note_asked, note_tool, watching
from labkit.errors import ImpossibleHereError, NetworkError
from labkit.facts import Facts
from labkit.model.claims import FactUse
from labkit.model.machine import Machine
from labkit.system.store import digest, file_digest, home, write_atomically
from labkit.toolchain import find, program

T = TypeVar("T")
Progress = Callable[[str], None]

_HOST_TOOL: Final = "host"


@dataclass(frozen=True)
class Probe(Generic[T]):
    """A shared fact: :meth:`ClaimFacts.get` gathers it once a run, and carries it over while nothing has changed.

    Attributes:
        name: Permanent, in small letters with hyphens.
        make: Gathers it; its return annotation is what is kept.
        tools: Programs of the host that it runs; a change of their bytes makes it stale.
        recipe: What else it depends on (versions of Go, an input's text).
        fresh_for_s: How old it may get, for what a network says; None: it never gets stale by age.

    """

    name: str
    make: Callable[["ClaimFacts"], T]
    tools: tuple[str, ...] = ()
    recipe: Mapping[str, Any] | None = None
    fresh_for_s: float | None = None

    @cached_property
    def result(self) -> type[T]:
        """The type of the value."""
        kind: type[T] = get_type_hints(self.make)["return"]
        return kind


def probe(
    name: str,
    *,
    tools: Sequence[str] = (),
    recipe: Mapping[str, Any] | None = None,
    fresh_for_s: float | None = None,
) -> Callable[[Callable[["ClaimFacts"], T]], Probe[T]]:
    """Return a decorator that makes a function a :class:`Probe`."""

    def decorate(make: Callable[["ClaimFacts"], T]) -> Probe[T]:
        return Probe(name=name, make=make, tools=tuple(tools), recipe=recipe, fresh_for_s=fresh_for_s)

    return decorate


class _Shared(Facts):
    """Facts that many threads may ask: what is gathered is gathered by one of them."""

    def __init__(self, toolchain: str, *, progress: Progress) -> None:
        object.__setattr__(self, "_lock", threading.RLock())
        super().__init__(toolchain, progress=progress)

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - whatever the property holds
        if name.startswith("__") or name == "_lock":
            return super().__getattribute__(name)
        with super().__getattribute__("_lock"):
            return super().__getattribute__(name)


class ClaimFacts:
    """What checks ask. Safe to share among threads.

    Args:
        base: The facts of this machine with the set that is judged; made when None.
        toolchain: The name of that set, where there is no base.
        fresh: Gather every probe anew.
        own_gos: A go executable for a version (``1.20.14``), in place of Go's own.
        own_tools: A program's path by its name, in place of what PATH gives; None: as if it were not there.
        own_facts: A probe's value by its name, in place of gathering it.
        own_machine: Who this machine is taken to be.
        progress: Called with one line before each step that may take long.

    """

    def __init__(
        self,
        base: Facts | None = None,
        *,
        toolchain: str = "current",
        fresh: bool = False,
        own_gos: Mapping[str, Path] | None = None,
        own_tools: Mapping[str, Path | None] | None = None,
        own_facts: Mapping[str, object] | None = None,
        own_machine: Machine | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.progress = progress or (lambda _line: None)
        self._sets: dict[str, Facts] = {"current": base or _Shared(toolchain, progress=self.progress)}
        self._gos = dict(own_gos or {})
        self._tools = dict(own_tools or {})
        self._own = dict(own_facts or {})
        self._machine = own_machine
        self._fresh = fresh
        self._altered = frozenset(
            [
                *(f"go {version}" for version in self._gos),
                *(f"tool {name}" for name in self._tools),
                *(f"fact {name}" for name in self._own),
            ]
        )
        self._values: dict[str, tuple[object, Mapping[str, str], frozenset[str]]] = {}
        self._uses: dict[str, FactUse] = {}
        self._guard = threading.RLock()
        self._locks: dict[str, threading.RLock] = {}

    @property
    def lab(self) -> Facts:
        """The facts of this machine with the current set: tools, generated code, builds, listings."""
        self._note_set("current")
        return self._sets["current"]

    def set_facts(self, name: str) -> Facts:
        """Return the facts of this machine with another set, such as ``handbook``."""
        with self._guard:
            if name not in self._sets:
                self._sets[name] = _Shared(name, progress=self.progress)
        self._note_set(name)
        return self._sets[name]

    @property
    def machine(self) -> Machine:
        """Who this machine is."""
        return self._machine or self._sets["current"].machine

    def go(self, version: str = "") -> Path:
        """Return a go executable: the current set's, or that of a version, fetched by Go itself when it is not here.

        Its folder's parent is its GOROOT. Start it with :func:`labkit.toolchain.golang.run`.

        Raises:
            NetworkError: It is not here and could not be fetched.

        """
        own = find(self._sets["current"].toolchain, "go").pinned_version
        wanted = version or own
        note_tool(f"go {wanted}", wanted)
        note_asked(f"go {wanted}")
        if wanted in self._gos:
            return self._gos[wanted]
        current = program(self._sets["current"].toolchain, "go")
        if wanted == own:
            return current
        with self._lock(f"go {wanted}"):
            return gos.obtain(current, wanted)

    def go_versions(self) -> tuple[str, ...]:
        """Return the versions of Go that checks compare, one a line of Go's history, the oldest first."""
        own = find(self._sets["current"].toolchain, "go").pinned_version
        return tuple(sorted({*gos.versions(), own}, key=lambda each: tuple(map(int, each.split(".")))))

    def tool(self, name: str) -> Path:
        """Return a program of the host by its name.

        Raises:
            ImpossibleHereError: PATH gives none.

        """
        path = self.has_tool(name)
        if path is None:
            raise ImpossibleHereError(f"there is no {name} on PATH", remedy=f"install {name}")
        note_tool(name, _HOST_TOOL)
        return path

    def replaced_tool(self, name: str) -> Path | None:
        """Return what a test has put in a tool's place, None where it has put nothing."""
        note_asked(f"tool {name}")
        return self._tools.get(name)

    def has_tool(self, name: str) -> Path | None:
        """Return a program of the host by its name, None where there is none."""
        note_asked(f"tool {name}")
        if name in self._tools:
            return self._tools[name]
        found = shutil.which(name)
        return Path(found).absolute() if found else None

    def get(self, probe: Probe[T]) -> T:
        """Return a shared fact.

        Raises:
            LabError: It could not be gathered.

        """
        using = current()
        if using is not None:
            using.facts[probe.name] = None
        with self._lock(probe.name):
            if probe.name not in self._values:
                obtained = self._obtain(probe)
                self._values[probe.name] = obtained
            value, tools, asked = self._values[probe.name]
        note_asked(f"fact {probe.name}", *asked)
        if using is not None:
            using.tools.update(tools)
        return cast("T", value)

    @property
    def uses(self) -> tuple[FactUse, ...]:
        """The shared facts that were asked for so far."""
        with self._guard:
            return tuple(sorted(self._uses.values(), key=lambda each: each.name))

    def _obtain(self, probe: Probe[T]) -> tuple[T, Mapping[str, str], frozenset[str]]:
        if probe.name in self._own:
            return cast("T", self._own[probe.name]), {}, frozenset()
        key = self._digest(probe)
        file = home() / "claims" / "facts" / f"{probe.name}-{key}.json"
        kept = None if self._fresh else keeping.read(file)
        if kept is not None and self._altered & kept.asked:
            kept = None
        if kept is not None and not keeping.too_old(kept, probe.fresh_for_s):
            return self._carried(probe, key, kept)
        self.progress(probe.name)
        started = time.monotonic()
        try:
            with watching() as using:
                value = probe.make(self)
        except NetworkError:
            if kept is None:
                raise
            return self._carried(probe, key, kept)  # older than it should be: its date says so
        fresh = keeping.Kept(
            name=probe.name,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            gathered_in_s=time.monotonic() - started,
            tools=using.tools,
            asked=frozenset({*using.asked, *(f"tool {each}" for each in probe.tools)}),
            value=msgspec.Raw(msgspec.json.encode(value)),
        )
        if not self._altered & fresh.asked:
            write_atomically(file, msgspec.json.encode(fresh))
        self._use(probe.name, key, fresh, carried_over=False)
        return value, using.tools, fresh.asked

    def _carried(self, probe: Probe[T], key: str, kept: keeping.Kept) -> tuple[T, Mapping[str, str], frozenset[str]]:
        self._use(probe.name, key, kept, carried_over=True)
        return msgspec.json.decode(kept.value, type=probe.result), kept.tools, kept.asked

    def _use(self, name: str, key: str, kept: keeping.Kept, *, carried_over: bool) -> None:
        with self._guard:
            self._uses[name] = FactUse(
                name=name, digest=key, date=kept.date, gathered_in_s=kept.gathered_in_s, carried_over=carried_over
            )

    def _digest(self, probe: Probe[T]) -> str:
        here = self.machine
        found = {name: self.has_tool(name) for name in probe.tools}
        return digest(
            {
                "probe": probe.name,
                "labkit": __version__,
                "code": file_digest(Path(inspect.getfile(probe.make))),
                "toolchain": self._sets["current"].toolchain.digest,
                "machine": [here.id, here.system_version, here.kernel],
                "gos": list(self.go_versions()),
                "tools": {name: file_digest(path.resolve()) if path else None for name, path in found.items()},
                "recipe": dict(probe.recipe or {}),
            }
        )

    def _lock(self, name: str) -> threading.RLock:
        with self._guard:
            return self._locks.setdefault(name, threading.RLock())

    def _note_set(self, name: str) -> None:
        if current() is not None:
            for each in self._sets[name].toolchain.tools:
                note_tool(each.name if name == "current" else f"{each.name} ({name})", each.pinned_version)
