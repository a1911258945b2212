"""Chapter 4.4, what is in dlv's own sources: read in the module of several versions."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from labkit.claims import delves, ledgers
from labkit.claims.base import ClaimCheck, read_source
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.model.claims import ClaimEvidence, PartVerdict

#: What is looked for, by a name: a call by the stated words, who has such a function, and what is there instead.
_WORDS: Final[Mapping[str, str]] = {
    "called": r"\b[aA]rch\.Registers\(",
    "arm64": r"\barm64\.Registers\(|^package arm64$",
    "method": r"^func \(\w+ \*?\w+\) Registers\(\)",
    "chosen": r"NewBinaryInfo\(runtime\.GOOS, runtime\.GOARCH",
    "numbers": r"^\s*ARM64_X0\b",
}


class Place(Record, frozen=True, kw_only=True):
    """A line of a source file."""

    at: str  # pkg/proc/threads.go:12
    text: str


class Sources(Record, frozen=True, kw_only=True):
    """One version of dlv: its files, and where the words are."""

    version: str
    files: int
    named: tuple[str, ...]  # the files whose name is the stated one, or that speak of arm64's registers by theirs
    places: Mapping[str, tuple[Place, ...]]


@probe("dlv-sources", recipe={"words": dict(_WORDS), "pins": [pin.version for pin in delves.pinned()]})
def sources(facts: ClaimFacts) -> tuple[Sources, ...]:
    """Read the sources of every version of dlv that is compared."""
    stated = str(ledgers.own().find("4.4.04").quoted["file"])
    read = []
    for pin in delves.pinned():
        root = delves.source(facts, pin)
        files = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in delves.code(root)}
        read.append(
            Sources(
                version=pin.version,
                files=len(files),
                named=tuple(name for name in files if name.rpartition("/")[2] == stated),
                places={id_: _found(files, re.compile(words)) for id_, words in _WORDS.items()},
            )
        )
    return tuple(read)


def _found(files: Mapping[str, str], words: re.Pattern[str]) -> tuple[Place, ...]:
    return tuple(
        Place(at=f"{name}:{number}", text=line.strip())
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if words.search(line) and not line.lstrip().startswith("//")
    )


class RegisterTable(ClaimCheck):
    """Look for the file in dlv's module, before the stated version and from it on, and for arm64's numbers there."""

    id = "4.4.04"
    turned_by = "another source tree"

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the modules."""
        _fetch(facts)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the file in every version from the stated one on."""
        quoted = ledgers.own().find(self.id).quoted
        stated, file = _numbers(str(quoted["dlv"])), str(quoted["file"])
        seen = facts.get(sources)
        later = [each for each in seen if _numbers(each.version) >= stated]
        evidence = [
            read_source(
                f"dlv {each.version}, {each.files} files",
                f"{file}: {', '.join(each.named) or 'none'}; {_shown(each.places['numbers'])}",
            )
            for each in seen
        ]
        places = {one.at.partition(":")[0]: None for each in seen for one in each.places["numbers"]}
        earliest = next((each.version for each in seen if each.places["numbers"]), "-")
        yield self.judged(
            bool(later) and all(each.named for each in later),
            evidence,
            file=file,
            versions=", ".join(each.version for each in later),
            where=", ".join(places) or "-",
            found=", ".join(dict.fromkeys(name for each in later for name in each.named)) or "-",
            earliest=earliest,
        )


class Calls(ClaimCheck):
    """Look in dlv's sources for both calls, for who returns registers, and for how the architecture is chosen."""

    id = "4.4.12"
    turned_by = "another source tree"

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the modules."""
        _fetch(facts)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by both calls in the newest version; what the older ones have stands beside."""
        seen = facts.get(sources)
        newest = seen[-1]
        evidence: list[ClaimEvidence] = [
            read_source(f"dlv {each.version}, {each.files} files", f"{id_}: {_shown(each.places[id_])}")
            for each in seen
            for id_ in ("called", "arm64")
        ]
        evidence += [
            read_source(f"dlv {newest.version}", f"{id_}: {_shown(newest.places[id_])}") for id_ in ("method", "chosen")
        ]
        yield self.judged(
            bool(newest.places["called"] and newest.places["arm64"]),
            evidence,
            versions=", ".join(each.version for each in seen),
            methods=", ".join(
                dict.fromkeys(each.at.partition(":")[0].rpartition("/")[0] for each in newest.places["method"])
            ),
            chosen=newest.places["chosen"][0].at if newest.places["chosen"] else "-",
            calls=", ".join(each.at for id_ in ("called", "arm64") for each in newest.places[id_]) or "-",
        )


def _fetch(facts: ClaimFacts) -> None:
    for pin in delves.pinned():
        delves.source(facts, pin)


def _shown(places: tuple[Place, ...]) -> str:
    return "; ".join(f"{each.at}: {each.text}" for each in places[:4]) or "none"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
