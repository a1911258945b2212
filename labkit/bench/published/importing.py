"""From a file that holds published benchmark output to an imported record."""

import hashlib
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from labkit import __version__
from labkit.bench.published import machines
from labkit.bench.published.reader import parse
from labkit.bench.published.sources import checked
from labkit.errors import RecordError, UsageError
from labkit.model.imported import ImportedRecord
from labkit.words import Language, render

#: A larger text is refused: published output is a page, and a whole log of a day has a few MiB.
MOST_BYTES: Final = 16 * 1024 * 1024

_NAME_ONE: Final = "name a text file with Go benchmark output, or - for standard input"


def import_file(
    path: Path, *, source: str | None, chip: str | None = None, package: str | None = None, at: datetime | None = None
) -> ImportedRecord:
    """Return the record of a file; ``-`` is standard input.

    Args:
        path: The text, as it was published or as much of it as is wanted.
        source: Its address.
        chip: The chip of samples without a cpu line, as the importer knows it; ``M1 Pro`` and ``Apple M1 Pro`` are one.
        package: The import path of samples without a pkg line, as the importer knows it.
        at: When it is imported; now.

    Raises:
        UsageError: No address, no such file, no text, or more than :data:`MOST_BYTES`.
        RecordError: No benchmark line could be read.

    """
    checked(source)
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with path.open("rb") as stream:
                data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy=_NAME_ONE) from error
    return import_bytes(data, name=str(path), source=source, chip=chip, package=package, at=at)


def import_bytes(
    data: bytes,
    *,
    name: str,
    source: str | None,
    chip: str | None = None,
    package: str | None = None,
    at: datetime | None = None,
) -> ImportedRecord:
    """Return the record of some bytes; arguments and errors as for :func:`import_file`."""
    address = checked(source)
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"{name} has more than {MOST_BYTES >> 20} MiB", remedy="cut the part with the benchmark lines out of it"
        )
    if b"\0" in data and not data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise UsageError(f"{name} is a binary file", remedy=_NAME_ONE)
    named = None if chip is None else machines.apple_chip(chip) or " ".join(chip.split())
    said = {"chip": named or "", "package": (package or "").strip()}
    found = parse(data, chip=said["chip"] or None, package=said["package"] or None)
    if not found.samples:
        what = f"{name} holds no benchmark line that could be read"
        if found.unreadable:
            first = found.unreadable[0]
            reason = render(first.why, Language.ENGLISH)
            what += f"; {len(found.unreadable)} look like one, the first is line {first.line}: {reason}"
        raise RecordError(what, remedy=_NAME_ONE)
    return ImportedRecord(
        source=address,
        imported_at=(at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
        file=Path(name).name,
        sha256=hashlib.sha256(data).hexdigest(),
        labkit_version=__version__,
        stated_by_importer={key: value for key, value in said.items() if value},
        machine=machines.shared(found.machines),
        machines=found.machines,
        samples=found.samples,
        unreadable=found.unreadable,
    )
