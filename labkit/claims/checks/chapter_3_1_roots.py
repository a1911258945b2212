"""Chapter 3.1, GOROOT and GOPATH: whether they must be set, what keeps them apart, and what may write to them."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from labkit.claims import trying
from labkit.claims.base import ClaimCheck, Value, command, output, read_bytes
from labkit.claims.checks.chapter_3_1 import tiny
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.model.claims import Case, PartVerdict
from labkit.model.machine import System
from labkit.system.store import home

_BUILD: Final = ("build", "-o", "/dev/null", ".")
_ANY_WRITE: Final = 0o222
#: Where GOTOOLCHAIN keeps what it fetched, within the module cache.
_TOOLCHAIN: Final = "/golang.org/toolchain@"


class Roots(Record, frozen=True, kw_only=True):
    """What each Go found of its own files, and what a GOROOT that is not its own does."""

    unset: Mapping[str, trying.Tried]  # by version
    stated: Mapping[str, trying.Tried]  # GOROOT as Homebrew's opt/go/libexec
    stale: trying.Tried  # the newest Go with the GOROOT of the one before
    gone: trying.Tried  # with a GOROOT that is not there


@probe("gos-linked-as-homebrew-does")
def roots(facts: ClaimFacts) -> Roots:
    """Link every Go, let it look for the standard library, and build with a GOROOT that is not its own."""
    versions = facts.go_versions()
    unset, stated = dict[str, trying.Tried](), dict[str, trying.Tried]()
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        root = Path(scratch).resolve()
        for version in versions:
            go, kept = _linked(facts, version, root / version)
            for found, variables in ((unset, {}), (stated, {"GOROOT": str(kept)})):
                tried = trying.started(go, "list", "-f", "{{.Dir}}", "fmt", cwd=root, variables=variables, line="go")
                found[version] = _bare(tried, root)
        tree = tiny(root / "tiny")
        newest, older = versions[-1], versions[-2]
        stale = trying.go(facts, *_BUILD, cwd=tree, version=newest, GOROOT=str(root / older / "opt/go/libexec"))
        gone = trying.go(facts, *_BUILD, cwd=tree, version=newest, GOROOT=str(root / "gone"))
    return Roots(unset=unset, stated=stated, stale=_bare(stale, root), gone=_bare(gone, root))


class GorootSet(ClaimCheck):
    """Lay every Go out as Homebrew links it; let it find the standard library with GOROOT unset and set as stated.

    Then build with the newest one under the GOROOT of the one before, and under one that is gone.
    """

    id = "3.1.03"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether any Go needs it."""
        seen = facts.get(roots)
        newest, older = facts.go_versions()[-1], facts.go_versions()[-2]
        wrong = _error(seen.stale)
        line = f"Go {newest} with the GOROOT of {older}: {seen.stale.line}"
        evidence = [
            command(line, f"{seen.stale.ended}: {wrong}"),
            command(f"Go {newest} with a GOROOT that is gone: {seen.gone.line}", seen.gone.first()),
        ]
        for name, found in (("unset", seen.unset), ("set", seen.stated)):
            evidence += [
                output(f"Go {version}, GOROOT {name}: {each.line}", f"{each.ended}: {each.first()}")
                for version, each in found.items()
            ]
        needing = [version for version, each in seen.unset.items() if each.code != 0]
        names = ", ".join(needing or seen.unset)
        yield self.judged(bool(needing), evidence, versions=names, newest=newest, older=older, stale=wrong)


def _linked(facts: ClaimFacts, version: str, prefix: Path) -> tuple[Path, Path]:
    """Return the go and the GOROOT of a layout like Homebrew's, all of it links to a real Go."""
    real = facts.go(version)
    cellar = prefix / "Cellar/go"
    for folder in (cellar / "bin", prefix / "bin", prefix / "opt"):
        folder.mkdir(parents=True)
    root = trying.started(real, "env", "GOROOT", cwd=Path("/"), variables={}, line="go").first()
    (cellar / "libexec").symlink_to(root)
    (cellar / "bin/go").symlink_to(real)
    (prefix / "bin/go").symlink_to("../Cellar/go/bin/go")
    (prefix / "opt/go").symlink_to("../Cellar/go")
    return prefix / "bin/go", prefix / "opt/go/libexec"


def _bare(tried: trying.Tried, root: Path) -> trying.Tried:
    return msgspec.structs.replace(tried, said=tried.said.replace(f"{root}/", ""))


def _error(tried: trying.Tried) -> str:
    lines = [line.strip() for line in tried.said.splitlines() if line.strip() and not line.startswith("#")]
    return lines[0] if lines else tried.ended


class Apart(ClaimCheck):
    """Ask Go where it would install and keep modules with GOPATH apart from GOROOT, within it, and the same.

    Then let GOTOOLCHAIN choose another Go, and ask that one for its GOROOT.
    """

    id = "3.1.04"
    turned_by = "another Go"

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the other Go."""
        facts.go(facts.go_versions()[-2])

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge with GOPATH apart: neither lies in the other, with the Go that is started and with a chosen one."""
        other = facts.go_versions()[-2]
        facts.go(other)
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            root = Path(scratch).resolve()
            tree, space = tiny(root / "tiny"), root / "workspace"
            (space / "pkg").mkdir(parents=True)
            (space / "pkg/mod").symlink_to(home() / "go" / "mod")  # what was fetched before is there
            goroot = trying.go(facts, "env", "GOROOT", cwd=tree).first()
            evidence = []
            for name, path in (("the same", goroot), ("within GOROOT", f"{goroot}/work"), ("apart", str(space))):
                asked = trying.go(facts, "list", "-f", "{{.Target}}", ".", cwd=tree, GOPATH=path)
                said = " | ".join(asked.said.splitlines()).replace(goroot, "$GOROOT").replace(f"{root}/", "")
                evidence.append(output(f"GOPATH {name}: {asked.line}", said))
            cases = []
            for name, choice in (("started", "local"), ("chosen by GOTOOLCHAIN", f"go{other}")):
                variables = {"GOPATH": str(space), "GOMODCACHE": "", "GOTOOLCHAIN": choice}
                asked = trying.go(facts, "env", "GOROOT", cwd=tree, **variables)
                inside = Path(asked.first()).is_relative_to(space) or space.is_relative_to(asked.first())
                said = asked.first().replace(str(space), "$GOPATH").replace(goroot, "apart from GOPATH")
                evidence.append(output(f"GOPATH apart, GOTOOLCHAIN={choice}: {asked.line}", said))
                cases.append(Case(facts={"go": name}, holds=not inside, witness=said))
        where = cases[-1].witness.partition("@")[0]
        yield self.by_cases(cases, lambda case: case["go"] == "started", evidence, where=where)


class ReadOnly(ClaimCheck):
    """Read the modes of every Go's GOROOT, and ask Go where it installs programs of its own."""

    id = "3.1.05"
    turned_by = "another Go tree"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the write bits of GOROOT and the folders in it; what came as a module is told from the rest."""
        cases, evidence = [], []
        for version in facts.go_versions():
            root = facts.go(version).parent.parent
            modes = {
                name: (root / name).stat().st_mode & 0o777 for name in ("", "bin", "src") if (root / name).is_dir()
            }
            said = ", ".join(f"{name or '.'} {mode:03o}" for name, mode in modes.items())
            how = "module" if _TOOLCHAIN in str(root) else "installed"
            evidence.append(read_bytes(f"GOROOT of Go {version} ({how})", said))
            holds = not any(mode & _ANY_WRITE for mode in modes.values())
            cases.append(Case(facts={"go": version, "how": how}, holds=holds, witness=said))
        asked = trying.go(facts, "list", "-f", "{{.Target}}", "cmd/vet", cwd=Path("/"))
        root = Path(trying.go(facts, "env", "GOROOT", cwd=Path("/")).first())
        target = asked.first().replace(str(root), "$GOROOT")
        evidence.append(output(asked.line, target))
        versions = ", ".join(str(each.facts["go"]) for each in cases)
        verdict = self.by_cases(cases, _is_module, evidence, versions=versions, target=target)
        yield verdict if facts.machine.system is System.MACOS else self.not_on_hardware(verdict)


def _is_module(case: Mapping[str, Value]) -> bool:
    return case["how"] == "module"
