"""Chapter 3.2, the printed lines: gpg on local files, ./configure and archive names in source trees, codesign."""

import re
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Final

from labkit.claims import announced, ledgers, protocs
from labkit.claims.base import ClaimCheck, Value, output, read_source, tool
from labkit.claims.checks.chapter_1 import before
from labkit.claims.facts import ClaimFacts, probe
from labkit.errors import NetworkError, ProvisionError
from labkit.model.base import Record
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.model.source import LineTried
from labkit.toolchain.source import fetch
from labkit.toolchain.source.lines import try_codesign, try_configure, try_gpg
from labkit.toolchain.source.pins import Archive, shipped

_WELL: Final = "exit code 0"
#: Which digest a signature is over, by its number (https://www.rfc-editor.org/rfc/rfc9580#section-9.5).
_DIGESTS: Final = {"8": "SHA-256", "9": "SHA-384", "10": "SHA-512"}
#: Files of a source tree that say what its release is called.
_TELLING: Final = ("README.md", "src/README.md", "cmake/README.md", "WORKSPACE")
_ARCHIVES: Final = re.compile(r"\bprotobuf(?:-(?:all|cpp|java))?-(?:\[VERSION\]|\d+\.\d+)\.(?:tar\.gz|zip)")


@probe("gpg-lines", tools=("gpg",))
def gpg_lines(facts: ClaimFacts) -> LineTried:
    """Try the printed line's shape with a key made for the moment."""
    return try_gpg(facts.tool("gpg"))


def _of(tried: LineTried, about: str) -> str:
    return next(each.found for each in tried.evidence if about in each.what)


def _seen(tried: LineTried) -> list[ClaimEvidence]:
    return [output(each.what, each.found) for each in tried.evidence]


class PipedDownload(ClaimCheck):
    """Pipe a stand-in for the archive into gpg as printed; then with its .sig there, and with the signer's key too."""

    id = "3.2.02"
    needs = (tool("gpg"),)
    turned_by = "another gpg"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by when gpg says that it verified, and by what is on disk then."""
        tried = facts.get(gpg_lines)
        cases = [
            Case(facts={"sig": sig, "key": key}, holds=found.startswith(_WELL), witness=found)
            for about, sig, key in (
                ("as printed", False, False),
                ("no public key", True, False),
                ("its .sig and the signer's public key", True, True),
            )
            for found in [_of(tried, about)]
        ]
        printed = _of(tried, "as printed").partition(" | ")[0]
        kept = _of(tried, "files in the folder")
        yield self.by_cases(cases, _has_both, _seen(tried), printed=printed, kept=kept)


def _has_both(case: Mapping[str, Value]) -> bool:
    return bool(case["sig"] and case["key"])


class FindsTheSignature(ClaimCheck):
    """Give gpg the archive with its .sig beside it, the .sig with its archive, and a signature over another digest."""

    id = "3.2.05"
    needs = (tool("gpg"),)
    turned_by = "another gpg"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the archive's name is enough, and by whether only SHA-256 is accepted."""
        tried = facts.get(gpg_lines)
        by_archive = _of(tried, "gpg --verify FILE, its .sig beside it")
        by_signature = _of(tried, "gpg --verify FILE.sig, the archive beside it")
        number = next(iter(re.findall(r"digest algo (\d+)", _of(tried, "which digest"))), "-")
        other = _of(tried, "over SHA-512").startswith(_WELL)
        digests = ", ".join(
            [_DIGESTS.get(number, number), *(["SHA-512"] if other and _DIGESTS.get(number) != "SHA-512" else [])]
        )
        yield self.judged(
            by_archive.startswith(_WELL) and digests == "SHA-256",
            _seen(tried),
            archive=by_archive.partition(":")[0],
            signature=by_signature.partition(":")[0],
            digests=digests,
        )


class Tree(Record, frozen=True, kw_only=True):
    """What a source tree of one version says of its release."""

    version: str
    archives: Mapping[str, tuple[str, ...]]  # names of release archives, by the file that names them


class Trees(Record, frozen=True, kw_only=True):
    """The source trees that are pinned."""

    configure: LineTried
    trees: tuple[Tree, ...]


@probe("protobuf-trees")
def trees(facts: ClaimFacts) -> Trees:
    """Look into every pinned tree.

    Raises:
        ProvisionError: They are not here, and there is no cargo to fetch them.
        NetworkError: cargo could not fetch them.

    """
    asked = str(ledgers.own().find("3.2.01").quoted["protoc"])
    found = [(pin, facts.replaced_tool(f"archive:{pin.version}") or fetch.obtain(pin)) for pin in pinned()]
    return Trees(configure=try_configure(found, asked=asked), trees=tuple(_tree(pin, path) for pin, path in found))


def pinned() -> tuple[Archive, ...]:
    """Return the pins of all trees, the oldest first."""
    return tuple(sorted((*shipped().older, *shipped().source), key=lambda pin: tuple(map(int, pin.version.split(".")))))


def _tree(pin: Archive, path: Path) -> Tree:
    named: dict[str, tuple[str, ...]] = {}
    with tarfile.open(path, "r:gz") as tar:
        for member in tar:
            name = member.name.removeprefix(f"{pin.label}/{pin.folder}/")
            file = tar.extractfile(member) if name in _TELLING and member.isfile() else None
            if file is not None:
                found = _ARCHIVES.findall(file.read().decode("utf-8", "replace"))
                named[name] = tuple(dict.fromkeys(found))
    return Tree(version=pin.version, archives={name: each for name, each in named.items() if each})


class _OfTrees(ClaimCheck):
    """The base of checks that look into source trees."""

    news: ClassVar[str]
    turned_by = "another source tree"

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the trees."""
        facts.get(trees)

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the trees of later versions; where none has it, by what the project announced of earlier ones."""
        stated = str(ledgers.own().find("3.2.01").quoted["protoc"])
        told = announced.named(self.news)
        try:
            seen = facts.get(trees)
        except NetworkError:
            raise
        except ProvisionError as error:
            yield self.untested("untested", would_test="would_test", tried=[error.what])
            return
        evidence, having, lacking = self.look(seen)
        newer = [each for each in having if not before(each, stated)]
        values = {"stated": stated, "since": told.since, "having": ", ".join(having) or "-", "lacking": lacking}
        if not newer and before(stated, told.since):
            yield self.untested("untested_unannounced", would_test="would_test", evidence=evidence, stated=stated)
        else:
            cited = [*evidence, told.cited()]
            yield self.judged(bool(newer), cited, newer=", ".join(newer) or "-", **values)

    def look(self, seen: Trees) -> tuple[list[ClaimEvidence], list[str], str]:
        """Return the evidence, the versions that have what is looked for, and those that lack it."""
        raise NotImplementedError


class Configure(_OfTrees):
    """Look for configure in source trees before and after the stated version, and run it where it is."""

    id = "3.2.03"
    news = "no-autotools"

    def look(self, seen: Trees) -> tuple[list[ClaimEvidence], list[str], str]:
        """Read it off the line that was tried."""
        values = {name: str(each) for name, each in seen.configure.outcome.values.items()}
        having = [each for each in values["having"].split(", ") if each != "-"]
        return [read_source(each.what, each.found) for each in seen.configure.evidence], having, values["lacking"]


class ReleaseArchive(_OfTrees):
    """Read in source trees before and after the stated version what they call the archives of their own release."""

    id = "3.2.08"
    news = "one-source-archive"

    def look(self, seen: Trees) -> tuple[list[ClaimEvidence], list[str], str]:
        """Read it off the names."""
        prefix = str(ledgers.own().find(self.id).quoted["prefix"])
        evidence, having, lacking = [], list[str](), list[str]()
        for tree in seen.trees:
            said = "; ".join(f"{name}: {', '.join(found)}" for name, found in tree.archives.items()) or "none"
            evidence.append(read_source(f"archives named in protobuf {tree.version}", said))
            has = any(each.startswith(prefix) for found in tree.archives.values() for each in found)
            (having if has else lacking).append(tree.version)
        return evidence, having, ", ".join(lacking) or "-"


class Codesign(ClaimCheck):
    """Read what signature a published protoc has now, and run the printed line on a copy where codesign is."""

    id = "3.2.06"
    turned_by = "another codesign"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the signature afterwards."""
        pin = protocs.published()[-1]
        tried = try_codesign(protocs.obtain(pin), codesign=facts.has_tool("codesign") or Path("/nonexistent/codesign"))
        evidence = _seen(tried)
        said = "; ".join(f"{each.what}: {each.found}" for each in tried.evidence)
        if tried.holds is None:
            yield self.untested("untested", would_test="would_test", tried=[said], evidence=evidence)
            return
        ended = next(each.found for each in tried.evidence if each.what == tried.line)
        yield self.judged(tried.holds, evidence, said=ended)
