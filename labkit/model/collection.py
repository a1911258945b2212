"""What generating from a whole collection of .proto files cost; the single files are not kept."""

from collections.abc import Mapping

from labkit.model.base import Provenance, Record, Text
from labkit.model.generation import Inputs, Refusal
from labkit.model.toolchain import Toolchain


class CollectionTask(Record, frozen=True, kw_only=True):
    """What one process is asked to generate."""

    toolchain: Toolchain
    inputs: Inputs
    folder: str  # of the collection; empty for all of it
    jobs: int | None


class CollectionCost(Record, frozen=True, kw_only=True):
    """One run over a collection, or over a folder of it, in a process of its own; nothing of an earlier run is used."""

    folder: str  # google/api; empty for the whole collection
    source_count: int
    package_count: int  # Go packages
    file_count: int  # generated Go files
    line_count: int
    output_size_bytes: int
    refused_count: int
    batch_count: int
    protoc_time_s: float  # summed over batches, which run beside each other
    plugin_time_s: Mapping[str, float]  # by plugin, likewise
    jobs: int
    wall_time_s: float
    peak_memory_bytes: int | None  # of the process and those that it started, at one instant; None where not seen


class CollectionResult(Record, frozen=True, kw_only=True):
    """What one process answers."""

    cost: CollectionCost
    refused: tuple[Refusal, ...]  # the first of them


class CollectionRun(Record, frozen=True, kw_only=True):
    """A collection by name, and what it cost or why that is not known."""

    collection: str  # common, googleapis, none
    source: str | None  # googleapis-common-protos 1.76.0 (wheel)
    whole: CollectionCost | None
    parts: tuple[CollectionCost, ...]  # its folders, each generated on its own, the longest first
    refused: tuple[Refusal, ...]  # of the whole, the first of them
    missing: Text | None  # why it was not measured
    provenance: Provenance = Provenance.MEASURED
