"""A Mach-O slice's code signature: the SuperBlob, its code directories, entitlements and every page's hash.

Numbers are big-endian; the layouts are ``osfmk/kern/cs_blobs.h``'s. What this reader cannot judge is listed in
``Signature.unknown``. It does not decide trust: revocation, notarisation and Gatekeeper are for a Mac to say.
"""

import hashlib
import plistlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from labkit.binary import certificates
from labkit.binary import constants as c
from labkit.binary.reading import Bytes, MalformedError, Source, plain
from labkit.model.binary import Signature, SignatureKind

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

_MAX_BLOBS: Final = 64
_MAX_ENTITLEMENTS_BYTES: Final = 1024 * 1024
#: A page is 4 or 16 KiB on macOS (xnu's cs_validate_csblob); up to 64 KiB is verified all the same.
_PAGE_SHIFTS: Final = range(12, 17)
_READ_BYTES: Final = 1024 * 1024
_CDHASH_BYTES: Final = 20
_HASHERS: Final[dict[str, Callable[[bytes | memoryview], "Hash"]]] = {
    "sha1": partial(hashlib.sha1, usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
}
_STRENGTH: Final = ("sha1", "sha256-truncated", "sha256", "sha384")


@dataclass(frozen=True, kw_only=True)
class _Directory:
    """One CodeDirectory: its own bytes, and where its hashes lie in them."""

    data: Bytes
    version: int
    flags: int
    identifier: str
    team: str | None
    platform: int
    limit: int  # bytes that are hashed
    page_shift: int
    page_count: int
    special_count: int
    hash_name: str
    algorithm: str
    hash_bytes: int
    hashes_at: int

    def page_hashes(self) -> bytes:
        return self.data.data[self.hashes_at : self.hashes_at + self.page_count * self.hash_bytes]

    def special(self, slot: int) -> bytes | None:
        if slot > self.special_count:
            return None
        at = self.hashes_at - slot * self.hash_bytes
        return self.data.data[at : at + self.hash_bytes]

    def hash(self, data: bytes) -> bytes:
        return _HASHERS[self.algorithm](data).digest()[: self.hash_bytes]


def absent() -> Signature:
    """Return the signature of a slice that has none."""
    return Signature(kind=SignatureKind.NONE)


def damaged(error: MalformedError) -> Signature:
    """Return the signature of a slice whose signature cannot be read."""
    return Signature(kind=SignatureKind.OTHER, unknown=(str(error),))


def read(source: Source, offset: int, size: int, *, pages: bool) -> Signature:
    """Return the signature that lies at an offset of a slice.

    Raises:
        MalformedError: It contradicts itself or the file.

    """
    data = Bytes(source.read(offset, size, "code signature"), base=source.base + offset, order=">")
    unknown: list[str] = []
    blobs = _blobs(data, unknown)
    directories = [
        _directory(blob)
        for slot, blob in sorted(blobs.items())
        if slot == 0 or c.CSSLOT_ALTERNATE <= slot < c.CSSLOT_ALTERNATE_LIMIT
    ]
    known = _known_once(directories, unknown)
    if 0 not in blobs or not known:
        raise MalformedError("code signature has no code directory that can be read", data.base)
    best = max(known, key=lambda each: _STRENGTH.index(each.hash_name))
    unknown.extend(
        f"the {each.hash_name} directory covers {each.limit:#x} bytes, the signature begins at {offset:#x}"
        for each in known
        if each.limit != offset
    )
    verified = [each for each in known if _can_verify(each, unknown)] if pages else []
    cms = certificates.read(_payload(blobs.get(c.CSSLOT_CMS)), unknown)
    return Signature(
        kind=_kind(best.flags, cms, unknown),
        identifier=best.identifier,
        team=best.team,
        hardened_runtime=bool(best.flags & 0x10000),
        pages=max(each.page_count for each in known),
        bad_pages=_bad_pages(source, verified) if verified else None,
        page_size_bytes=1 << best.page_shift if best.page_shift else None,
        flags=tuple(name for bit, name in c.CODE_FLAGS.items() if best.flags & bit),
        hashes=tuple(each.hash_name for each in known),
        directory_hash=best.hash(best.data.data)[:_CDHASH_BYTES].hex(),
        platform=best.platform,
        entitlements=_entitlements(_payload(blobs.get(5)), unknown),
        bad_slots=_bad_slots(known, blobs),
        signers=cms.signers,
        signed_directory=cms.covers(blobs[0].data) if cms.signers else None,
        unknown=tuple(unknown),
    )


def _kind(flags: int, cms: certificates.Signed, unknown: list[str]) -> SignatureKind:
    if cms.signers:
        if not cms.signers[0].startswith("Developer ID Application:"):
            return SignatureKind.OTHER
        if not cms.from_apple:
            unknown.append("a certificate that calls itself Developer ID and does not lead to Apple's root")
            return SignatureKind.OTHER
        return SignatureKind.DEVELOPER_ID
    if not flags & 0x2:
        return SignatureKind.OTHER
    return SignatureKind.LINKER if flags & 0x20000 else SignatureKind.ADHOC


def _blobs(data: Bytes, unknown: list[str]) -> dict[int, Bytes]:
    magic, length, count = data.numbers("3I", 0, "code signature")
    if magic != c.CSMAGIC_SUPER_BLOB:
        raise MalformedError(f"code signature begins with {magic:#x}", data.base)
    if length > data.size or count > _MAX_BLOBS:
        raise MalformedError(f"code signature of {data.size} bytes claims {length} bytes, {count} blobs", data.base + 4)
    blobs: dict[int, Bytes] = {}
    total = 0
    for index in range(count):
        slot, offset = data.numbers("2I", 12 + 8 * index, f"entry {index} of the code signature")
        size = data.number("I", offset + 4, f"blob of slot {slot:#x}")
        total += size
        if total > data.size:  # blobs never overlap
            raise MalformedError(f"blob of slot {slot:#x} claims {size} bytes", data.base + offset + 4)
        if slot in blobs:
            raise MalformedError(f"code signature holds slot {slot:#x} twice", data.base + 12 + 8 * index)
        if slot not in c.KNOWN_SLOTS and not c.CSSLOT_ALTERNATE <= slot < c.CSSLOT_ALTERNATE_LIMIT:
            unknown.append(f"slot {slot:#x} of the code signature")
        blobs[slot] = data.part(offset, size, f"blob of slot {slot:#x}")
    return blobs


def _payload(blob: Bytes | None) -> bytes:
    return blob.data[8:] if blob is not None else b""


def _directory(data: Bytes) -> _Directory:
    what = "code directory"
    magic, _length, version, flags, hashes_at, name_at, specials, count, limit = data.numbers("9I", 0, what)
    if magic != c.CSMAGIC_CODE_DIRECTORY:
        raise MalformedError(f"code directory begins with {magic:#x}", data.base)
    hash_bytes, hash_type, platform, page_shift = data.numbers("4B", 36, what)
    if version >= 0x20300 and (wide := data.number("Q", 56, what)):  # noqa: PLR2004 - from here on limits have 64 bits
        limit = wide
    name, algorithm, expected = c.HASH_TYPES.get(hash_type, (f"hash type {hash_type}", "", hash_bytes))
    if hash_bytes != expected:
        raise MalformedError(f"code directory has {hash_bytes} bytes a hash of {name}", data.base + 36)
    if hashes_at - specials * hash_bytes < 0 or hashes_at + count * hash_bytes > data.size:
        raise MalformedError(f"code directory claims {specials} + {count} hashes", data.base + 24)
    team_at = data.number("I", 48, what) if version >= 0x20200 else 0  # noqa: PLR2004 - from here on there are teams
    return _Directory(
        data=data,
        version=version,
        flags=flags,
        identifier=data.text(name_at, "identifier"),
        team=data.text(team_at, "team") if team_at else None,
        platform=platform,
        limit=limit,
        page_shift=page_shift,
        page_count=count,
        special_count=specials,
        hash_name=name,
        algorithm=algorithm,
        hash_bytes=hash_bytes,
        hashes_at=hashes_at,
    )


def _known_once(directories: list[_Directory], unknown: list[str]) -> list[_Directory]:
    known: dict[str, _Directory] = {}
    for each in directories:
        if not each.algorithm:
            unknown.append(f"a code directory with {each.hash_name}")
        elif each.hash_name in known:
            unknown.append(f"a second code directory with {each.hash_name}")
        else:
            known[each.hash_name] = each
    return list(known.values())


def _can_verify(directory: _Directory, unknown: list[str]) -> bool:
    shift = directory.page_shift
    if shift not in _PAGE_SHIFTS:
        unknown.append(f"pages of 2^{shift} bytes are not verified: macOS has 4 or 16 KiB")
        return False
    if -(-directory.limit >> shift) != directory.page_count:  # rounded up
        at = directory.data.base + 28
        raise MalformedError(f"code directory hashes {directory.page_count} pages of {directory.limit:#x} bytes", at)
    return True


def _bad_pages(source: Source, directories: list[_Directory]) -> int:
    """Return how many pages differ from their hash in any directory, reading the code once."""
    limit = max(each.limit for each in directories)
    if limit > source.size:
        raise MalformedError(
            f"code directory covers {limit:#x} bytes of {source.size:#x}", directories[0].data.base + 32
        )
    bad: dict[int, set[int]] = {}
    buffer = memoryview(bytearray(min(_READ_BYTES, max(limit, 1))))
    wanted = [(each, each.page_hashes()) for each in directories]
    offset = 0
    while offset < limit:
        got = source.read_into(offset, buffer)
        if got < min(len(buffer), limit - offset):
            raise MalformedError("the file ended while its pages were hashed", source.base + offset + got)
        for each, hashes in wanted:
            bad.setdefault(each.page_shift, set()).update(_differing(each, hashes, buffer, offset))
        offset += got
    sizes = sorted(bad)
    if len(sizes) == 1:
        return len(bad[sizes[0]])
    # directories with pages of different sizes (never seen): count in the smallest
    small = sizes[0]
    return len({page << shift - small for shift in sizes for page in bad[shift]})


def _differing(directory: _Directory, hashes: bytes, buffer: memoryview, offset: int) -> list[int]:
    """Return the numbers of the pages in a buffer that differ from their hash."""
    size, width = directory.hash_bytes, 1 << directory.page_shift
    new = _HASHERS[directory.algorithm]
    end = min(len(buffer), directory.limit - offset)
    found = [new(buffer[at : at + width]).digest() for at in range(0, end - width + 1, width)]
    if end > 0 and end % width:  # the last page ends where the code does
        found.append(new(buffer[end - end % width : end]).digest())
    if len(found[0] if found else b"") != size:
        found = [each[:size] for each in found]
    first = offset >> directory.page_shift
    if b"".join(found) == hashes[first * size : (first + len(found)) * size]:
        return []
    wanted = (hashes[page * size : (page + 1) * size] for page in range(first, first + len(found)))
    return [first + index for index, (one, other) in enumerate(zip(found, wanted, strict=True)) if one != other]


def _bad_slots(directories: list[_Directory], blobs: dict[int, Bytes]) -> tuple[str, ...]:
    """Return the signed parts within the file that are not what a directory hashed."""
    bad: list[str] = []
    for slot, name in c.SPECIAL_SLOTS.items():
        for directory in directories:
            wanted, blob = directory.special(slot), blobs.get(slot)
            present = wanted is not None and any(wanted)
            if (blob is not None and (not present or directory.hash(blob.data) != wanted)) or (
                blob is None and present
            ):
                bad.append(name)
                break
    return tuple(bad)


def _entitlements(data: bytes, unknown: list[str]) -> dict[str, str]:
    if not data:
        return {}
    if len(data) > _MAX_ENTITLEMENTS_BYTES:
        unknown.append(f"entitlements of {len(data)} bytes are not read")
        return {}
    try:
        values = plistlib.loads(data, fmt=plistlib.FMT_XML)
        return {
            plain(str(key).encode("utf-8", "surrogatepass")): msgspec.json.encode(value, enc_hook=str).decode()
            for key, value in values.items()
        }
    except Exception as error:  # noqa: BLE001 - plistlib lets expat's, struct's and its own errors through
        unknown.append(f"entitlements are no property list: {plain(str(error).encode('utf-8', 'replace'))[:120]}")
        return {}
