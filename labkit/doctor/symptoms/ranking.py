"""Names the ranked causes of an error text: patterns, words for and against, and the host's findings.

Not a probe: it starts nothing and reads no file but its own rules. See ``docs/symptoms.md`` for the arithmetic.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from labkit.doctor.symptoms.cause import Cause
from labkit.doctor.symptoms.normalise import Normalised, normalise
from labkit.doctor.symptoms.ruleset import Pattern, Rule, rules, vocabulary
from labkit.model.base import Text
from labkit.model.check import Evidence, Finding, Remedy, Status

#: The score of "something that labkit does not know", beside which the causes share the belief.
UNKNOWN: Final = 0.04
#: A score below this is no cause worth naming.
LEAST: Final = 0.01
#: What one word for or against multiplies a score by, and at most how many words count on each side.
WORD_FOR: Final = 1.8
WORD_AGAINST: Final = 0.45
WORDS: Final = 3
#: What the host's finding of the same id multiplies a score by.
FINDING: Final = {Status.FAIL: 4.0, Status.PASS: 0.25, Status.SKIP: 1.0}
#: How much of a text a pattern is tried on: around so many places where its literal stands, so many characters.
PLACES: Final = 12
BEFORE: Final = 260
AFTER: Final = 420


@dataclass(kw_only=True)
class Meter:
    """Counts the characters that were given to regular expressions, for the tests and the benchmark."""

    characters: int = 0
    tries: int = 0


@dataclass(kw_only=True)
class _Hit:
    """What speaks for one rule in a text."""

    rule: Rule
    share: float
    matched: list[str]
    captures: dict[str, str] = field(default_factory=dict)


def diagnose(
    text: str,
    findings: Mapping[str, Finding] | None = None,
    *,
    known: Mapping[str, Rule] | None = None,
    meter: Meter | None = None,
) -> tuple[Cause, ...]:
    """Return the possible causes of a text, the likeliest first; empty when nothing is known.

    ``findings`` are the host's by rule id (an id with a subject, ``F20.protoc-gen-go``, counts for its rule): one that
    fails raises the cause of its id, one that passes lowers it, one that was skipped says nothing. A finding alone
    makes no cause: the text has to show its symptom. ``known`` takes other rules than labkit's own.
    """
    read = normalise(text, vocabulary())
    if not read.lines:
        return ()
    meter = meter or Meter()
    words = read.spaced.lower()
    hits = [
        hit for rule in (rules() if known is None else known).values() if (hit := _look(rule, read, meter)) is not None
    ]
    scored: list[tuple[float, _Hit, tuple[Evidence, ...], tuple[Evidence, ...]]] = []
    for hit in hits:
        score, evidence, against = _weigh(hit, words, findings or {})
        if score >= LEAST:
            scored.append((score, hit, evidence, against))
    total = sum(score for score, *_ in scored) + UNKNOWN
    scored.sort(key=lambda row: (-row[0], row[1].rule.id))
    return tuple(_cause(hit, round(score / total, 3), evidence, against) for score, hit, evidence, against in scored)


def _look(rule: Rule, read: Normalised, meter: Meter) -> _Hit | None:
    hit: _Hit | None = None
    for pattern in rule.patterns:
        match = next((found for reading in read.readings if (found := find(pattern, reading, meter))), None)
        if match is None:
            continue
        if hit is None:
            hit = _Hit(rule=rule, share=0.0, matched=[])
        hit.share = max(hit.share, pattern.share)
        shown = " ".join(match.group().split())
        if not any(shown in earlier for earlier in hit.matched):
            hit.matched.append(shown)
        for name, value in match.groupdict().items():
            if value:
                hit.captures.setdefault(name, value.rstrip("."))
    return hit


def find(pattern: Pattern, reading: str, meter: Meter) -> re.Match[str] | None:
    """Try a pattern around the first places where its literal stands."""
    lowered = reading.lower()
    for key in pattern.keys:
        for start, end in _windows(key, lowered):
            meter.tries += 1
            meter.characters += end - start
            if match := pattern.expression.search(reading, start, end):
                return match
    return None


def _windows(key: str, lowered: str) -> Iterator[tuple[int, int]]:
    at, done = lowered.find(key), 0
    for _ in range(PLACES):
        if at < 0:
            return
        start, end = max(done, at - BEFORE), min(len(lowered), at + len(key) + AFTER)
        yield start, end
        done = max(at + len(key), end - BEFORE)
        at = lowered.find(key, max(at + len(key), end - AFTER // 2))


def _weigh(
    hit: _Hit, words: str, findings: Mapping[str, Finding]
) -> tuple[float, tuple[Evidence, ...], tuple[Evidence, ...]]:
    score = hit.share * hit.rule.prior
    evidence = [Evidence(what="symptom", found=matched) for matched in hit.matched]
    against: list[Evidence] = []
    for word in [each for each in hit.rule.speaks_for if each in words][:WORDS]:
        score *= WORD_FOR
        evidence.append(Evidence(what="word", found=word))
    for word in [each for each in hit.rule.speaks_against if each in words][:WORDS]:
        score *= WORD_AGAINST
        against.append(Evidence(what="word", found=word))
    statuses = set()
    for id_, finding in findings.items():
        if id_.split(".", 1)[0] != hit.rule.id:
            continue
        statuses.add(finding.status)
        shown = tuple(
            Evidence(what=f"{id_}: {each.what}", found=each.found, wanted=each.wanted, provenance=each.provenance)
            for each in finding.evidence
        ) or (Evidence(what=id_, found=finding.status),)
        if finding.status is Status.FAIL:
            evidence.extend(shown)
        elif finding.status is Status.PASS:
            against.extend(shown)
    if Status.FAIL in statuses:
        score *= FINDING[Status.FAIL]
    elif Status.PASS in statuses:
        score *= FINDING[Status.PASS]
    return score, tuple(evidence), tuple(against)


def _cause(hit: _Hit, confidence: float, evidence: tuple[Evidence, ...], against: tuple[Evidence, ...]) -> Cause:
    rule = hit.rule
    slots = dict(rule.defaults) | {
        name: _for_shell(name, value) for name, value in hit.captures.items() if value[0] != "-"
    }
    topic = f"symptoms.{rule.id}"
    return Cause(
        rule=rule.id,
        confidence=confidence,
        title=Text(id=f"{topic}.title"),
        evidence=evidence,
        against=against,
        remedy=Remedy(
            text=Text(id=f"{topic}.remedy"), commands=tuple(command.format_map(slots) for command in rule.commands)
        ),
        link=rule.link,
        confirmed_on_hardware=rule.confirmed_on_hardware,
        settles=Text(id=f"{topic}.settles"),
    )


def _for_shell(name: str, value: str) -> str:
    """Return a captured word as a command may hold it.

    It comes from a paste that anyone may have written, so it is quoted; what looks like an option never gets here.
    """
    if name != "path":
        return shlex.quote(value)
    if value.startswith("~/"):
        return "~/" + shlex.quote(value[2:]) if value[2:] else "~/"
    return shlex.quote(value) if "/" in value else f'"$(command -v {shlex.quote(value)})"'
