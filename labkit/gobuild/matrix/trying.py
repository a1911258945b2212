"""Starts a built program where it can be started: as the system is, in an empty root, and through qemu-user.

A root folder that holds the program alone proves what it needs: a program that asks for a loader or a library cannot
start there. Root changes its root by ``chroot``, anybody else by ``unshare`` in a user namespace of their own.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.binary import inspect
from labkit.errors import LabError, ProcessError
from labkit.gobuild.matrix.alone import EMPTY_ROOTS
from labkit.model.base import Text
from labkit.model.binary import Linkage
from labkit.model.matrix import Outcome, Place, Trial
from labkit.system import proc
from labkit.system.environment import SYSTEM_PATH

_TIMEOUT_S: Final = 60.0
_QEMU: Final = {"arm64": "qemu-aarch64", "amd64": "qemu-x86_64"}
# What says that the program itself could not be loaded: the kernel's word for a missing loader, qemu's for the same,
# and ld.so's for a missing library.
_NOT_LOADED: Final = (
    "No such file or directory", "Could not open '/lib", "Exec format error", "cannot open shared object file",
)  # fmt: skip
# What says that this machine does not let us change the root.
_NOT_ALLOWED: Final = ("Operation not permitted", "Permission denied", "cannot change root directory", "unshare failed")

#: Starts a program by these words, has it do its work, and returns what it said; an error's text says why it could not.
Work = Callable[[Sequence[str | Path]], str]


@dataclass(frozen=True, kw_only=True)
class _Way:
    """The words that start the program in one place."""

    place: Place
    words: tuple[str | Path, ...] = ()
    reason: Text | None = None


def trials(program: Path, platform: str, *, here: str, work: Work) -> tuple[Trial, ...]:
    """Start a program in every place that its platform has here.

    Args:
        program: The file.
        platform: What it was built for.
        here: This machine's own platform.
        work: What it is asked to do.

    """
    system, architecture = platform.split("/")
    if system != here.split("/", maxsplit=1)[0]:
        return _not_tried((Place.HERE,), "matrix.reason.other-system", system=system)
    native = architecture == here.split("/")[1]
    places = (Place.HERE, Place.EMPTY_ROOT) if native else (Place.QEMU, Place.QEMU_EMPTY_ROOT)
    if system == "darwin":
        if not native:  # Rosetta starts it like any other
            return (_try(_Way(place=Place.HERE, words=(program,)), work),)
        return (
            _try(_Way(place=Place.HERE, words=(program,)), work),
            *_not_tried((Place.EMPTY_ROOT,), "matrix.reason.no-empty-root"),
        )
    found: list[Trial] = []
    for place in places:
        with _way(place, program, architecture) as way:
            found.append(_try(way, work))
    return tuple(found)


def work_of(arguments: Sequence[str]) -> Work:
    """Return the work of a program that is run once with some arguments."""

    def work(words: Sequence[str | Path]) -> str:
        done = proc.run([*words, *arguments], env=environment(), timeout_s=_TIMEOUT_S, check=False)
        if done.returncode != 0:
            raise ProcessError(f"{proc.describe_exit(done.returncode)}: {done.last_words()}", remedy="see the program")
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()][:1]
        lines += [line.strip() for line in done.stderr.splitlines() if line.startswith("go package net:")][:1]
        return "; ".join(lines)

    return work


def environment() -> dict[str, str]:
    """Return the environment that programs are tried in: with netdns=1 Go says which resolver it chose."""
    return {"PATH": SYSTEM_PATH, "GODEBUG": "netdns=1"}


def _not_tried(places: Sequence[Place], reason: str, **values: str) -> tuple[Trial, ...]:
    text = Text(id=reason, values=values)
    return tuple(Trial(place=place, outcome=Outcome.NOT_TRIED, reason=text) for place in places)


@contextmanager
def _way(place: Place, program: Path, architecture: str) -> Iterator[_Way]:
    with tempfile.TemporaryDirectory(prefix="labkit-root-") as folder:
        root, qemu = Path(folder), None
        inside: tuple[str, ...] = ("/program",)
        if place in {Place.QEMU, Place.QEMU_EMPTY_ROOT}:
            qemu = _qemu(architecture, static=place is Place.QEMU_EMPTY_ROOT)
            if qemu is None:
                id_ = "matrix.reason.no-qemu" if place is Place.QEMU else "matrix.reason.no-static-qemu"
                yield _Way(place=place, reason=Text(id=id_, values={"program": _QEMU[architecture]}))
                return
        if place in {Place.HERE, Place.QEMU}:
            yield _Way(place=place, words=(program,) if qemu is None else (qemu, program))
            return
        shutil.copy(program, root / "program")
        if qemu is not None:
            shutil.copy(qemu, root / "qemu")
            inside = ("/qemu", "/program")
        change = change_root(root)
        if change is None:
            yield _Way(place=place, reason=Text(id="matrix.reason.no-empty-root"))
        else:
            yield _Way(place=place, words=(*change, *inside))


def change_root(root: Path) -> tuple[str | Path, ...] | None:
    """Return the words before a program's own that start it with a folder as its root; None where nothing can."""
    name = "chroot" if os.geteuid() == 0 else "unshare"
    found = shutil.which(name, path=SYSTEM_PATH)
    if found is None:
        return None
    return (found, root) if name == "chroot" else (found, "--user", "--map-root-user", f"--root={root}")


def _qemu(architecture: str, *, static: bool) -> Path | None:
    for name in (f"{_QEMU[architecture]}-static", _QEMU[architecture]):
        found = shutil.which(name, path=SYSTEM_PATH)
        if found is not None and (not static or _needs_nothing(Path(found))):
            return Path(found)
    return None


def _needs_nothing(program: Path) -> bool:
    slices = inspect(program.resolve(), pages=False).slices
    return bool(slices) and all(slice_.linkage is Linkage.STATIC for slice_ in slices)


def _try(way: _Way, work: Work) -> Trial:
    if way.reason is not None:
        return Trial(place=way.place, outcome=Outcome.NOT_TRIED, reason=way.reason)
    try:
        return Trial(place=way.place, outcome=Outcome.RAN, said=work(way.words))
    except LabError as error:
        said = _without_folders(error.what, way)
    if way.place in EMPTY_ROOTS and any(sign in said for sign in _NOT_ALLOWED):
        reason = Text(id="matrix.reason.root-refused", values={"said": said})
        return Trial(place=way.place, outcome=Outcome.NOT_TRIED, reason=reason)
    loaded = not any(sign in said for sign in _NOT_LOADED)
    return Trial(place=way.place, outcome=Outcome.FAILED if loaded else Outcome.NOT_STARTED, said=said)


def _without_folders(said: str, way: _Way) -> str:
    # The folders are of this moment and of this machine; the programs' names are enough.
    for word in way.words:
        if os.sep in str(word):
            said = said.replace(str(word), Path(word).name)
    return said
