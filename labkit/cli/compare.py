"""``labkit compare``: records side by side, and only what may be compared."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.output import print_json
from labkit.cli.rows import print_rows
from labkit.errors import GATE_FAILED
from labkit.model.base import Provenance
from labkit.model.comparison import Axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.model.comparison import Comparison


def compare(
    records: Annotated[
        list[Path],
        typer.Argument(
            metavar="RECORD...",
            help="record.json of runs, folders of runs, what bench --out, claims --json or import wrote.",
        ),
    ],
    *,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", metavar="NAME", help="The column that ratios are to.", show_default="the first"),
    ] = None,
    across: Annotated[
        Axis, typer.Option("--across", help="What is compared; everything else is equal, or is named.")
    ] = Axis.MACHINE,
    identity: Annotated[
        str | None,
        typer.Option(
            "--identity",
            metavar="KEYS",
            help="What tells machines apart, separated by commas.",
            show_default="chip,performance cores,cores,memory,system major",
        ),
    ] = None,
    control: Annotated[
        str, typer.Option("--control", metavar="KERNEL", help="The kernel of the second ratio.")
    ] = "fft-4096",
    include: Annotated[
        list[Provenance] | None, typer.Option("--include", help="Compare these numbers too: synthetic.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the bootstrap.", min=0)] = 1,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is wrong with the files; exit 1 when something is.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write tables (CSV, parquet), a page, and Go's format too."),
    ] = None,
) -> None:
    """Show machines, sets or days side by side: findings, where programs would run, and times with ratios.

    What differs without spoiling the comparison is listed above the table; what does is refused by the field's name.
    Where no Mac has sent a record, what is judged from bytes is shown as that, and no number stands in its place.
    """
    if check:
        _check(records, as_json=json)
        return
    from labkit.compare import compare as side_by_side
    from labkit.compare import read

    keys = tuple(key.strip() for key in (identity or "").split(",") if key.strip())
    entries = read(records)
    comparison = side_by_side(
        entries,
        axis=across,
        baseline=baseline,
        identity=keys,
        include=tuple(include or ()),
        control=control or None,
        seed=seed,
    )
    written: Sequence[Path] = ()
    if out is not None:
        from labkit.compare.export import benchmarks
        from labkit.present.comparison import write

        written = write(comparison, out, go=benchmarks(entries, comparison))
    if json:
        print_json(comparison)
        return
    _print(comparison)
    if written:
        from labkit.words import say

        typer.echo(say("compare.text.written", files=", ".join(str(each) for each in written)))


def _check(files: "Sequence[Path]", *, as_json: bool) -> None:
    from labkit.compare import check, find
    from labkit.model.comparison import CheckOutput
    from labkit.words import render, say

    output = CheckOutput(files=tuple(check(path) for path in find(files)))
    if as_json:
        print_json(output)
    else:
        for each in output.files:
            if not each.faults:
                typer.echo(say("compare.text.fine", file=each.file, kind=each.kind))
            for fault in each.faults:
                told = render(fault.what)
                typer.echo(say("compare.text.fault", file=each.file, field=fault.field, what=" ".join(told.split())))
    if any(each.faults for each in output.files):
        raise typer.Exit(GATE_FAILED)


def _print(comparison: "Comparison") -> None:
    from labkit.compare import shown
    from labkit.words import say

    axis = say(f"compare.axis.{comparison.axis}")
    typer.echo(say("compare.text.title", axis=axis, baseline=comparison.baseline))
    print_rows(shown.column_rows(comparison))
    for line in shown.missing_lines(comparison):
        typer.echo(f"  {line}")
    for head, lines in (
        ("refused", shown.refusal_lines(comparison)),
        ("differs", shown.difference_lines(comparison)),
    ):
        if lines:
            typer.echo(f"\n{say(f'compare.text.{head}')}")
            for line in lines:
                typer.echo(f"  {line}")
    typer.echo("")
    if comparison.rows:
        print_rows(shown.time_rows(comparison))
        if comparison.control is not None:
            typer.echo(say("compare.text.control", control=comparison.control))
    else:
        typer.echo(say("compare.text.no_times"))
    _print_claims(comparison)
    for rows in (shown.finding_rows(comparison, changed=True), shown.binary_rows(comparison)):
        if len(rows) > 1:
            typer.echo("")
            print_rows(rows)


def _print_claims(comparison: "Comparison") -> None:
    from labkit.claims.compared import claim_rows, count_line

    if not comparison.claims:
        return
    typer.echo("")
    if len(rows := claim_rows(comparison, changed=True)) > 1:
        print_rows(rows)
    typer.echo(count_line(comparison))
