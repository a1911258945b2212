"""``labkit claims``: the statements of a ledger, judged on this machine now."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.errors import GATE_FAILED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.claims import Ledger
    from labkit.model.claims import ChangedClaim, CheckError, ClaimResult, ClaimsRecord


def claims(
    *,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="WHICH", help="A chapter (2.3), an id (2.3.04) or words of the statement."),
    ] = None,
    expect: Annotated[
        Path | None,
        typer.Option("--expect", metavar="FILE", help="Compare with an agreed --json; exit code 1 on a change."),
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option("--ledger", metavar="FILE", help="Judge statements of your own: a TOML file.")
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option("--trust", metavar="NAME", help="Run the commands of the ledger with this file name."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Checks at a time; measurements run alone.")] = 2,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Fetch what the checks will want, and judge nothing.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was broken off.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Gather every shared fact anew.")] = False,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", metavar="FILE", help="Write a table; appended where FILE is $GITHUB_STEP_SUMMARY."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Judge each statement on this machine: confirmed, refuted, conditional or untested, with its evidence.

    The exit code is 0 when every check ran, whatever the verdicts; 1 with --expect when one is not as agreed; that of
    the error when a check could not do its work.
    """
    import msgspec

    from labkit.claims import ClaimFacts, agreed, owned, resuming, run
    from labkit.claims import prepare as fetch
    from labkit.claims.document import document
    from labkit.system.progress import bar, steps

    wanted, checks = owned.load(ledger, trust or [])
    list_ = agreed.read(expect) if expect is not None else None
    chosen = [each.id for each in wanted.choose(only or [])]
    facts = ClaimFacts(fresh=fresh, progress=steps("labkit claims"))
    if prepare:
        _end(fetch(wanted, facts, only=only or []))
        return
    kept = resuming.Progress(wanted, facts)
    known = kept.known() if resume else {}
    if not resume:
        kept.forget()
    found = run(
        wanted,
        facts,
        only=only or [],
        jobs=jobs,
        checks=checks,
        known=known,
        keep=kept.keep,
        done=bar("labkit claims", unit="claim"),
    )
    kept.forget()
    changed = None if list_ is None else agreed.changes(found, list_, chosen=chosen)
    if markdown is not None:
        _write_markdown(found, wanted, changed, markdown)
    if json:
        shown = document(found, wanted, changed=changed)
        typer.echo(msgspec.json.format(msgspec.json.encode(shown), indent=1).decode())
    else:
        _print(found, wanted, changed)
    _end(found.errors)
    if changed:
        raise typer.Exit(GATE_FAILED)


def _end(errors: "Sequence[CheckError]") -> None:
    for each in errors:
        typer.echo(f"labkit: {each.id}: {each.what}\n  remedy: {each.remedy}", err=True)
    if errors:
        raise typer.Exit(errors[0].exit_code)


def _write_markdown(
    found: "ClaimsRecord", ledger: "Ledger", changed: "Sequence[ChangedClaim] | None", file: Path
) -> None:
    from labkit.claims.markdown import markdown
    from labkit.system.store import saying_why, write_atomically

    text = markdown(found, ledger, changed=changed)
    if os.environ.get("GITHUB_STEP_SUMMARY") == str(file):
        with saying_why(f"cannot write {file}"), file.open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")
    else:
        write_atomically(file, text)


def _print(found: "ClaimsRecord", ledger: "Ledger", changed: "Sequence[ChangedClaim] | None") -> None:
    from labkit.claims.markdown import difference
    from labkit.claims.shown import carried_line, counts_line, unbound_line

    whole = len(found.claims) == 1
    for claim in found.claims:
        _print_claim(claim, ledger, whole=whole)
    if changed is not None:
        typer.echo("\n".join(difference(changed, found)))
    typer.echo(counts_line(found))
    for line in (unbound_line(found), carried_line(found) if found.facts else None):
        if line:
            typer.echo(line)


def _print_claim(claim: "ClaimResult", ledger: "Ledger", *, whole: bool) -> None:
    from labkit.claims.document import condition, instead
    from labkit.words import render, say

    statement = ledger.find(claim.id)
    typer.echo(f"{claim.id}  {say(f'claims.verdict.{claim.verdict}')}  {statement.say()}")
    for line in (instead(claim), condition(claim)):
        if line:
            typer.echo(f"    {line}")
    for part in claim.parts:
        if part.untested is not None and claim.bound:
            letter = f"({part.part}) " if claim.all_parts > 1 else ""
            typer.echo(f"    {letter}{render(part.untested.reason)} -> {render(part.untested.would_test)}")
            for line in part.untested.tried:
                typer.echo(f"        {line}")
        if whole:
            for seen in part.evidence:
                typer.echo(f"    [{say(f'claims.kind.{seen.kind}')}] {seen.source}\n        {seen.text}")
