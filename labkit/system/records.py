"""A run's record on disk: JSON, validated whole when it is read, written atomically."""

import inspect
from pathlib import Path
from typing import Any

import msgspec

from labkit.errors import RecordError
from labkit.model.run import SCHEMA, RunRecord
from labkit.system import store

_SHARE = "ask for a record made by this labkit's version, or update labkit"


class _Envelope(msgspec.Struct):
    """The one field that every schema has."""

    schema: int


def encode(record: RunRecord) -> bytes:
    """Return a record as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def decode(data: bytes, *, name: str) -> RunRecord:
    """Return the record in some JSON; ``name`` says where it came from.

    Raises:
        RecordError: It is no JSON, of a newer schema, or does not validate; the message names the field.

    """
    try:
        schema = msgspec.json.decode(data, type=_Envelope).schema
        if schema > SCHEMA:
            raise RecordError(
                f"{name} has schema {schema}; this labkit reads schemas up to {SCHEMA}", remedy="update labkit"
            )
        if schema < 1:
            raise RecordError(f"{name} has schema {schema}, which never existed", remedy=_SHARE)
        return msgspec.json.decode(data, type=RunRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{name} is not a labkit record: {error}", remedy=_SHARE) from error


def read(path: Path | str) -> RunRecord:
    """Return the record in a file: a run's ``record.json``.

    Raises:
        RecordError: It cannot be read, or is not a record.

    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}", remedy="name a run's record.json") from error
    return decode(data, name=str(path))


def write(path: Path, record: RunRecord) -> None:
    """Write a record, checked by reading it back first.

    Raises:
        RecordError: The record would not be readable (a number that is not finite, for one).

    """
    data = encode(record)
    decode(data, name=str(path))
    store.write_atomically(path, data)


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema of a type, the same from every Python."""
    whole: dict[str, Any] = msgspec.json.schema(kind)
    for definition in whole["$defs"].values():  # Python before 3.13 leaves a docstring's indent in it
        definition["description"] = inspect.cleandoc(definition.get("description", ""))
    return whole
