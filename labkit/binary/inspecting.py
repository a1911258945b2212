"""One file's facts, put together. Whatever is wrong with the file is a property of it: ``Binary.error``."""

import errno
import hashlib
import logging
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from labkit.binary import constants as c
from labkit.binary import elf, elf_names, gobuildinfo, macho, signature
from labkit.binary.judging import DEFAULT_MACHINES, check_machines, judge
from labkit.binary.reading import MalformedError, Source, plain
from labkit.model.binary import Binary, Format, GoInfo, Linkage, Signature, SignatureKind, Slice

log = logging.getLogger(__name__)

_KINDS = (
    (stat.S_ISDIR, "a folder, not a file"),
    (stat.S_ISFIFO, "a FIFO, not a file"),
    (stat.S_ISSOCK, "a socket, not a file"),
    (stat.S_ISCHR, "a character device, not a file"),
    (stat.S_ISBLK, "a block device, not a file"),
)

_OTHER_MAGICS = (
    (b"MZ", "pe"),
    (b"!<arch>\n", "archive"),
    (b"!<thin>\n", "archive"),
    (b"\0asm", "wasm"),
    (b"BC\xc0\xde", "llvm-bitcode"),
    (b"\xca\xfe\xba\xbe", "java-class"),
    (b"\x01\xdf", "xcoff"),
    (b"\x01\xf7", "xcoff"),
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b", "gzip"),
)


def inspect(
    path: Path | str, *, pages: bool = True, machines: Sequence[str] = DEFAULT_MACHINES, digest: bool = False
) -> Binary:
    """Return a file's facts, and a verdict for each machine. A bad file does not raise: ``error`` is set.

    Args:
        path: The file; anything else (a folder, a FIFO, a symbolic link that loops) gives an error in the result.
        pages: Whether every signed page is hashed; without, ``Signature.bad_pages`` is None.
        machines: Names as in :data:`DEFAULT_MACHINES`.
        digest: Whether the whole file is hashed too, for ``Binary.sha256``.

    Raises:
        UsageError: A machine's name is unknown.

    Examples:
        >>> inspect("/no/such/file").error
        'cannot be read: No such file or directory'

    """
    check_machines(machines)
    binary = _facts(Path(path), pages=pages, digest=digest)
    verdicts = tuple(judge(binary, machine) for machine in machines)
    return msgspec.structs.replace(binary, verdicts=verdicts)


def _facts(path: Path, *, pages: bool, digest: bool) -> Binary:
    shown = plain(os.fsencode(path))
    try:
        # not blocking: a FIFO that nobody writes to would hold us here for ever
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        return _failed(shown, _reason(path, error))
    except ValueError as error:  # a zero byte in the name
        return _failed(shown, str(error))
    try:
        status = os.fstat(descriptor)
        for is_kind, words in _KINDS:
            if is_kind(status.st_mode):
                return _failed(shown, words)
        if status.st_size == 0:
            return _failed(shown, "an empty file", size=0)
        source = Source(descriptor, base=0, size=status.st_size)
        return _read(shown, source, pages=pages, sha256=_digest(descriptor) if digest else None)
    except OSError as error:
        return _failed(shown, _reason(path, error))
    finally:
        os.close(descriptor)


def _reason(path: Path, error: OSError) -> str:
    match error.errno:
        case errno.ELOOP:
            return "a symbolic link that leads back to itself"
        case errno.ENOENT if path.is_symlink():
            return "a symbolic link to a file that does not exist"
        case errno.ENXIO | errno.EOPNOTSUPP:
            return "a socket, not a file"
        case _:
            return f"cannot be read: {error.strerror or error}"


def _failed(path: str, error: str, *, size: int | None = None, format_: Format = Format.OTHER) -> Binary:
    return Binary(path=path, sha256=None, size_bytes=size, format=format_, error=error, go=None, slices=())


def _digest(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: str, source: Source, *, pages: bool, sha256: str | None) -> Binary:
    magic = source.read(0, min(8, source.size), "magic")
    format_, error, go = Format.OTHER, None, None
    slices: tuple[Slice, ...] = ()
    try:
        if magic[:4] == elf.MAGIC:
            format_ = Format.ELF
            slices, go, error = _elf(source)
        elif macho.is_macho(magic):
            format_ = Format.MACHO
            slices, go, error = _macho(source, pages=pages)
    except MalformedError as fault:
        error = str(fault)
    except Exception as fault:
        log.exception("%s", path)
        error = f"labkit did not foresee this file, please report it: {type(fault).__name__}: {fault}"
    kind = None if format_ is not Format.OTHER else _other_kind(source)
    return Binary(
        path=path, sha256=sha256, size_bytes=source.size, format=format_, error=error, kind=kind, go=go, slices=slices
    )


def _other_kind(source: Source) -> str | None:
    start = source.read(0, min(256, source.size), "magic")
    if start.startswith(b"#!"):
        words = start[2:].split(b"\n")[0].split()
        return f"script {plain(words[0])}" if words else "script ?"
    return next((name for magic, name in _OTHER_MAGICS if start.startswith(magic)), None)


def _elf(source: Source) -> tuple[tuple[Slice, ...], GoInfo | None, str | None]:
    headers = elf.headers(source)
    dynamic = headers.interpreter is not None or headers.libraries
    facts = Slice(
        architecture=elf_names.architecture(headers),
        bits=headers.bits,
        endian="little" if headers.order == "<" else "big",
        file_type=elf_names.file_type(headers),
        linkage=Linkage.DYNAMIC if dynamic else Linkage.STATIC,
        interpreter=headers.interpreter,
        libraries=tuple(headers.libraries),
        rpaths=tuple(headers.rpaths),
        minimum_os=None,
        sdk=None,
        uuid=None,
        symbols=headers.symbols,
        dwarf=headers.dwarf,
        hardening={
            "pie": headers.pie,
            "nx_stack": not headers.stack_executable,
            "relro": headers.relro,
            "bind_now": headers.bind_now,
        },
        signature=Signature(kind=SignatureKind.NONE),
        platform=elf_names.system(headers),
        size_bytes=source.size,
        install_name=headers.install_name,
        build_id=headers.build_id,
        minimum_libc=None if headers.glibc is None else f"glibc {headers.glibc[0]}.{headers.glibc[1]}",
    )
    return (facts,), gobuildinfo.read(source, headers.image), None if headers.fault is None else str(headers.fault)


def _macho(source: Source, *, pages: bool) -> tuple[tuple[Slice, ...], GoInfo | None, str | None]:
    slices: list[Slice] = []
    go: GoInfo | None = None
    error: str | None = None
    for part in macho.parts(source):
        if part.architecture is not None and part.source.size >= 8 and part.source.read(0, 8, "magic") == b"!<arch>\n":  # noqa: PLR2004
            slices.append(_archive(part))
            continue
        headers = macho.headers(part.source)
        try:
            signed = _signature(part.source, headers, pages=pages)
        except MalformedError as fault:
            error = error or str(fault)
            signed = signature.damaged(fault)
        if not slices:
            go = gobuildinfo.read(part.source, headers.image)
        slices.append(_slice(part.source, headers, signed))
    return tuple(slices), go, error


def _signature(source: Source, headers: macho.Headers, *, pages: bool) -> Signature:
    if headers.signature is None:
        return signature.absent()
    return signature.read(source, *headers.signature, pages=pages)


def _slice(source: Source, headers: macho.Headers, signed: Signature) -> Slice:
    dynamic = headers.interpreter is not None or headers.libraries
    return Slice(
        architecture=headers.architecture,
        bits=headers.bits,
        endian=headers.endian,
        file_type=headers.file_type,
        linkage=Linkage.DYNAMIC if dynamic else Linkage.STATIC,
        interpreter=headers.interpreter,
        libraries=tuple(headers.libraries),
        rpaths=tuple(headers.rpaths),
        minimum_os=headers.minimum_os,
        sdk=headers.sdk,
        uuid=headers.uuid,
        symbols=headers.symbol_count > 0,
        dwarf=headers.dwarf,
        hardening={
            "pie": bool(headers.flags & c.MH_PIE),
            "nx_stack": not headers.flags & c.MH_ALLOW_STACK_EXECUTION,
            "nx_heap": bool(headers.flags & c.MH_NO_HEAP_EXECUTION),
            "encrypted": headers.encrypted,
        },
        signature=signed,
        platform=headers.platform,
        offset_bytes=source.base,
        size_bytes=source.size,
        install_name=headers.install_name,
        weak_libraries=tuple(headers.weak_libraries),
        unknown=tuple(headers.unknown),
    )


def _archive(part: macho.Part) -> Slice:
    return Slice(
        architecture=part.architecture or "unknown",
        bits=64 if "64" in (part.architecture or "") else 32,
        endian="little",
        file_type="archive",
        linkage=Linkage.STATIC,
        interpreter=None,
        libraries=(),
        rpaths=(),
        minimum_os=None,
        sdk=None,
        uuid=None,
        symbols=None,
        dwarf=None,
        hardening={},
        signature=Signature(kind=SignatureKind.NONE),
        offset_bytes=part.source.base,
        size_bytes=part.source.size,
    )
