"""Chapter 3.2, protoc for Apple silicon as it is published, and what a build for the printed target is: by bytes."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from labkit import binary
from labkit.claims import announced, ledgers, protocs
from labkit.claims.base import ClaimCheck, read_bytes
from labkit.claims.checks.chapter_1 import MACS, before, brief, made_for_apple
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.model.binary import Binary, Signature, SignatureKind, Slice
from labkit.model.claims import PartVerdict
from labkit.system import proc
from labkit.system.environment import base

_CHAIN: Final = 2  # a signer and who vouches for it


class Published(Record, frozen=True, kw_only=True):
    """One version of protoc for Apple silicon."""

    version: str
    read: Binary  # judged for MACS

    @property
    def piece(self) -> Slice | None:
        """The program for ARM64, None where there is none."""
        return next((each for each in self.read.slices if each.architecture.startswith("arm64")), None)

    @property
    def signed(self) -> str:
        """Who signed it, in a few words."""
        return "not for arm64" if self.piece is None else _signed(self.piece.signature)


@probe("published-protocs")
def published(facts: ClaimFacts) -> tuple[Published, ...]:
    """Read every published build that is pinned, its signed pages too."""
    found = []
    for pin in protocs.published():
        file = facts.replaced_tool(f"protoc:{pin.version}") or protocs.obtain(pin)
        found.append(Published(version=pin.version, read=binary.inspect(file, machines=MACS)))
    return tuple(found)


class _OfPublished(ClaimCheck):
    """The base of checks that read the published builds."""

    turned_by = "another protoc's bytes"

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the builds."""
        del facts
        for pin in protocs.published():
            protocs.obtain(pin)


class NativeSince(_OfPublished):
    """Read published builds over versions: which hold a program for ARM64 that an M1 would start."""

    id = "3.2.01"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by a native build before the stated version."""
        stated = str(ledgers.own().find(self.id).quoted["protoc"])
        seen = facts.get(published)
        evidence = [read_bytes(f"protoc {each.version}, {protocs.PLATFORM}", brief(each.read)) for each in seen]
        older = [each.version for each in seen if before(each.version, stated) and made_for_apple(each.read)]
        verdict = self.judged(not older, evidence, stated=stated, oldest=older[0] if older else stated)
        yield self.not_on_hardware(verdict)


class OwnBuild(_OfPublished):
    """Let LLVM assemble for the printed target and for arm64e, and read both objects; read what published builds are.

    Their oldest shows what a linker signs by itself.
    """

    id = "3.2.04"
    turned_by = "another assembler"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the architecture of the target, and by whether programs for it are signed."""
        quoted = ledgers.own().find(self.id).quoted
        wanted, target = str(quoted["architecture"]), str(quoted["target"])
        evidence, made = [], []
        assembler = facts.has_tool("llvm-mc")
        if assembler is not None:
            for triple in (target, target.replace("arm64-", f"{wanted}-")):
                name, line = _assembled(assembler, triple)
                evidence.append(read_bytes(line, name))
                made.append(name)
        seen = facts.get(published)
        evidence += [
            read_bytes(
                f"protoc {each.version}, {protocs.PLATFORM}",
                f"{each.piece.architecture if each.piece else 'none'}; {each.signed}",
            )
            for each in seen
        ]
        kinds = dict.fromkeys(each.piece.architecture for each in seen if each.piece)
        real = made[0] if made else ", ".join(kinds) or "-"
        signed = all(each.piece is not None and each.piece.signature.kind is not SignatureKind.NONE for each in seen)
        first = seen[0]
        verdict = self.judged(
            real == wanted and signed,
            evidence,
            target=target,
            wanted=wanted,
            real=real,
            published=", ".join(kinds) or "-",
            version=first.version,
            signed=first.signed,
        )
        yield self.not_on_hardware(verdict)


def _assembled(assembler: Path, triple: str) -> tuple[str, str]:
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        made = Path(scratch) / "main.o"
        words = [f"-triple={triple}", "-filetype=obj", "-o", str(made)]
        text = b".globl _main\n_main:\n ret\n"
        proc.run([assembler, *words], env=base(), timeout_s=60, stdin=text, check=False)
        pieces = binary.inspect(made, machines=()).slices
    return pieces[0].architecture if pieces else "nothing", f"llvm-mc {' '.join(words[:2])}"


class OnlyFromSource(_OfPublished):
    """Read of every published build its architecture, its signature's chain, and whether every signed page is whole."""

    id = "3.2.07"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by a published build that has both."""
        seen = facts.get(published)
        evidence = [read_bytes(f"protoc {each.version}, {protocs.PLATFORM}", each.signed) for each in seen]
        whole = [each for each in seen if each.piece is not None and _whole(each.piece.signature)]
        last = (whole or list(seen))[-1]
        signers = " < ".join(last.piece.signature.signers) if last.piece else "-"
        verdict = self.judged(
            not whole,
            evidence,
            versions=", ".join(each.version for each in whole or seen),
            version=last.version,
            signers=signers or "-",
            signed=seen[0].signed,
            first=seen[0].version,
        )
        yield self.not_on_hardware(verdict)


def _whole(signature: Signature) -> bool:
    return bool(signature.signed_directory) and signature.bad_pages == 0 and len(signature.signers) >= _CHAIN


def _signed(signature: Signature) -> str:
    chain = " < ".join(signature.signers) or "no certificate"
    pages = f"{signature.pages or 0} pages, {signature.bad_pages or 0} of them altered"
    return f"signed: {signature.kind} ({chain}; {pages})"


class XcodeAndTarget(_OfPublished):
    """Read of the published build the oldest macOS that it asks for, and the SDK that it was built with."""

    id = "3.2.09"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by both: a build with an older SDK, or for an older macOS, needed neither."""
        quoted = ledgers.own().find(self.id).quoted
        stated, macos = str(ledgers.own().find("3.2.01").quoted["protoc"]), str(quoted["macos"])
        sdk = announced.named(f"sdk-of-xcode-{quoted['xcode']}")
        evidence = [
            read_bytes(f"protoc {each.version}, {protocs.PLATFORM}", f"macOS {_least(each)} or later, SDK {_sdk(each)}")
            for each in facts.get(published)
        ]
        (build,) = (each for each in facts.get(published) if each.version == stated)
        holds = not before(_least(build), macos) and not before(_sdk(build), sdk.since)
        verdict = self.judged(
            holds,
            [*evidence, sdk.cited()],
            version=stated,
            least=_least(build),
            sdk=_sdk(build),
            wanted=sdk.since,
            macos=macos,
            xcode=str(quoted["xcode"]),
        )
        yield self.not_on_hardware(verdict)


def _least(build: Published) -> str:
    return ((build.piece.minimum_os if build.piece else None) or "0").removeprefix("macos ")


def _sdk(build: Published) -> str:
    return (build.piece.sdk if build.piece else None) or "0"
