"""Tools, generated files and builds as frames."""

from collections.abc import Sequence

import pandas as pd

from labkit.model.codegen import Built, Generated
from labkit.model.toolchain import Newer, Toolchain
from labkit.present.table import text_frame
from labkit.system.store import shown
from labkit.words import Language, say


def tools_frame(toolchain: Toolchain, newer: Sequence[Newer] = (), language: Language | None = None) -> pd.DataFrame:
    """Return one row a tool of a set.

    Columns (all str): tool, pinned version and its date, what the tool answered, where it came from, what is known of
    newer versions, path.
    """
    known = {item.name: item for item in newer}
    rows = [
        {
            "tool": tool.name,
            "pinned": f"{tool.pinned_version} ({tool.released})",
            "reported": tool.reported_version or tool.problem or "-",
            "source": tool.source,
            "newer": _newer(known.get(tool.name), language),
            "path": shown(tool.path),
        }
        for tool in toolchain.tools
    ]
    return text_frame(rows, ("tool", "pinned", "reported", "source", "newer", "path"), "present.column", language)


def generated_frame(generated: Generated, language: Language | None = None) -> pd.DataFrame:
    """Return one row a generated file: its path, lines, size, versions in its header, sha256 (all str)."""
    rows = [
        {
            "file": file.path,
            "lines": f"{file.line_count:,}",
            "size": _size(file.size_bytes),
            "made_by": ", ".join(f"{name} {version}" for name, version in sorted(file.made_by.items())),
            "sha256": file.sha256,
        }
        for file in generated.files
    ]
    return text_frame(rows, ("file", "lines", "size", "made_by", "sha256"), "present.column", language)


def builds_frame(builds: Sequence[Built], language: Language | None = None) -> pd.DataFrame:
    """Return one row a build: platform, size, build time and when it was built (all str)."""
    rows = [
        {
            "program": built.program,
            "platform": built.platform,
            "size": _size(built.size_bytes),
            "built": say(
                "present.build.carried" if built.cached else "present.build.now",
                language,
                seconds=f"{built.build_time_s:.1f}",
                when=built.built_at,
                digest=built.digest,
            ),
            "sha256": built.sha256,
        }
        for built in builds
    ]
    return text_frame(rows, ("program", "platform", "size", "built", "sha256"), "present.column", language)


def _newer(newer: Newer | None, language: Language | None) -> str:
    if newer is None:
        return "-"
    if newer.newest_version is None:
        return say("present.tool.newer_unknown", language, why=newer.missing or "")
    if newer.newest_version == newer.pinned_version:
        return say("present.tool.newest", language)
    return say("present.tool.newer", language, version=newer.newest_version)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes:,} B"  # noqa: PLR2004 - a megabyte
