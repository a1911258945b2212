"""Generates Go from a tree of .proto files: checked first, in parallel, only what changed, one bad file apart."""

from labkit.codegen.tree.run import Progress, generate_tree
from labkit.codegen.tree.settings import Settings, from_flags, options, read_config
from labkit.codegen.tree.tools import toolset

__all__ = ["Progress", "Settings", "from_flags", "generate_tree", "options", "read_config", "toolset"]
