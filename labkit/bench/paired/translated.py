"""One program built twice, native and for the other architecture: the two arms of what translation costs.

On a Mac of Apple silicon Rosetta 2 translates darwin/amd64, mostly ahead of time. On Linux qemu-user emulates, by
translating block after block at run time. What one costs says nothing of the other; a difference says which it was.

No Mac has run this yet.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.bench.paired.plan import PairedPlan
from labkit.bench.worker import list_all, plugin_environment
from labkit.errors import ImpossibleHereError, ProcessError, UsageError
from labkit.model.codegen import Built
from labkit.model.paired import Arm
from labkit.system import environment, proc

#: The kernel that starts a program of its own.
_PLUGIN: Final = "protoc-gen-go"

_TIME_LIMIT_S: Final = 180.0
_FEW_COUPLES: Final = 16


@dataclass(frozen=True, kw_only=True)
class _Way:
    platform: str  # what is translated
    translator: str | None  # the program to start it with; None: the system does it by itself
    remedy: str


#: By the platform of the machine; the translator's names and packages are Debian's.
_WAYS: Final = {
    "darwin/arm64": _Way(
        platform="darwin/amd64",
        translator=None,
        remedy="install Rosetta 2: softwareupdate --install-rosetta --agree-to-license",
    ),
    "linux/amd64": _Way(
        platform="linux/arm64", translator="qemu-aarch64", remedy="install qemu's user mode: apt-get install qemu-user"
    ),
    "linux/arm64": _Way(
        platform="linux/amd64", translator="qemu-x86_64", remedy="install qemu's user mode: apt-get install qemu-user"
    ),
}


def translated_arms(
    build: Callable[[str], Built],
    platform: str,
    kernels: Sequence[str],
    *,
    plugin: Callable[[str], Built] | None = None,
    path: str | None = None,
) -> tuple[tuple[Arm, Arm], ...]:
    """Return for each kernel the native arm as the baseline and the translated one as the changed arm.

    Args:
        build: Builds the worker for a platform (:meth:`labkit.facts.Facts.worker_for`).
        platform: The machine's own, such as linux/amd64.
        kernels: By name, with or without a point.
        plugin: Builds protoc-gen-go for a platform, for the kernel of that name; without it the kernel lacks.
        path: The folders to look for the translator in; the user's PATH when None.

    Raises:
        UsageError: There is no such kernel.
        ImpossibleHereError: There is no translator here, or a kernel would tell of the host when translated.
        BuildError: The worker does not compile for the other platform.

    """
    way = _WAYS.get(platform)
    if way is None:
        raise ImpossibleHereError(
            f"nothing is known to run another architecture on {platform}", remedy=f"use one of {', '.join(_WAYS)}"
        )
    native, other = (Path(build(name).path) for name in (platform, way.platform))
    wanted = plugin if any(name.partition("@")[0] == _PLUGIN for name in kernels) else None
    plugins = [None if wanted is None else Path(wanted(name).path) for name in (platform, way.platform)]
    known = {kernel.name: kernel for kernel in list_all(native, plugin=plugins[0]).kernels}
    for name in kernels:
        kernel = known.get(name.partition("@")[0])
        if kernel is None:
            raise UsageError(f"there is no benchmark kernel {name}", remedy=f"the kernels are: {', '.join(known)}")
        if kernel.refused_translated:
            raise ImpossibleHereError(
                f"{name} is not measured translated: it would tell of the host's caches and memory, not of the program",
                remedy="leave it out of this comparison",
            )
    translator = _translator(way, path)
    words = (*translator, str(other))
    _starts(words, way)
    launcher = Path(translator[0]) if translator else None
    given = plugin_environment(plugins[0]), plugin_environment(plugins[1], launcher if plugins[1] else None)
    return tuple(
        (
            Arm(label="native", program=(str(native),), kernel=name, environment=given[0]),
            Arm(label="translated", program=words, kernel=name, environment=given[1]),
        )
        for name in kernels
    )


def translated_plan(platform: str, *, seed: int = 1, time_limit_s: float | None = None) -> PairedPlan:
    """Return how arms of :func:`translated_arms` are compared.

    An emulator takes many times as long, which short pairs see as well as long ones: theirs have a quarter of the
    couples. The first look's 8 pairs then took from 4 s to 113 s (protoc-gen-go) with qemu on a 2-core virtual machine.

    Args:
        platform: The machine's own.
        seed: Of every order.
        time_limit_s: Seconds for each comparison; enough for a first look when None.

    """
    way = _WAYS.get(platform)
    emulated = way is not None and way.translator is not None
    limit_s = _TIME_LIMIT_S if time_limit_s is None else time_limit_s
    return PairedPlan(couples=_FEW_COUPLES if emulated else PairedPlan().couples, seed=seed, time_limit_s=limit_s)


def _translator(way: _Way, path: str | None) -> tuple[str, ...]:
    if way.translator is None:
        return ()
    found = shutil.which(way.translator, path=path)
    if found is None:
        raise ImpossibleHereError(
            f"{way.translator} is not on PATH, so {way.platform} cannot run here", remedy=way.remedy
        )
    return (str(Path(found).absolute()),)


def _starts(words: tuple[str, ...], way: _Way) -> None:
    try:
        proc.run([*words, "list", "--json"], env=environment.base(), timeout_s=120)
    except ProcessError as error:
        raise ImpossibleHereError(f"{way.platform} does not run here: {error.what}", remedy=way.remedy) from error
