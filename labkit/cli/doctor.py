"""``labkit doctor``: what is wrong with this machine's tools, what an error text means, and mending it."""

from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.output import print_json
from labkit.errors import GATE_FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labkit.doctor.fix import Mended, Offer
    from labkit.doctor.symptoms import Cause
    from labkit.model.check import Finding, Status
    from labkit.model.host import HostFacts


def doctor(  # noqa: PLR0917 - options, given by name
    symptom: Annotated[
        str | None, typer.Option("--symptom", metavar="TEXT|-", help="Name the causes of an error text; - reads it.")
    ] = None,
    fix: Annotated[
        list[str] | None, typer.Option("--fix", metavar="ID", help="Mend a finding and check again (again for more).")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Mend without asking.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network, not even to mend.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show each check, also those that were skipped.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say whether this machine can generate, build and run: the host's own tools and labkit's store.

    Nothing is changed and no network is used; only --fix changes anything, after showing it. The exit code is 1 when a
    finding fails, and 0 with --symptom.
    """
    if symptom is not None:
        _explain(symptom, json=json)
    elif fix:
        _mend(fix, yes=yes, offline=offline, json=json)
    else:
        _examine(everything=everything, json=json)


def _examine(*, everything: bool, json: bool) -> None:
    from labkit.doctor import failures
    from labkit.doctor.here import look
    from labkit.doctor.output import findings_output

    facts, findings = look()
    if json:
        print_json(findings_output(findings, facts))
    else:
        _print_findings(facts, findings, everything=everything)
    if failures(findings):
        raise typer.Exit(GATE_FAILED)


def _explain(symptom: str, *, json: bool) -> None:
    from labkit.cli.leads import claims, traps
    from labkit.doctor.output import causes_output
    from labkit.doctor.symptoms import diagnose, leads

    text = symptom
    if symptom == "-":
        text = typer.get_binary_stream("stdin").read().decode("utf-8", "replace")
    causes = diagnose(text, _findings_here()) if text.strip() else ()
    to = leads(text, causes)
    about = {"claim": claims(to.claims), "trap": traps(to.traps)}
    if json:
        print_json(causes_output(causes, claims=about["claim"], traps=about["trap"]))
        return
    _print_causes(causes)
    for name, found in about.items():
        for each in found:
            typer.echo(f"{_say(name, id=each.id)}  {each.title}\n      {each.command}")


def _findings_here() -> "Mapping[str, Finding]":
    from labkit.doctor.here import look
    from labkit.doctor.output import by_id
    from labkit.errors import LabError

    try:
        return by_id(look(store=False)[1])
    except LabError:  # a machine that labkit does not know: the text is explained all the same
        return {}


def _mend(ids: list[str], *, yes: bool, offline: bool, json: bool) -> None:
    from labkit.doctor.fix import apply
    from labkit.doctor.here import look
    from labkit.doctor.output import fixes_output
    from labkit.errors import UsageError
    from labkit.model.check import Status

    if json and not yes:
        raise UsageError("--json cannot ask before it mends", remedy="add --yes once you have seen the commands")

    def confirm(offer: "Offer") -> bool:
        if not json:
            _print_offer(offer)
        return yes or typer.confirm(_say("ask"))

    mended: list[Mended] = []
    for id_ in dict.fromkeys(ids):
        facts, _ = look(store=False)  # anew: what was mended before may have changed it
        mended.append(apply(id_, facts, confirm=confirm, offline=offline))
        if not json:
            _print_mended(mended[-1])
    if json:
        print_json(fixes_output(mended))
    if any(each.after.status is Status.FAIL for each in mended):
        raise typer.Exit(GATE_FAILED)


def _print_findings(facts: "HostFacts", findings: "Sequence[Finding]", *, everything: bool) -> None:
    from labkit.doctor.host_rules.base import how_it_runs
    from labkit.model.check import Status
    from labkit.words import render

    of = {status: [each for each in findings if each.status is status] for status in Status}
    for each in facts.tools:
        if each.wins:
            shadowed = _say("shadows", paths=", ".join(each.shadows)) if each.shadows else ""
            said = each.reported or each.error or "-"
            runs = " ".join((*each.architectures, _say(f"runs.{how_it_runs(each, facts)}")))
            typer.echo(f"{each.name}  {said}  {each.path}  {runs}{shadowed}")
    for finding in of[Status.FAIL]:
        _print_finding(finding)
    if everything:
        for finding in of[Status.PASS]:
            typer.echo(f"{_sign(Status.PASS)} {finding.id}  {render(finding.title)}")
        for finding in of[Status.SKIP]:
            why = render(finding.reason) if finding.reason else ""
            typer.echo(f"{_sign(Status.SKIP)} {finding.id}  {render(finding.title)}: {why}")
    bad, good, skipped = (len(of[status]) for status in (Status.FAIL, Status.PASS, Status.SKIP))
    typer.echo(_say("summary", failed=bad, passed=good, skipped=skipped))


def _print_finding(finding: "Finding") -> None:
    from labkit.model.check import Status
    from labkit.words import render, say

    negated = _say("not") if finding.status is Status.FAIL else ""
    typer.echo(f"{_sign(finding.status)} {finding.id}  {negated}{render(finding.title)}")
    for each in finding.evidence:
        wanted = say("present.finding.wanted", wanted=each.wanted) if each.wanted else ""
        typer.echo(f"    {each.what}: {each.found}{wanted}")
    if finding.remedy is not None:
        typer.echo(f"    {render(finding.remedy.text)}")
        for line in finding.remedy.commands:
            typer.echo(f"      {line}")
    if finding.link is not None:
        unconfirmed = _say("unconfirmed") if finding.confirmed_on_hardware is False else ""
        typer.echo(f"    {finding.link}{unconfirmed}")


def _print_causes(causes: "Sequence[Cause]") -> None:
    from labkit.words import render

    if not causes:
        typer.echo(_say("unknown"))
    for each in causes:
        typer.echo(f"{each.rule}  {each.confidence:.2f}  {render(each.title)}")
        for name, evidence in (("for", each.evidence), ("against", each.against)):
            for item in evidence:
                typer.echo(f"    {_say(name)}: {item.what}: {item.found}")
        typer.echo(f"    {render(each.remedy.text)}")
        for line in each.remedy.commands:
            typer.echo(f"      {line}")
        typer.echo(f"    {_say('settles')}: {render(each.settles)}")
        typer.echo(f"    {each.link}{'' if each.confirmed_on_hardware else _say('unconfirmed')}")


def _print_offer(offer: "Offer") -> None:
    typer.echo(_say("offer", id=offer.id))
    for step in offer.steps:
        typer.echo(f"      {step}")


def _print_mended(mended: "Mended") -> None:
    typer.echo(f"{_say('before')}:")
    _print_finding(mended.before)
    typer.echo(f"{_say('after')}:" if mended.done else _say("nothing_done"))
    if mended.done:
        _print_finding(mended.after)
    if mended.path_line is not None:
        typer.echo(f"{_say('path_line')}\n      {mended.path_line}")


def _sign(status: "Status") -> str:
    import os

    from labkit.words import say

    sign, colour = {"pass": ("✓", "green"), "fail": ("✗", "red"), "skip": ("-", None)}[status]
    text = f"{sign} {say(f'present.status.{status}')}"
    # Typer takes colours out where the output is no terminal
    return text if "NO_COLOR" in os.environ else typer.style(text, fg=colour)


def _say(name: str, **values: str | float) -> str:
    from labkit.words import say

    return say(f"host.cli.{name}", **values)
