"""``labkit import``: published Go benchmark output as a record that says where it comes from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.rows import print_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.model.imported import ImportedRecord, PublishedSample, StatedMachine

_MOST_UNREADABLE = 10


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The published text; - is standard input.")],
    *,
    source: Annotated[
        str | None, typer.Option("--source", metavar="URL", help="Where it was published; needed.", show_default=False)
    ] = None,
    chip: Annotated[
        str | None,
        typer.Option(
            "--chip",
            metavar="NAME",
            help="The chip of lines without a cpu line, such as M1 Pro, where the source says it elsewhere.",
            show_default=False,
        ),
    ] = None,
    package: Annotated[
        str | None,
        typer.Option(
            "--package",
            metavar="PATH",
            help="The package of lines without a pkg line, where the source says it elsewhere.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the record, which labkit compare takes.", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the record as one JSON document.")] = False,
) -> None:
    """Read published Go benchmark output, list what could not be read, and keep it as an imported record.

    It reads what go test -bench prints, also in Markdown, in comments and with prose around it, and tables of benchstat
    and benchcmp. Nothing is guessed: a line whose columns could mean two things is listed as unreadable.
    """
    from labkit.bench.published import encode, import_file
    from labkit.system.store import write_atomically
    from labkit.words import say

    record = import_file(file, source=source, chip=chip, package=package)
    data = encode(record)
    if out is not None:
        write_atomically(out, data)
    if json:
        typer.echo(data, nl=False)
        return
    _print(record)
    if out is not None:
        typer.echo(say("import.saved", file=str(out)))


def _print(record: "ImportedRecord") -> None:
    from labkit.words import render, say

    for at, machine in enumerate(record.machines):
        typer.echo(_machine(machine))
        print_rows(_rows([sample for sample in record.samples if sample.machine == at]))
        typer.echo("")
    names = {(sample.package, sample.name) for sample in record.samples}
    typer.echo(
        say(
            "import.summary",
            samples=len(record.samples),
            names=len(names),
            at=record.imported_at,
            source=record.source,
        )
    )
    blocks: dict[tuple[object, ...], set[int]] = {}
    for sample in record.samples:
        key = (sample.package, sample.name, sample.unit, sample.column, sample.machine)
        blocks.setdefault(key, set()).add(sample.block)
    several = len({key[:2] for key, found in blocks.items() if len(found) > 1})
    if several:
        typer.echo(say("import.several_blocks", n=several))
    if any(machine.cpu is None and machine.chip is None for machine in record.machines):
        typer.echo(say("import.no_chip"))
    if record.unreadable:
        typer.echo(say("import.unreadable", n=len(record.unreadable)))
        for line in record.unreadable[:_MOST_UNREADABLE]:
            typer.echo(f"  {say('import.unreadable_line', line=line.line, why=render(line.why))}")
            typer.echo(f"    {line.text}")
        if len(record.unreadable) > _MOST_UNREADABLE:
            typer.echo(f"  {say('import.more', n=len(record.unreadable) - _MOST_UNREADABLE)}")


def _machine(machine: "StatedMachine") -> str:
    from labkit.words import say

    system = "/".join(part for part in (machine.goos, machine.goarch) if part)
    text = say(
        "import.machine",
        chip=machine.chip or say("import.unknown_chip"),
        system=system or say("import.unknown_system"),
    )
    if machine.translated is None:
        return text
    return f"{text}; {say('import.translated' if machine.translated else 'import.native')}"


def _rows(samples: "Sequence[PublishedSample]") -> list[tuple[str, ...]]:
    from labkit.bench.benchfmt.units import common_scale, is_binary
    from labkit.words import say

    columns = any(sample.column for sample in samples)
    heads = ("name", "package", "value", "n", "block", *(("column",) if columns else ()))
    rows = [tuple(say(f"import.head.{head}") for head in heads)]
    for sample in samples:
        scaler = common_scale([sample.value], binary=is_binary(sample.unit))
        cells = (
            sample.name,
            sample.package or say("import.not_said"),
            f"{scaler.show(sample.value)} {sample.unit}",
            say("import.not_said") if sample.n is None else str(sample.n),
            str(sample.block),
        )
        rows.append((*cells, sample.column or "") if columns else cells)
    return rows
