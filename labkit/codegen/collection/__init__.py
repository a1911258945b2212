"""Pinned collections of .proto files, and what generating from a whole one costs; compares nothing with peers."""

from labkit.codegen.collection.measuring import measure
from labkit.codegen.collection.pinned import check_name, names

__all__ = ["check_name", "measure", "names"]
