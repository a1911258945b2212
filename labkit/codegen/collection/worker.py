"""``python -m labkit.codegen.collection.worker``: one run of the engine, in a process whose memory is its own.

Reads a :class:`CollectionTask` as JSON from standard input and writes a :class:`CollectionResult` to standard output.
The generated code goes into a folder that is thrown away.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from labkit.codegen.tree import generate_tree
from labkit.errors import LabError
from labkit.model.collection import CollectionCost, CollectionResult, CollectionTask
from labkit.model.generation import Generation

#: Refusals that a record lists; their number is always told.
MOST_REFUSALS: Final = 50


def main() -> int:
    """Do the task on standard input; return the exit code."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=CollectionTask)
    try:
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            done = generate_tree(task.toolchain, task.inputs, Path(scratch) / "out", jobs=task.jobs, remember=False)
    except LabError as error:
        sys.stderr.write(f"{error.what}\n")
        return error.exit_code
    sys.stdout.buffer.write(msgspec.json.encode(summary(done, task.folder)))
    return 0


def summary(done: Generation, folder: str) -> CollectionResult:
    """Return what a run cost, its files and batches summed up."""
    plugins: Counter[str] = Counter()
    for batch in done.batches:
        plugins.update(dict(batch.plugin_time_s))
    cost = CollectionCost(
        folder=folder,
        source_count=done.source_count,
        package_count=len({file.import_path for file in done.files}),
        file_count=len(done.files),
        line_count=sum(file.line_count for file in done.files),
        output_size_bytes=sum(file.size_bytes for file in done.files),
        refused_count=len(done.refused),
        batch_count=len(done.batches),
        protoc_time_s=sum(batch.protoc_time_s for batch in done.batches),
        plugin_time_s=dict(plugins),
        jobs=done.jobs,
        wall_time_s=done.wall_time_s,
        peak_memory_bytes=done.peak_memory_bytes,
    )
    return CollectionResult(cost=cost, refused=done.refused[:MOST_REFUSALS])


if __name__ == "__main__":
    sys.exit(main())
