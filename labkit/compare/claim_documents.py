"""What was said of statements in one run, in the shape in which it is compared: of a record, or a claims document."""

from collections.abc import Iterable, Mapping
from typing import Final

from labkit.compare.entry import Judged
from labkit.compare.parts import Claim

#: The tools of a set; the others are those of single checks.
_SET: Final = ("go", "protoc", "protoc-gen-go", "protoc-gen-go-grpc")


def judged(ledger: str, claims: Iterable[Claim], run: str) -> dict[tuple[str, str], Judged]:
    """Return the statements that have a check, by ledger and id."""
    return {
        (ledger, each.id): Judged(
            chapter=each.chapter,
            verdict=each.verdict,
            parts={part.part: part.verdict for part in each.parts},
            date=each.date,
            toolchain=_toolchain(each.tools),
            wording=each.wording,
            run=run,
        )
        for each in claims
        if each.bound
    }


def _toolchain(tools: Mapping[str, str]) -> str | None:
    """Return the set's tools where they were asked, else the span of Gos that were; None where neither was."""
    asked = [f"{name} {tools[name]}" for name in _SET if name in tools]
    gos = sorted(
        (version for name, version in tools.items() if name.startswith("go ")),
        key=lambda version: [int(part) if part.isdecimal() else 0 for part in version.split(".")],
    )
    if asked or not gos:
        return ", ".join(asked) or None
    return f"go {' - '.join(dict.fromkeys((gos[0], gos[-1])))}"
