"""Where Go, Python and Java take zone data from when the system has none."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from labkit import machine, toolchain
from labkit.errors import ProvisionError
from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case
from labkit.system.store import Store, file_digest
from labkit.toolchain import golang
from labkit.traps import jdk, parts, private
from labkit.traps.rig import Rig
from labkit.traps.timezone import namespaces
from labkit.traps.timezone.clock import INSTANT_S, SYSTEM_DATA, ZONE

_GO_SOURCES: Final = Path(__file__).parent / "goprogram"
_JAVA_SOURCE: Final = Path(__file__).parent / "Zone.java"
_PYTHON: Final = (
    "import datetime, zoneinfo; "
    f"print(datetime.datetime.fromtimestamp({INSTANT_S}, zoneinfo.ZoneInfo('{ZONE}')).strftime('%H:%M %Z %z'))"
)
_LOCAL: Final = "08:00 CST +0800"


def prepare() -> None:
    """Build both Go programs into the store.

    Raises:
        ProvisionError: The current set's Go cannot be had.

    """
    for tags in ("", "timetzdata"):
        _go_program(tags)


def cases(rig: Rig) -> tuple[Case, ...]:
    """Return each language's case, skipped with the reason where it or a namespace is missing."""
    return (*_python(rig), *_go(rig), _java(rig))


def _python(rig: Rig) -> tuple[Case, ...]:
    """Ask without site-packages, where the package tzdata may lie, and then with that package alone."""
    empty = rig.folder / "python"
    empty.mkdir()
    words = [sys.executable, "-S", "-c", _PYTHON]
    bare = rig.run(words, env=rig.environment(PYTHONTZPATH=str(empty)), check=False)
    found = importlib.util.find_spec("tzdata")
    if found is None or found.origin is None:
        with_package = _skipped("python_tzdata", parts.package("tzdata", "tzdata"))
    else:
        path = str(Path(found.origin).parents[1])
        env = rig.environment(PYTHONTZPATH=str(empty), PYTHONPATH=path)
        said = rig.run(words, env=env, check=False)
        with_package = _case("python_tzdata", said.stdout.strip() == _LOCAL, "pip install tzdata", said.stdout)
    passed = bare.returncode != 0 and "ZoneInfoNotFoundError" in bare.stderr
    return _case("python", passed, f"ZoneInfo('{ZONE}')", bare.stderr.splitlines()[-1:]), with_package


def _go(rig: Rig) -> tuple[Case, ...]:
    wanted = {
        "go": ("", lambda said: said.startswith("unknown time zone")),
        "go_tzdata": ("timetzdata", lambda said: said == _LOCAL),
    }
    if not private.NAMESPACE.present():
        return tuple(_skipped(id_, private.NAMESPACE) for id_ in wanted)
    try:
        return tuple(_go_case(rig, id_, tags, right) for id_, (tags, right) in wanted.items())
    except ProvisionError:
        return tuple(_skipped(id_, parts.Part(name="Go", present=bool, other="labkit setup")) for id_ in wanted)


def _go_case(rig: Rig, id_: str, tags: str, right: Callable[[str], bool]) -> Case:
    over = namespaces.image(rig.folder / id_, data=False, timezone=False, localtime=False)
    said = rig.run(private.command([_go_program(tags), ZONE, str(INSTANT_S)], over)).stdout.strip()
    return _case(id_, right(said), f"go build{f' -tags {tags}' if tags else ''}; time.LoadLocation({ZONE!r})", said)


def _go_program(tags: str) -> Path:
    """Return the program; -trimpath takes GOROOT out of it, whose own zone data an image has not either."""
    platform = toolchain.host_platform(machine.read())
    go = toolchain.program(toolchain.provision("current", platform), "go")
    source = _GO_SOURCES / "main.go"
    recipe = {"kind": "go", "go": file_digest(go), "source": file_digest(source), "tags": tags}

    def make(folder: Path) -> Path:
        golang.run(go, "build", "-trimpath", "-tags", tags, "-o", str(folder / "zone"), "main.go", cwd=_GO_SOURCES)
        return folder / "zone"

    return Store().obtain("timezone-go", recipe, make, held=True) / "zone"


def _java(rig: Rig) -> Case:
    lacking = next((part for part in (jdk.part(), private.NAMESPACE) if not part.present()), None)
    if lacking is not None:
        return _skipped("java", lacking)
    classes = rig.folder / "java"
    classes.mkdir()
    rig.run([jdk.tool("javac"), "-d", classes, _JAVA_SOURCE], timeout_s=120)
    # A JDK keeps its settings in /etc on Debian, so only the zone data are covered.
    over = {rig.folder / "java-image": SYSTEM_DATA}
    (rig.folder / "java-image").mkdir()
    words: list[str | Path] = [jdk.tool("java"), "-Xint", "-Xmx64m", "-cp", classes, "Zone", str(INSTANT_S)]
    said = rig.run(private.command(words, over), env=rig.environment(TZ=ZONE), check=False)
    return _case("java", said.stdout.strip() == "08:00 CST +0800", f"TZ={ZONE} java Zone", said.stdout + said.stderr)


def _skipped(id_: str, part: parts.Part) -> Case:
    return Case(id=id_, status=Status.SKIP, text=Text(id=f"trap_timezone.case.{id_}"), reason=part.reason())


def _case(id_: str, passed: bool, command: str, said: str | list[str]) -> Case:
    output = said if isinstance(said, str) else "\n".join(said)
    return Case(
        id=id_,
        status=Status.PASS if passed else Status.FAIL,
        text=Text(id=f"trap_timezone.case.{id_}"),
        command=command,
        output=output.strip(),
        facts={"said": output.strip()},
    )
