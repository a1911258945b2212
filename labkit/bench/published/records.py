"""Imported records on disk: JSON with a schema number, validated whole when it is read."""

import math
from pathlib import Path
from typing import Final

import msgspec

from labkit.bench.published.sources import checked
from labkit.errors import RecordError, UsageError
from labkit.model.base import Provenance
from labkit.model.imported import SCHEMA, ImportedRecord, PublishedSample

_AGAIN: Final = "make it anew with `labkit import FILE --source URL --out FILE`, or update labkit"
#: A larger file is no imported record: the text it was made of is bounded too.
MOST_RECORD_BYTES: Final = 256 * 1024 * 1024


class _Kind(msgspec.Struct):
    """What tells an imported record from other JSON."""

    kind: str | None = None
    schema: int | None = None


def encode(record: ImportedRecord) -> bytes:
    """Return a record as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def is_imported(data: bytes) -> bool:
    """Return whether some bytes are an imported record, of this schema or another; nothing else is checked."""
    try:
        return msgspec.json.decode(data, type=_Kind).kind == "imported"
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def decode(data: bytes, *, name: str) -> ImportedRecord:
    """Return the imported record in some JSON; ``name`` says where it came from.

    Raises:
        RecordError: It is no JSON, no imported record, of a newer schema, or contradicts itself.

    """
    try:
        kind = msgspec.json.decode(data, type=_Kind)
        if kind.kind != "imported" or kind.schema is None:
            raise RecordError(f"{name} is not an imported record", remedy=_AGAIN)
        if not 1 <= kind.schema <= SCHEMA:
            raise RecordError(
                f"{name} has schema {kind.schema} of imported records; this labkit reads 1 to {SCHEMA}", remedy=_AGAIN
            )
        record = msgspec.json.decode(data, type=ImportedRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{name} is not an imported record: {error}", remedy=_AGAIN) from error
    wrong = _contradiction(record)
    if wrong is not None:
        raise RecordError(f"{name} contradicts itself: {wrong}", remedy=_AGAIN)
    return record


def load(path: Path) -> ImportedRecord:
    """Return the imported record in a file.

    Raises:
        RecordError: It cannot be read, or is not an imported record.

    """
    try:
        if path.stat().st_size > MOST_RECORD_BYTES:
            raise RecordError(f"{path} has more than {MOST_RECORD_BYTES >> 20} MiB", remedy=_AGAIN)
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}", remedy=_AGAIN) from error
    return decode(data, name=str(path))


def _contradiction(record: ImportedRecord) -> str | None:
    """Return what in a record cannot be so, whoever wrote it."""
    if record.provenance is not Provenance.IMPORTED:
        return f"its provenance is {record.provenance}"
    try:
        checked(record.source)
    except UsageError as error:
        return f"its source: {error.what}"
    return next(filter(None, (_wrong(at, each, record) for at, each in enumerate(record.samples))), None)


def _wrong(at: int, sample: PublishedSample, record: ImportedRecord) -> str | None:
    if not 0 <= sample.machine < len(record.machines):
        return f"samples[{at}] names machine {sample.machine} of {len(record.machines)}"
    if not sample.values or len(sample.original) != len(sample.values):
        return f"samples[{at}] has {len(sample.values)} values and {len(sample.original)} published texts"
    if not all(map(math.isfinite, (sample.value, *sample.values))):
        return f"samples[{at}] has a value that is no number"
    if not min(sample.values) <= sample.value <= max(sample.values):
        return f"samples[{at}] has value {sample.value}, which is outside its values"
    return None
