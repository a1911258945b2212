"""What can be found on a site: one line a run, finding, trap, statement, notebook and figure, each with its address.

The lines go into one script a language, which the page of the search loads: a page opened from disk may read no other
file. They are texts; what shows them puts them in as texts.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple
from urllib.parse import quote

from labkit.claims.document import instead
from labkit.claims.ledgers import own
from labkit.model.base import Text
from labkit.model.check import Finding
from labkit.model.run import RunRecord
from labkit.model.traps import TrapOutcome
from labkit.site import show
from labkit.site.compared import encoded
from labkit.site.notebook import Notebook
from labkit.words import Language

#: Of a line's further words: enough to be found by, and ten machines stay small.
_LONGEST: Final = 400


class Line(NamedTuple):
    """One thing to be found; ``address`` is relative to the folder of the page's language."""

    kind: str  # machine, finding, trap, claim, notebook, figure
    title: str
    where: str
    address: str
    more: str = ""


def lines(  # noqa: PLR0917 - of one run
    record: RunRecord,
    report: str,
    notebooks: Sequence[tuple[str, str, Notebook]],
    claims: str,
    judged: Collection[str],
    language: Language,
    findings: Sequence[Finding],
    traps: Sequence[TrapOutcome],
    text: Callable[[Text], str],
) -> Iterable[Line]:
    """Return the lines of a run: ``report`` and ``claims`` are addresses, of notebooks too, after their names.

    ``judged`` are the ids of the statements that are found here: the others another run of this machine judged later.
    """
    where = f"{show.chip(record.machine)} · {show.when(record.started_at)}"
    machine = record.machine
    yield Line("machine", show.chip(machine), where, report, f"{machine.id} {show.system(machine)} {record.run}")
    for finding in findings:
        said = " ".join(f"{one.what} {one.found}" for one in finding.evidence)
        told = f"{finding.id} {text(finding.title)}"
        yield Line("finding", told, where, f"{report}#finding-{quote(finding.id)}", said[:_LONGEST])
    for trap in traps:
        told = " ".join(text(one) for one in (trap.cause, trap.fix) if one is not None)
        title = f"{trap.id}: {text(trap.title)}"
        more = f"{trap.symptom or ''} {told}"[:_LONGEST]
        yield Line("trap", title, where, f"{report}#trap-{quote(trap.id)}", more)
    for name, address, content in notebooks:
        yield Line("notebook", name, where, address)
        for number, figure in enumerate(content.figures, 1):
            yield Line("figure", " ".join(figure.caption) or name, where, f"{address}#figure-{number}", name)
    if record.claims is not None:
        known = {each.id: each for each in own().statements}
        for claim in (each for each in record.claims.claims if each.id in judged):
            wording = known[claim.id].say(language) if claim.id in known else ""
            other = known[claim.id].say(next(each for each in Language if each is not language)) if wording else ""
            right = instead(claim, language) or ""
            more = f"{claim.verdict} {right} {other}"[:_LONGEST]
            yield Line("claim", f"{claim.id} {wording}", where, f"{claims}#claim-{quote(claim.id)}", more)


def script(found: Iterable[Line]) -> str:
    """Return the script that holds the lines."""
    return f"globalThis.labkitIndex = {encoded([list(line) for line in found])};\n"
