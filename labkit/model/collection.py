"""What generating from a whole collection of .proto files cost; the single files are not kept."""

from collections.abc import Mapping

from labkit.model.base import Provenance, Record, Text
from labkit.model.generation import Refusal


class CollectionBatch(Record, frozen=True, kw_only=True):
    """Packages that went through protoc and the plugins together."""

    folders: tuple[str, ...]  # of its sources, those with the most files first
    source_count: int
    file_count: int  # generated Go files
    output_size_bytes: int
    protoc_time_s: float
    plugin_time_s: Mapping[str, float]
    wall_time_s: float
    peak_memory_bytes: int | None  # of its processes at one instant; None where that cannot be seen


class CollectionCost(Record, frozen=True, kw_only=True):
    """One whole collection, generated from anew."""

    source_count: int
    package_count: int  # Go packages
    file_count: int
    line_count: int
    output_size_bytes: int
    refused_count: int
    refused: tuple[Refusal, ...]  # the first of them
    batches: tuple[CollectionBatch, ...]  # the longest first
    jobs: int
    wall_time_s: float
    peak_memory_bytes: int | None  # of labkit and its processes at one instant


class CollectionRun(Record, frozen=True, kw_only=True):
    """A collection by name, and what it cost or why that is not known."""

    collection: str  # common, googleapis, none
    source: str | None  # googleapis-common-protos 1.76.0 (wheel)
    cost: CollectionCost | None
    missing: Text | None  # why it was not measured
    provenance: Provenance = Provenance.MEASURED
