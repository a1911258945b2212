"""Chapter 4.1, the printed go.work and go.mod, by whether Go reads them."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from labkit.claims import ledgers, trying
from labkit.claims.base import ClaimCheck, Value, command
from labkit.claims.facts import ClaimFacts
from labkit.model.base import Record
from labkit.model.claims import Case, PartVerdict


class Parsed(Record, frozen=True, kw_only=True):
    """A file as Go read it."""

    name: str  # go.work, go.mod
    as_printed: bool  # False: without its lines that begin with #
    holds_hash: bool
    code: int
    said: str


class Printed(ClaimCheck):
    """Let Go read the printed files, as they are and without their lines that begin with #."""

    id = "4.1.07"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether go work edit and go mod edit can read them."""
        quoted = ledgers.own().find(self.id).quoted
        texts = {"go.work": str(quoted["work"]), "go.mod": str(quoted["mod"])}
        read = [
            _read_by_go(facts, name, text, as_printed=printed)
            for name, text in texts.items()
            for printed in (True, False)
        ]
        evidence = [
            command(
                f"go {'work' if each.name == 'go.work' else 'mod'} edit -json, "
                f"{each.name} {'as printed' if each.as_printed else 'without its lines of #'}",
                f"{trying.Tried(line='', code=each.code, said='').ended}: {each.said}",
            )
            for each in read
        ]
        cases = [
            Case(facts={"file": each.name, "hash": each.holds_hash}, holds=each.code == 0, witness=each.said)
            for each in read
        ]
        said = next((each.said for each in read if each.code), "-")
        yield self.by_cases(cases, _no_hash, evidence, said=said)


def _no_hash(case: Mapping[str, Value]) -> bool:
    return not case["hash"]


def _read_by_go(facts: ClaimFacts, name: str, text: str, *, as_printed: bool) -> Parsed:
    """Let Go read a go.work or go.mod, and return what it said."""
    kept = text if as_printed else "".join(each for each in text.splitlines(keepends=True) if not each.startswith("#"))
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        root = Path(scratch).resolve()
        (root / name).write_text(kept, "utf-8")
        words = ("work" if name == "go.work" else "mod", "edit", "-json", str(root / name))
        tried = trying.go(facts, *words, cwd=root)
    holds_hash = any(each.startswith("#") for each in kept.splitlines())
    said = tried.said.replace(f"{root}/", "") if tried.code else "read"
    return Parsed(name=name, as_printed=as_printed, holds_hash=holds_hash, code=tried.code, said=" ".join(said.split()))
