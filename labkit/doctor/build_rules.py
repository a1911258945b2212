"""The rules about built programs, read from their bytes, in the manner of :mod:`labkit.doctor.rules`."""

from typing import ClassVar, Final

from labkit.doctor.rules import SETUP, TOOLCHAIN, pass_or_fail
from labkit.doctor.subjects import BuildSubject
from labkit.model.base import Text
from labkit.model.binary import Format, Linkage, SignatureKind
from labkit.model.check import Evidence, Finding, Need, Remedy, Status

_GO_FORMATS: Final = {"darwin": Format.MACHO, "linux": Format.ELF}
_GO_ARCHITECTURES: Final = {"arm64": "arm64", "amd64": "x86_64"}


class BuildTarget:
    """Reads a built program's bytes: its format and architecture must be those of the platform it was built for."""

    id: ClassVar[str] = "build-target"
    needs: ClassVar[tuple[Need, ...]] = TOOLCHAIN
    source: ClassVar[str | None] = None
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: BuildSubject) -> Finding:
        """Judge one program."""
        system, architecture = facts.built.platform.split("/")
        wanted = f"{_GO_FORMATS[system]} {_GO_ARCHITECTURES[architecture]}"
        found = ", ".join(f"{facts.binary.format} {piece.architecture}" for piece in facts.binary.slices)
        good = found == wanted
        return Finding(
            id=f"{self.id}.{facts.built.platform.replace('/', '-')}",
            status=pass_or_fail(good=good),
            title=Text(id="doctor.build_target", values={"platform": facts.built.platform}),
            evidence=(Evidence(what=facts.built.path, found=found or facts.binary.error or "", wanted=wanted),),
            remedy=None if good else Remedy(text=Text(id="doctor.fix_goos")),
        )


class BuildLinkage:
    """Reads a program's interpreter and libraries: none on Linux; on macOS the system's own and no other."""

    id: ClassVar[str] = "build-linkage"
    needs: ClassVar[tuple[Need, ...]] = TOOLCHAIN
    source: ClassVar[str | None] = "https://developer.apple.com/library/archive/qa/qa1118/_index.html"
    confirmed_on_hardware: ClassVar[bool | None] = None

    def check(self, facts: BuildSubject) -> Finding:
        """Judge one program."""
        mac = facts.built.platform.startswith("darwin/")
        pieces = facts.binary.slices
        if mac:
            wanted = "/usr/lib/..."
            good = bool(pieces) and all(
                library.startswith(("/usr/lib/", "/System/Library/")) for piece in pieces for library in piece.libraries
            )
        else:
            wanted = Linkage.STATIC
            good = bool(pieces) and all(piece.linkage is Linkage.STATIC for piece in pieces)
        needed = [library for piece in pieces for library in piece.libraries]
        needed += [piece.interpreter for piece in pieces if piece.interpreter]
        found = f"{', '.join(piece.linkage for piece in pieces)}: {', '.join(needed) or '-'}"
        return Finding(
            id=f"{self.id}.{facts.built.platform.replace('/', '-')}",
            status=pass_or_fail(good=good),
            title=Text(id="doctor.linkage_macos" if mac else "doctor.linkage_linux"),
            evidence=(Evidence(what=facts.built.path, found=found, wanted=str(wanted)),),
            remedy=None if good else Remedy(text=Text(id="doctor.fix_cgo")),
            link=self.source if mac else None,
            confirmed_on_hardware=False if mac else None,
        )


class BuildSigned:
    """Reads the signature of a program for Apple silicon, which refuses unsigned code, and hashes its pages anew."""

    id: ClassVar[str] = "build-signed"
    needs: ClassVar[tuple[Need, ...]] = TOOLCHAIN
    source: ClassVar[str | None] = "https://github.com/golang/go/issues/42684"
    confirmed_on_hardware: ClassVar[bool | None] = False

    def check(self, facts: BuildSubject) -> Finding:
        """Judge one program; skipped for platforms that ask for no signature."""
        title = Text(id="doctor.build_signed", values={"platform": facts.built.platform})
        id_ = f"{self.id}.{facts.built.platform.replace('/', '-')}"
        if facts.built.platform != "darwin/arm64":
            reason = Text(id="doctor.no_signature_needed", values={"platform": facts.built.platform})
            return Finding(id=id_, status=Status.SKIP, title=title, evidence=(), reason=reason)
        signatures = [piece.signature for piece in facts.binary.slices]
        good = bool(signatures) and all(
            signature.kind is not SignatureKind.NONE and signature.bad_pages == 0 for signature in signatures
        )
        found = "; ".join(
            f"{signature.kind}, {signature.pages} pages, {signature.bad_pages} bad" for signature in signatures
        )
        return Finding(
            id=id_,
            status=pass_or_fail(good=good),
            title=title,
            evidence=(Evidence(what=facts.built.path, found=found, wanted="signed, 0 bad"),),
            remedy=None if good else Remedy(text=Text(id="doctor.fix_sign"), commands=("codesign -f -s - FILE",)),
            link=self.source,
            confirmed_on_hardware=self.confirmed_on_hardware,
        )


class BuildUuid:
    """Reads whether a program for macOS has an LC_UUID, which macOS 26 demands and Go before 1.24 left out."""

    id: ClassVar[str] = "build-uuid"
    needs: ClassVar[tuple[Need, ...]] = TOOLCHAIN
    source: ClassVar[str | None] = "https://github.com/golang/go/issues/68678"
    confirmed_on_hardware: ClassVar[bool | None] = False

    def check(self, facts: BuildSubject) -> Finding:
        """Judge one program; skipped for platforms that ask for no LC_UUID."""
        title = Text(id="setup.build_uuid", values={"platform": facts.built.platform})
        id_ = f"{self.id}.{facts.built.platform.replace('/', '-')}"
        if not facts.built.platform.startswith("darwin/"):
            reason = Text(id="setup.no_uuid_needed", values={"platform": facts.built.platform})
            return Finding(id=id_, status=Status.SKIP, title=title, evidence=(), reason=reason)
        found = [piece.uuid for piece in facts.binary.slices]
        good = bool(found) and None not in found
        return Finding(
            id=id_,
            status=pass_or_fail(good=good),
            title=title,
            evidence=(
                Evidence(what=facts.built.path, found=", ".join(each or "-" for each in found), wanted="LC_UUID"),
            ),
            remedy=None if good else Remedy(text=Text(id="setup.fix_uuid"), commands=SETUP),
            link=self.source,
            confirmed_on_hardware=self.confirmed_on_hardware,
        )


BUILD_RULES: Final = (BuildTarget(), BuildLinkage(), BuildSigned(), BuildUuid())
