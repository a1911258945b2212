"""labkit: a reproducible lab for the protobuf and gRPC Go toolchain on Apple silicon.

The package itself loads nothing heavy; each room is imported where it is used, for example
``from labkit.facts import Facts`` or ``from labkit import present``.
"""

__version__ = "0.1.0"
