"""Judges ``codesign --deep --force --sign 'Apple Development'`` by a program's bytes; runs it where codesign is."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from labkit.binary import inspect
from labkit.model.base import Provenance, Text
from labkit.model.binary import Signature
from labkit.model.check import Evidence
from labkit.model.source import LineTried
from labkit.system import proc
from labkit.system.environment import base
from labkit.toolchain.source.signing import CODESIGN

_IDENTITY: Final = "Apple Development"
_LINE: Final = f"codesign --deep --force --sign '{_IDENTITY}' protoc"
#: codesign(1): --force replaces a signature; --deep signs the nested code of a bundle and is deprecated for signing.
_SOURCES: Final = (
    "https://keith.github.io/xcode-man-pages/codesign.1.html",
    "https://developer.apple.com/forums/thread/129980",
)


def try_codesign(program: Path, *, codesign: Path = CODESIGN) -> LineTried:
    """Read what signature a Mach-O has now, which the line would replace, and try the line on a copy where it can be.

    Args:
        program: A Mach-O, such as a published protoc for macOS.
        codesign: The program; where it is absent only the bytes are read.

    """
    before = inspect(program)
    nested = sum(1 for path in program.rglob("*") if path.is_file()) if program.is_dir() else 0
    evidence = [
        Evidence(
            what=f"{program.name}, the {each.architecture} program: its signature now", found=_shown(each.signature)
        )
        for each in before.slices
    ]
    what = "files inside it that --deep could reach (it is a folder only if it is a bundle)"
    evidence.append(Evidence(what=what, found=str(nested), wanted="1 or more"))
    replaced = ", ".join(sorted({str(each.signature.kind) for each in before.slices})) or "none"
    values = {"kind": replaced}
    if not codesign.is_file():
        return LineTried(
            id="codesign",
            line=_LINE,
            holds=None,
            outcome=Text(id="source.codesign_untried", values=values),
            evidence=tuple(_judged(each) for each in evidence),
            sources=_SOURCES,
            confirmed_on_hardware=False,
        )
    with tempfile.TemporaryDirectory(prefix="labkit-codesign-") as scratch:
        copy = Path(scratch) / "protoc"
        shutil.copy(program, copy)
        command: list[str | Path] = [codesign, "--deep", "--force", "--sign", _IDENTITY, copy]
        done = proc.run(command, env=base(), timeout_s=120, check=False)
        after = inspect(copy)
        signers = {name for each in after.slices for name in each.signature.signers}
        evidence.append(Evidence(what=_LINE, found=f"{proc.describe_exit(done.returncode)}: {done.last_words()}"))
        evidence += [
            Evidence(what=f"the {each.architecture} program's signature afterwards", found=_shown(each.signature))
            for each in after.slices
        ]
    holds = done.returncode == 0 and any(name.startswith(_IDENTITY) for name in signers)
    return LineTried(
        id="codesign",
        line=_LINE,
        holds=holds,
        outcome=Text(id="source.codesign_signed" if holds else "source.codesign_refused", values=values),
        evidence=tuple(evidence),
        sources=_SOURCES,
    )


def _shown(signature: Signature) -> str:
    parts = [str(signature.kind)]
    if signature.identifier:
        parts.append(f"identifier {signature.identifier}")
    if signature.team:
        parts.append(f"team {signature.team}")
    if signature.flags:
        parts.append(f"flags {', '.join(signature.flags)}")
    if signature.signers:
        parts.append(f"signed by {signature.signers[0]}")
    return "; ".join(parts)


def _judged(evidence: Evidence) -> Evidence:
    return Evidence(what=evidence.what, found=evidence.found, wanted=evidence.wanted, provenance=Provenance.JUDGED)
