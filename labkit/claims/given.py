"""The current set as the checks are given it: its own tools, or what a test has put in their place. It runs nothing."""

from pathlib import Path

import msgspec

from labkit import toolchain
from labkit.claims.facts import ClaimFacts
from labkit.model.toolchain import Tool, Toolchain


def current(facts: ClaimFacts, *, optional: tuple[str, ...] = ()) -> Toolchain:
    """Return the current set with the checks' own go; a test's protoc or gopls stands under ``current:<name>``.

    Args:
        facts: The checks' facts.
        optional: Tools that the set has only when they are asked for, such as gopls.

    Raises:
        NetworkError: An optional tool is not here and could not be fetched.

    """
    own = facts.lab.toolchain
    if optional:
        own = toolchain.provision(own.name, own.platform, optional=optional, progress=facts.progress)

    def given(tool: Tool) -> Tool:
        path: Path | None = facts.go() if tool.name == "go" else facts.replaced_tool(f"current:{tool.name}")
        return tool if path is None else msgspec.structs.replace(tool, path=str(path))

    return msgspec.structs.replace(own, tools=tuple(given(each) for each in own.tools))
