"""Chapter 1, installing: go install and go uninstall, where programs go, and what a shell then finds."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from labkit.claims import ledgers, trying
from labkit.claims.base import ClaimCheck, Value, command, output
from labkit.claims.checks.chapter_1 import APPLE, PLUGIN, plugins
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.system import proc
from labkit.system.environment import base
from labkit.toolchain.golang import run as run_go

_TINY = {
    "go.mod": "module labkit.dev/tiny\n\ngo 1.20\n",
    "main.go": 'package main\n\nfunc main() { println("tiny") }\n',
}
_NOT_FOUND = "not found"


class Uninstall(ClaimCheck):
    """Ask every Go that is compared to run the command, and read what it says of it."""

    id = "1.06"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether each Go knows the command."""
        word = str(ledgers.own().find(self.id).quoted["command"])
        cases, evidence = [], []
        for version in facts.go_versions():
            with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
                tried = trying.go(facts, word, f"{PLUGIN}@latest", cwd=Path(scratch).resolve(), version=version)
            evidence.append(output(f"go {version}: {tried.line}", f"{tried.ended}: {tried.first()}"))
            cases.append(Case(facts={"go": version, "code": tried.code}, holds=tried.code == 0, witness=tried.first()))
        said = next((each.witness for each in cases if not each.holds), "-")
        yield self.by_cases(cases, _known, evidence, versions=", ".join(facts.go_versions()), said=said)


def _known(case: Mapping[str, Value]) -> bool:
    return case["code"] == 0


class InstallPlugin(ClaimCheck):
    """Run the command for this machine's own platform and for Apple silicon."""

    id = "1.07"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether each run leaves a program."""
        stated = str(ledgers.own().find(self.id).quoted["version"]).removeprefix("v")
        native = facts.lab.toolchain.platform
        newest = facts.go_versions()[-1]
        runs = [each for each in facts.get(plugins) if each.version == stated and each.go == newest]
        evidence = [command(each.tried.line, f"{each.tried.ended}: {each.tried.first()}") for each in runs]
        cases = [
            Case(facts={"target": each.platform}, holds=each.program is not None, witness=each.tried.first())
            for each in runs
            if each.platform in {native, APPLE}
        ]
        said = next((each.witness for each in cases if not each.holds), "-")
        targets = ", ".join(str(each.facts["target"]) for each in cases)
        yield self.by_cases(cases, lambda case: case["target"] == native, evidence, targets=targets, said=said)


class GrpcInstall(Record, frozen=True, kw_only=True):
    """What came of installing the other plugin, and the versions that its module has."""

    tried: trying.Tried
    installed: bool
    versions: tuple[str, ...]


@probe("grpc-plugin-install")
def grpc_install(facts: ClaimFacts) -> GrpcInstall:
    """Install the other plugin at the stated version, and ask which versions there are."""
    quoted = ledgers.own().find("1.08").quoted
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        tried, program = trying.install(facts, f"{quoted['package']}@{quoted['version']}", Path(scratch).resolve())
    listed = run_go(facts.go(), "list", "-m", "-versions", str(quoted["package"]), cwd=Path("/"), timeout_s=60)
    return GrpcInstall(tried=tried, installed=program is not None, versions=tuple(listed.stdout.split()[1:]))


class InstallGrpcPlugin(ClaimCheck):
    """Run the command, and ask the module proxy which versions of it there are."""

    id = "1.08"
    turned_by = "another Go"

    def prepare(self, facts: ClaimFacts) -> None:
        """Ask once: the answer is kept."""
        facts.get(grpc_install)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether it leaves a program."""
        found = facts.get(grpc_install)
        versions = ", ".join(found.versions)
        evidence = [
            output(found.tried.line, f"{found.tried.ended}: {found.tried.said}"),
            output("go list -m -versions", versions or "-"),
        ]
        said = found.tried.said.rpartition(": ")[2].strip() or "-"
        yield self.judged(found.installed, evidence, said=said, versions=versions or "-")


class NotFound(ClaimCheck):
    """Let a shell look for a small program that go install was to put on PATH, in right and wrong ways.

    Go is asked where it puts programs with GOPATH and GOBIN unset, set, and a list.
    """

    id = "1.11"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge what the message means, and where programs go by default."""
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            root = Path(scratch).resolve()
            yield self._message(facts, root)
            yield self._default(facts, root)

    def _message(self, facts: ClaimFacts, root: Path) -> PartVerdict:
        tree = _tiny(root / "tiny")
        foreign = "windows" if facts.lab.toolchain.platform.startswith("darwin") else "darwin"
        cases: list[Case] = []
        evidence: list[ClaimEvidence] = []
        for name, on_path, variables in (
            ("GOBIN is not on PATH", False, {}),
            ("GOBIN is on PATH", True, {}),
            ("GOBIN is on PATH, nothing was installed", True, None),
            (f"GOPATH/bin is on PATH, installed for {foreign}", True, {"GOOS": foreign, "GOARCH": "arm64"}),
        ):
            gopath = root / f"case{len(cases)}{len(evidence)}"
            gopath.mkdir()
            if variables is not None:
                trying.go(facts, "install", ".", cwd=tree, GOPATH=str(gopath), GOBIN="", **variables)
            said = _shell("tiny", f"{gopath / 'bin'}:/usr/bin:/bin" if on_path else "/usr/bin:/bin")
            came = _NOT_FOUND in said.said
            evidence.append(output(name, f"{said.ended}: {said.first()}"))
            if came or not on_path:
                right = variables is not None and not variables
                cases.append(
                    Case(facts={"installed": right, "case": name}, holds=came and not on_path, witness=said.first())
                )
        others = "; ".join(str(each.facts["case"]) for each in cases if not each.holds)
        return self.by_cases(cases, lambda case: bool(case["installed"]), evidence, cases=others or "-")

    def _default(self, facts: ClaimFacts, root: Path) -> PartVerdict:
        tree = _tiny(root / "target")
        home = Path("/nonexistent/home")  # Go must not write there: what it starts would outlive the scratch folder
        unset = {"HOME": str(home), "GOPATH": "", "GOBIN": ""}
        cases, evidence = [], []
        for name, variables in (
            ("neither is set", {}),
            ("GOPATH is one folder", {"GOPATH": "/p"}),
            ("GOPATH is a list", {"GOPATH": "/p:/q"}),
            ("GOBIN is set", {"GOBIN": "/b"}),
        ):
            tried = trying.go(facts, "list", "-f", "{{.Target}}", ".", cwd=tree, **(unset | variables))
            said = tried.said.replace(str(home), "$HOME")
            evidence.append(output(f"{name}: {tried.line}", said))
            holds = said == "$HOME/go/bin/tiny"
            cases.append(Case(facts={"set": name, "any": bool(variables)}, holds=holds, witness=said))
        gobin = trying.go(facts, "env", "GOBIN", cwd=tree, **unset)
        said = gobin.said.replace(str(home), "$HOME") or "-"
        evidence.append(output("go env GOBIN", said))
        shown = "; ".join(f"{each.facts['set']}: {each.witness}" for each in cases)
        return self.by_cases(cases, lambda case: not case["any"], evidence, part="b", cases=shown, gobin=said)


@probe("install-over-an-older-one")
def install_over(facts: ClaimFacts) -> tuple[trying.Tried, ...]:
    """Install an older plugin, the stated one over it, and ask the file; without a file the asking is left out."""
    quoted = ledgers.own().find("1.09").quoted
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        root = Path(scratch).resolve()
        older, _ = trying.install(facts, f"{PLUGIN}@v{trying.OLDER_GENERATOR}", root)
        newer, program = trying.install(facts, f"{PLUGIN}@v{quoted['version']}", root)
        return (older, newer) if program is None else (older, newer, trying.asked(program, "--version"))


class RemoveFirst(ClaimCheck):
    """Install an older version, then the stated one over it, and ask the file which it is."""

    id = "1.17"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by what the file answers afterwards."""
        tried = facts.get(install_over)
        said = tried[-1].first()
        evidence = [command(each.line, f"{each.ended}: {each.first()}") for each in tried]
        wanted = str(ledgers.own().find("1.09").quoted["answer"])
        yield self.judged(said != wanted, evidence, said=said, wanted=wanted)


def _tiny(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, text in _TINY.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def _shell(word: str, path: str) -> trying.Tried:
    # What is tried is the shell's own message, so it is the shell that is started, with one word to look for.
    done = proc.run(["/bin/sh", "-c", word], env=base(path=path), timeout_s=60, cwd=Path("/"), check=False)
    return trying.Tried(line=f"sh -c {word}", code=done.returncode, said=(done.stderr + done.stdout).strip())
