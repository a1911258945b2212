"""Chapter 3.1, Go on a Mac: where it is, what ``file`` says of it, its workspace, and what translating it costs."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from labkit import binary
from labkit.claims import ledgers, trying
from labkit.claims.base import MAC, ClaimCheck, Value, measured, output, read_bytes, tool
from labkit.claims.checks.chapter_3_1_translated import Translated, translated
from labkit.claims.facts import ClaimFacts
from labkit.model.claims import Case, PartVerdict
from labkit.model.machine import System
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import home
from labkit.toolchain import golang

TINY: Final = {
    "go.mod": "module labkit.dev/tiny\n\ngo 1.20\n",
    "main.go": 'package main\n\nfunc main() { println("tiny") }\n',
}


class HomebrewsPlace(ClaimCheck):
    """Ask Homebrew for its folder, and read the bytes of the go that is there."""

    id = "3.1.01"
    needs = (MAC, tool("brew"))
    turned_by = "another brew"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the folder: a go that is not installed yet would be linked there."""
        stated = str(ledgers.own().find(self.id).quoted["path"])
        asked = trying.asked(facts.tool("brew"), "--prefix")
        place = f"{asked.first()}/bin/go"
        read = binary.inspect(Path(place), machines=())
        made = ", ".join(each.architecture for each in read.slices) or "not there"
        evidence = [output(asked.line, f"{asked.ended}: {asked.first()}"), read_bytes(place, made)]
        yield self.judged(place == stated, evidence, place=place, made=made)


class FileOfALink(ClaimCheck):
    """Lay a go for Apple silicon out as Homebrew links it; ask ``file`` for the link, for the program, and with -L.

    Whether this ``file`` follows links by itself is asked of a link to a text.
    """

    id = "3.1.02"
    needs = (tool("file"),)
    turned_by = "another file"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the word in each answer."""
        stated = str(ledgers.own().find(self.id).quoted["architecture"])
        file = facts.tool("file")
        cases, evidence = [], []
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            root = Path(scratch).resolve()
            _linked(facts, root)
            follows = "symbolic link" not in _ask(file, "text-link", cwd=root).said
            for words, link in ((("bin/go",), True), (("-L", "bin/go"), True), (("Cellar/go/libexec/bin/go",), False)):
                tried = _ask(file, *words, cwd=root)
                said = tried.first().partition(": ")[2]
                evidence.append(output(tried.line, said))
                cases.append(
                    Case(
                        facts={"asked": " ".join(words), "link": link, "follows": follows or "-L" in words},
                        holds=stated in said,
                        witness=said,
                    )
                )
        said = cases[0].witness
        yield _seen(facts, self, self.by_cases(cases, _reaches, evidence, said=said, stated=stated))


def _reaches(case: Mapping[str, Value]) -> bool:
    return not case["link"] or bool(case["follows"])


def _linked(facts: ClaimFacts, root: Path) -> None:
    # Homebrew: bin/go -> ../Cellar/go/VERSION/bin/go -> ../libexec/bin/go
    tree = tiny(root / "tiny")
    made = root / "Cellar/go/libexec/bin"
    for folder in (made, root / "Cellar/go/bin", root / "bin"):
        folder.mkdir(parents=True)
    target = {"GOOS": "darwin", "GOARCH": "arm64"}
    trying.go(facts, "build", "-trimpath", "-o", str(made / "go"), ".", cwd=tree, **target)
    (root / "Cellar/go/bin/go").symlink_to("../libexec/bin/go")
    (root / "bin/go").symlink_to("../Cellar/go/bin/go")
    (root / "text").write_text("a text\n", "utf-8")
    (root / "text-link").symlink_to("text")


def _ask(file: Path, *words: str, cwd: Path) -> trying.Tried:
    done = proc.run([file, *words], env=base(), timeout_s=60, cwd=cwd, check=False)
    return trying.Tried(
        line=" ".join(["file", *words]), code=done.returncode, said=(done.stdout + done.stderr).replace(f"{cwd}/", "")
    )


class Workspace(ClaimCheck):
    """Install a small program and fetch a module into an empty GOPATH, then list what is there."""

    id = "3.1.06"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the folders that Go made."""
        stated = {str(ledgers.own().find(self.id).quoted[name]) for name in ("first", "second", "third")}
        module = f"google.golang.org/protobuf@{ledgers.own().find('1.07').quoted['version']}"
        evidence, there = [], list[str]()
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            root = Path(scratch).resolve()
            tree, space = tiny(root / "tiny"), root / "workspace"
            kept = f"file://{home() / 'go' / 'mod' / 'cache' / 'download'}"
            proxy = ",".join([kept, golang.environment(facts.go()).get("GOPROXY", "off")])
            variables = {"GOPATH": str(space), "GOMODCACHE": "", "GOPROXY": proxy, "GOSUMDB": "off"}
            for words in (("install", "."), ("mod", "download", module)):
                tried = trying.go(facts, *words, cwd=tree, **variables)
                there = _folders(space)
                evidence.append(output(tried.line, f"{tried.ended}; in GOPATH: {', '.join(there) or 'nothing'}"))
            inside = ", ".join(f"pkg/{each}" for each in _folders(space / "pkg"))
        lacking = sorted(stated - set(there))
        yield self.judged(
            not lacking, evidence, made=", ".join(there) or "-", lacking=", ".join(lacking) or "-", inside=inside or "-"
        )


def _folders(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []


class TranslatedGo(ClaimCheck):
    """Build Go's assembler for this processor and for another, and run both on the same real file, in turn.

    The other one is translated. Times are taken in pairs; the ratios' least and greatest bound their median. The
    objects are compared byte by byte, with the target named and with it left to the assembler.
    """

    id = "3.1.07"
    measures = True
    turned_by = "another translator"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge the cost by the interval, and the builds by their bytes."""
        seen = facts.get(translated)
        if seen is None:
            for part in ("a", "b"):
                yield self.untested("untested", would_test="would_test", part=part)
            return
        yield self._cost(facts, seen)
        cases = [
            Case(facts={"named": True}, holds=seen.named != seen.wanted, witness=seen.named),
            Case(facts={"named": False}, holds=seen.left_to_it != seen.native_default, witness=seen.left_to_it),
        ]
        evidence = [
            read_bytes("the object with GOARCH named", f"native {seen.wanted}; translated {seen.named}"),
            read_bytes("the object without GOARCH", f"native {seen.native_default}; translated {seen.left_to_it}"),
        ]
        values = {"translator": seen.translator, "default": seen.left_to_it, "native": seen.native_default}
        verdict = self.by_cases(cases, lambda case: not case["named"], evidence, part="b", **values)
        yield _seen(facts, self, verdict)

    def _cost(self, facts: ClaimFacts, seen: Translated) -> PartVerdict:
        ratios = seen.ratios
        low, high = min(ratios), max(ratios)
        text = (
            f"{len(ratios)} pairs of runs on {seen.file}: the translated one took {low:.2f} to {high:.2f} times as long"
        )
        evidence = [measured(text, f"Go's assembler for {seen.other}, by {seen.translator}")]
        values = {"low": f"{low:.1f}", "high": f"{high:.1f}", "translator": seen.translator, "file": seen.file}
        if low <= 1 <= high:
            return self.untested("untested", would_test="would_test", tried=[text], evidence=evidence)
        return _seen(facts, self, self.judged(low > 1, evidence, **values))


def _seen(facts: ClaimFacts, check: ClaimCheck, verdict: PartVerdict) -> PartVerdict:
    return verdict if facts.machine.system is System.MACOS else check.not_on_hardware(verdict)


def tiny(folder: Path) -> Path:
    """Make the module of a small program and return its folder."""
    folder.mkdir(parents=True)
    for name, text in TINY.items():
        (folder / name).write_text(text, "utf-8")
    return folder
