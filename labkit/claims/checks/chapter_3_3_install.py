"""Chapter 3.3, go install: where programs go, whether a version is demanded, and what GOPATH still decides."""

import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from labkit.claims import ledgers, trying
from labkit.claims.base import ClaimCheck, Value, output
from labkit.claims.facts import ClaimFacts, Probe, probe
from labkit.gobuild.resolution import modules
from labkit.model.base import Record
from labkit.model.claims import Case, ClaimEvidence, PartVerdict

_PATH: Final = "labkit.dev/tiny"
_DEMANDED: Final = "requires a version"
_GO_MOD: Final = f"module {_PATH}\n\ngo 1.20\n"
#: Where the same package can come from; the program says which it was.
_GOPATH, _FOLDER, _PROXY = "GOPATH", "the module's folder", "the proxy"
_WAYS: Final = {
    "module": ("in a module, without a version", "."),
    "outside": ("outside of a module, without a version", _PATH),
    "off": ("outside of a module, without a version, GO111MODULE=off", _PATH),
    "latest": ("outside of a module, at @latest", f"{_PATH}@latest"),
}


class Installed(Record, frozen=True, kw_only=True):
    """What came of installing one package in one way, with GOBIN unset."""

    go: str
    way: str  # module, outside, off, latest
    tried: trying.Tried
    place: str  # of the program, below the scratch folder: $GOPATH/bin/tiny; - without one
    says: str  # where its source came from, by the program itself; - without one

    @property
    def how(self) -> str:
        """The way in words."""
        return _WAYS[self.way][0]

    @property
    def demanded(self) -> bool:
        """Whether Go refused because no version was named."""
        return self.tried.code != 0 and _DEMANDED in self.tried.said

    @property
    def evidence(self) -> ClaimEvidence:
        """What was seen."""
        seen = f"{self.place}, from {self.says}" if self.place != "-" else self.tried.first()
        return output(f"Go {self.go}, {self.how}: {self.tried.line}", seen)


@cache
def installs(version: str) -> Probe[tuple[Installed, ...]]:
    """Return the fact of one version of Go: the same path as a module's folder, in GOPATH/src, and at a proxy."""

    @probe(f"go-install-{version}")
    def make(facts: ClaimFacts) -> tuple[Installed, ...]:
        facts.progress(f"go install with Go {version}")
        return tuple(_install(facts, version, way) for way in _WAYS)

    return make


def _install(facts: ClaimFacts, version: str, way: str) -> Installed:
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        root = Path(scratch).resolve()
        gopath, folder, proxy = root / "gopath", root / "work", root / "proxy"
        source = gopath / "src" / _PATH
        for place in (source, folder):
            place.mkdir(parents=True)
        (source / "main.go").write_text(_program(_GOPATH), "utf-8")
        modules.write(proxy, _PATH, "v1.0.0", {"go.mod": _GO_MOD, "main.go": _program(_PROXY)})
        (modules.folder_of(proxy, _PATH) / "list").write_text("v1.0.0\n", "utf-8")
        if way == "module":
            (folder / "go.mod").write_text(_GO_MOD, "utf-8")
            (folder / "main.go").write_text(_program(_FOLDER), "utf-8")
        variables = {"GO111MODULE": "off"} if way == "off" else {}
        tried = trying.go(
            facts, "install", "-trimpath", _WAYS[way][1],
            cwd=folder, version=version, GOPATH=str(gopath), GOBIN="", GOMODCACHE=str(root / "mod"),
            GOPROXY=proxy.as_uri(), GOSUMDB="off", **variables,
        )  # fmt: skip
        made = sorted(each for each in root.rglob("tiny") if each.is_file() and each.parent != source)
        says = trying.asked(made[0]).first() if made else "-"
        there = made[0].relative_to(root).as_posix().replace("gopath/", "$GOPATH/", 1) if made else "-"
    return Installed(go=version, way=way, tried=tried, place=there, says=says)


def _program(origin: str) -> str:
    return f'package main\n\nfunc main() {{ println("{origin}") }}\n'


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _stated(id_: str) -> int:
    return _minor(str(ledgers.own().find(id_).quoted["go"]))


class _Installing(ClaimCheck):
    """Base of the checks that install a package with several Gos."""

    turned_by = "another Go"

    def prepare(self, facts: ClaimFacts) -> None:
        """Let each Go compile what it needs once."""
        for version in facts.go_versions():
            facts.get(installs(version))

    @staticmethod
    def found(facts: ClaimFacts) -> list[Installed]:
        """Return all installations, the oldest Go's first."""
        return [each for version in facts.go_versions() for each in facts.get(installs(version))]


class GopathBin(_Installing):
    """Install a package with GOBIN unset on every Go, in a module and at @latest, and look where the program is."""

    id = "3.3.01"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by where the Gos from the stated one on put it."""
        found = [each for each in self.found(facts) if each.way in {"module", "latest"}]
        late = [each for each in found if _minor(each.go) >= _stated(self.id)]
        there = [each for each in late if each.place == "$GOPATH/bin/tiny"]
        places = sorted({each.place for each in late})
        yield self.judged(
            not there,
            [each.evidence for each in found],
            versions=", ".join(dict.fromkeys(each.go for each in there or late)),
            places=", ".join(places),
        )


class DemandsVersion(_Installing):
    """Install a package without naming a version, in a module and outside of one, on every Go."""

    id = "3.3.08"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each way on each Go from the stated one on as a case; older ones are named beside."""
        found = [each for each in self.found(facts) if each.way != "latest"]
        cases = [
            Case(facts={"go": each.go, "where": each.how}, holds=each.demanded, witness=each.tried.first())
            for each in found
            if _minor(each.go) >= _stated(self.id)
        ]
        older = [each for each in found if _minor(each.go) < _stated(self.id) and each.way == "outside"]
        said = next((each.witness for each in cases if each.holds), "-")
        yield self.by_cases(
            cases,
            _outside,
            [each.evidence for each in found],
            said=said,
            older="; ".join(f"Go {each.go}: {each.tried.first()}" for each in older) or "-",
        )


def _outside(case: Mapping[str, Value]) -> bool:
    return case["where"] == _WAYS["outside"][0]


class ByGopath(_Installing):
    """Let one path stand for three programs, in GOPATH/src, in a folder and at a proxy, and see which is installed."""

    id = "3.3.09"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each way on each Go up to the stated one as a case; the newest is named beside."""
        found = self.found(facts)
        cases = [
            Case(facts={"go": each.go, "where": each.how}, holds=each.says == _GOPATH, witness=_took(each))
            for each in found
            if _minor(each.go) <= _stated(self.id)
        ]
        newest = next(each for each in reversed(found) if each.way == "off")
        yield self.by_cases(
            cases,
            lambda case: case["where"] == _WAYS["off"][0],
            [each.evidence for each in found if _minor(each.go) <= _stated(self.id) or each is newest],
            go=", ".join(dict.fromkeys(str(each.facts["go"]) for each in cases)),
            outside=next((each.witness for each in cases if each.facts["where"] == _WAYS["outside"][0]), "-"),
            latest=next((each.witness for each in cases if each.facts["where"] == _WAYS["latest"][0]), "-"),
            newest=newest.go,
            newest_took=_took(newest),
        )


def _took(each: Installed) -> str:
    return each.says if each.says != "-" else each.tried.first()
