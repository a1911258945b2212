"""What all record types share: the struct's settings, provenance, and texts by id."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that lies in a record."""


class Provenance(StrEnum):
    """Where a value comes from; ``compare`` keeps the kinds apart."""

    MEASURED = "measured"  # here, in this run
    IMPORTED = "imported"  # published elsewhere, with its URL
    JUDGED = "judged"  # derived for a machine that is not here, from bytes or sources by a named rule
    SYNTHETIC = "synthetic"  # tests and benchmarks only


class Text(Record, frozen=True, kw_only=True):
    """A sentence by its id in :mod:`labkit.words`, with the values of its slots; rendered when it is shown."""

    id: str
    values: Mapping[str, str | int | float] = {}
