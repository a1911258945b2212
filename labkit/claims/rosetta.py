"""What processes on Apple silicon are told, native and translated: as published (``rosetta.toml``), and asked here."""

import tomllib
from pathlib import Path
from typing import Final

import msgspec

from labkit.claims.base import saw
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Provenance, Record
from labkit.model.claims import ClaimEvidence, EvidenceKind
from labkit.model.machine import System
from labkit.system import proc
from labkit.system.environment import base

_FILE: Final = Path(__file__).with_name("rosetta.toml")
_KEY: Final = "hw.optional.arm64"


class View(Record, frozen=True, kw_only=True):
    """What a process of an architecture was told for a key; empty where there is no such key."""

    chip: str
    process: str  # arm64: native; x86_64: translated
    key: str
    value: str
    source: str

    @property
    def evidence(self) -> ClaimEvidence:
        """Return it as evidence: published elsewhere, or an answer of here."""
        text = f"{self.chip}, a process of {self.process}: {self.key}: {self.value or '(no such key)'}"
        published = Provenance.IMPORTED if self.source.startswith("https://") else Provenance.MEASURED
        return saw(EvidenceKind.OUTPUT, text, self.source, provenance=published)


class Loading(Record, frozen=True, kw_only=True):
    """What a process of an architecture said when it loaded a library of another."""

    chip: str
    process: str
    library: str
    said: str
    source: str

    @property
    def evidence(self) -> ClaimEvidence:
        """Return it as evidence that was published elsewhere."""
        text = f"{self.chip}, a process of {self.process} and a library of {self.library}: {self.said}"
        return saw(EvidenceKind.OUTPUT, text, self.source, provenance=Provenance.IMPORTED)


class Rule(Record, frozen=True, kw_only=True):
    """What the system's maker says."""

    said: str
    source: str

    @property
    def evidence(self) -> ClaimEvidence:
        """Return it as a source."""
        return saw(EvidenceKind.SOURCE, self.said, self.source, provenance=Provenance.IMPORTED)


class Published(Record, frozen=True, kw_only=True):
    """All of the file."""

    sysctl: tuple[View, ...]
    loading: tuple[Loading, ...]
    rule: Rule


def published(facts: ClaimFacts) -> Published:
    """Return what was published; a test's own file stands under ``published:rosetta``."""
    file = facts.replaced_tool("published:rosetta") or _FILE
    return msgspec.convert(tomllib.loads(file.read_text("utf-8")), Published)


@probe("sysctl-of-both-processes", tools=("arch", "sysctl"))
def asked(facts: ClaimFacts) -> tuple[View, ...]:
    """Ask as a native and as a translated process, on a Mac of Apple silicon; nothing elsewhere."""
    arch, sysctl = facts.has_tool("arch"), facts.has_tool("sysctl")
    here = facts.machine
    if here.system is not System.MACOS or arch is None or sysctl is None:
        return ()
    found = []
    for process in ("arm64", "x86_64"):
        words = [f"-{process}", str(sysctl), "-n"]
        if proc.run([arch, f"-{process}", "/usr/bin/true"], env=base(), timeout_s=60, check=False).returncode != 0:
            continue  # no Rosetta, or no Apple silicon
        done = proc.run([arch, *words, _KEY], env=base(), timeout_s=60, check=False)
        value = done.stdout.strip() if done.returncode == 0 else ""
        line = f"arch {' '.join([words[0], 'sysctl', '-n', _KEY])}"
        found.append(View(chip=here.chip or "this Mac", process=process, key=_KEY, value=value, source=line))
    return tuple(found)
