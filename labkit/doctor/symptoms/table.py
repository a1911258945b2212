"""The rules as a Markdown table, for docs/symptoms.md; it knows nothing of texts that were diagnosed."""

from labkit.doctor.symptoms.ruleset import rules
from labkit.words import Language, say


def markdown() -> str:
    """Return one row a rule: id, cause, number of patterns, prior, confirmed on hardware, source."""
    lines = ["| rule | cause | patterns | prior | confirmed here | source |", "|---|---|---|---|---|---|"]
    for id_, rule in rules().items():
        title = say(f"symptoms.{id_}.title", Language.ENGLISH).replace("|", "\\|")
        confirmed = "yes" if rule.confirmed_on_hardware else "no"
        source = rule.link.removeprefix("https://").removeprefix("github.com/")
        lines.append(
            f"| {id_} | {title} | {len(rule.patterns)} | {rule.prior} | {confirmed} | [{source}]({rule.link}) |"
        )
    return "\n".join(lines) + "\n"
