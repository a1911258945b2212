"""A provisioned set without asking its tools again: remembered with the signatures of their files.

Provisioning asks every tool its version, which costs as much as finding ten thousand files unchanged. Here the answers
of the last time are taken if every tool's file is the one that answered; else the set is provisioned as ever.
"""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from labkit import machine
from labkit.codegen.tree.state import Signature, signature
from labkit.model.toolchain import Toolchain
from labkit.system import store
from labkit.toolchain import host_platform, pins, provision


class _Known(msgspec.Struct, frozen=True):
    """A set, and its tools' files as they were when they were asked."""

    toolchain: Toolchain
    signatures: tuple[Signature, ...]


def toolset(name: str, *, progress: Callable[[str], None] | None = None) -> Toolchain:
    """Return a named set as :func:`labkit.toolchain.provision` does, sooner when nothing of it has changed.

    Raises:
        UsageError: There is no such set.
        ProvisionError: A tool cannot be had, or what came is not what was pinned.
        NetworkError: Something is not in the store and could not be fetched.

    """
    platform = host_platform(machine.read())
    recipe = {"pins": pins.set_recipe(pins.named(name)), "platform": platform, "path": os.environ.get("PATH", "")}
    file = store.home() / "generate" / f"toolchain-{store.digest(recipe)}"
    try:
        known = msgspec.msgpack.decode(file.read_bytes(), type=_Known)
        if known.signatures == _signatures(known.toolchain) and _held(known.toolchain):
            return known.toolchain
    except (OSError, msgspec.DecodeError):
        pass
    found = provision(name, platform, progress=progress)
    if all(tool.problem is None for tool in found.tools):
        store.write_atomically(file, msgspec.msgpack.encode(_Known(found, _signatures(found))))
    return found


def _signatures(toolchain: Toolchain) -> tuple[Signature, ...]:
    paths = [*(tool.path for tool in toolchain.tools), f"{toolchain.protoc_include}/google/protobuf/descriptor.proto"]
    return tuple(signature(os.stat(path)) for path in paths)  # noqa: PTH116


def _held(toolchain: Toolchain) -> bool:
    # As provisioning does: no other process removes what is used here.
    shelf = store.Store()
    for tool in toolchain.tools:
        if Path(tool.path).is_relative_to(shelf.root):
            entry = shelf.root / Path(tool.path).relative_to(shelf.root).parts[0]
            if not shelf.hold(entry):
                return False
    return True
