"""A file that is compared, read into one shape: a run's record, a bench or claims document, or an imported one.

Of a record only what is compared is read (:mod:`labkit.compare.parts`), so that ten thousand of them are read in
seconds. ``labkit compare --check`` reads it whole (:mod:`labkit.compare.checking`).
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from labkit.compare import imported
from labkit.compare.documents import of_bench, of_claims, of_record
from labkit.compare.entry import Entry
from labkit.compare.parts import BenchDocument, ClaimsDocument, RecordDocument
from labkit.errors import RecordError, UsageError
from labkit.model.bench import Sample
from labkit.model.imported import SCHEMA as IMPORTED_SCHEMA
from labkit.model.imported import ImportedRecord
from labkit.model.regression import SCHEMA as BENCH_SCHEMA
from labkit.model.run import SCHEMA

_NAME_ONE: Final = (
    "name a run's record.json, what `labkit bench --out`, `labkit claims --json` or `labkit import` wrote, or a folder "
    "of runs"
)

#: A larger file is no record.
MOST_BYTES: Final = 256 * 1024 * 1024


class _Kind(msgspec.Struct):
    """What tells the documents apart."""

    run: str | msgspec.UnsetType = msgspec.UNSET
    kernels: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    kind: str | msgspec.UnsetType = msgspec.UNSET
    ledger: str | msgspec.UnsetType = msgspec.UNSET
    claims: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    schema: int | None = None


class _Samples(msgspec.Struct):
    samples: tuple[Sample, ...] = ()


class _SamplesOfRecord(msgspec.Struct):
    performance: _Samples | None = None


class _Measured(msgspec.Struct):
    sample: Sample


class _SamplesOfBench(msgspec.Struct):
    kernels: tuple[_Measured, ...]


_RECORD: Final = msgspec.json.Decoder(RecordDocument)


def find(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files to compare: files as they are, and of a folder every run's record.json.

    The copies in reports are left out. A folder without any record.json gives the JSON files that lie in it.

    Raises:
        UsageError: There is no such file, or no record below a folder.

    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            below = sorted(
                each for each in path.rglob("record.json") if "report" not in each.relative_to(path).parts[:-1]
            )
            below = below or sorted(path.glob("*.json"))  # a folder of records that people sent
            if not below:
                raise UsageError(f"there is no record.json below {path}", remedy=_NAME_ONE)
            found += below
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"{path} does not exist", remedy=_NAME_ONE)
    return tuple(found)


def load(path: Path, room: bytearray | None = None) -> tuple[Entry, ...]:
    """Return what is in a file: one run, or of an imported text each machine and column.

    Args:
        path: The file.
        room: Where to read it to, if it fits; nothing that is returned refers to it. For thousands of files, the
            system's giving of fresh memory for each takes more than half the time of reading.

    Raises:
        UsageError: It cannot be read.
        RecordError: It is none of the kinds, damaged, or of a newer schema.

    """
    return decode(data_of(path) if room is None else _read_into(path, room), path)


def _read_into(path: Path, room: bytearray) -> bytes | memoryview:
    try:
        with path.open("rb", buffering=0) as stream:
            filled = stream.readinto(room)
    except OSError:
        filled = None  # data_of says it
    return memoryview(room)[:filled] if filled is not None and filled < len(room) else data_of(path)


def data_of(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        UsageError: It cannot be read.
        RecordError: It is larger than any record.

    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RecordError(f"{path} has more than {MOST_BYTES >> 20} MiB, which no record has", remedy=_NAME_ONE)
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy=_NAME_ONE) from error


def decode(data: bytes | memoryview, path: Path) -> tuple[Entry, ...]:
    """Return what is in some JSON; ``path`` says where it came from.

    Raises:
        RecordError: It is none of the three kinds, damaged, or of a newer schema.

    """
    try:
        with contextlib.suppress(msgspec.ValidationError):
            document = _RECORD.decode(data)  # nearly all are records: asking the kind first would read them twice
            if 1 <= document.schema <= SCHEMA:
                return (of_record(document, path),)
        kind, schema = kind_of(data)
        newest = {"record": SCHEMA, "bench": BENCH_SCHEMA, "imported": IMPORTED_SCHEMA}.get(kind)
        if newest is not None and (schema is None or not 1 <= schema <= newest):
            raise RecordError(
                f"{path} has schema {schema}; this labkit reads schemas 1 to {newest}", remedy="update labkit"
            )
        match kind:
            case "record":
                return (of_record(_RECORD.decode(data), path),)
            case "bench":
                return (of_bench(msgspec.json.decode(data, type=BenchDocument), path),)
            case "claims":
                return (of_claims(msgspec.json.decode(data, type=ClaimsDocument), path),)
            case "imported":
                return imported.entries(msgspec.json.decode(data, type=ImportedRecord), str(path))
            case _:
                pass
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(
            f"{path} is damaged or no record: {error}", remedy="see what is wrong with `labkit compare --check`"
        ) from error
    except (ArithmeticError, LookupError, ValueError) as error:
        raise RecordError(
            f"{path} holds times that no process can have: {error}",
            remedy="see what is wrong with `labkit compare --check`",
        ) from error
    raise RecordError(f"{path} is JSON, but no document of labkit that can be compared", remedy=_NAME_ONE)


def measured(path: Path) -> tuple[Sample, ...]:
    """Return the samples of a record or a bench document, whole.

    Raises:
        UsageError: It cannot be read.
        RecordError: It is damaged.

    """
    data = data_of(path)
    try:
        if kind_of(data)[0] == "bench":
            return tuple(each.sample for each in msgspec.json.decode(data, type=_SamplesOfBench).kernels)
        section = msgspec.json.decode(data, type=_SamplesOfRecord).performance
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{path} is damaged: {error}", remedy="compare again") from error
    return section.samples if section else ()


def kind_of(data: bytes | memoryview) -> tuple[str, int | None]:
    """Return which kind of document some JSON is (record, bench, claims, imported, unknown), and its schema."""
    kind = msgspec.json.decode(data, type=_Kind)
    if kind.run is not msgspec.UNSET:
        return "record", kind.schema
    if kind.kernels is not msgspec.UNSET:
        return "bench", kind.schema
    if kind.ledger is not msgspec.UNSET and kind.claims is not msgspec.UNSET:
        return "claims", kind.schema
    return ("imported" if kind.kind == "imported" else "unknown"), kind.schema
