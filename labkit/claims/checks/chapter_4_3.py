"""Chapter 4.3: replace, pseudo-versions and the proxy, by what Go asks of a recording proxy, resolves and refuses."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from labkit.claims import ledgers
from labkit.claims.base import ClaimCheck, Value, output, tool
from labkit.claims.checks.chapter_4_3_facts import (
    MODULE,
    Tried,
    done,
    last,
    latest_twice,
    saw,
    tampered,
    tried,
)
from labkit.claims.facts import ClaimFacts
from labkit.model.base import Text
from labkit.model.claims import Case, PartVerdict
from labkit.model.resolution import Experiment


class _Resolving(ClaimCheck):
    """Base of the checks that look at experiments; each with an empty module cache and a proxy that records."""

    experiments: ClassVar[tuple[str, ...]]
    turned_by = "another Go"

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the real modules that the proxy serves."""
        facts.get(tried(self.id, *self.experiments))

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the experiments, if they could be made."""
        found = facts.get(tried(self.id, *self.experiments))
        if found.missing is None:
            yield from self.judge(found, facts)
            return
        for letter in ledgers.own().find(self.id).letters:
            reason, would = (
                Text(id=f"claims.{each}.network", values={"why": found.missing}) for each in ("unmet", "would")
            )
            yield self.untested(reason, would_test=would, part=letter)

    def judge(self, found: Tried, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge the parts."""
        raise NotImplementedError


def _of_module(each: Experiment) -> int:
    return sum(asked.path.startswith(f"{MODULE}/@") for step in each.steps for asked in step.asked)


class LocalPath(_Resolving):
    """Build with a module replaced by a folder, the proxy recording and then off, and without the replace."""

    id = "4.3.01"
    experiments = ("plain-proxy", "plain-off", "path-proxy", "path-off", "path-graph-proxy")

    def judge(self, found: Tried, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the proxy was asked for the module, and whether it is built without a proxy."""
        del facts
        proxy, off, graph = (found.find(each) for each in ("path-proxy", "path-off", "path-graph-proxy"))
        plain = found.find("plain-proxy")
        holds = done(off) and not _of_module(proxy) and _of_module(plain) > 0 and not done(found.find("plain-off"))
        evidence = [last(each) for each in found.experiments]
        yield self.judged(
            holds,
            evidence,
            module=MODULE,
            plain=_of_module(plain),
            asked=_of_module(proxy),
            others=len(graph.steps[-1].asked),
            off=off.steps[-1].exit_code,
        )


class PseudoVersion(_Resolving):
    """Build with a module replaced by a pseudo-version, the proxy recording and then off.

    A module in a git repository of this machine shows beside it what does go past the proxy.
    """

    id = "4.3.02"
    needs = (tool("git"),)
    experiments = ("pseudo-proxy", "pseudo-off", "direct-replace-proxy", "direct-replace-private")

    def judge(self, found: Tried, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the proxy was asked for the module, and whether it is built without a proxy."""
        del facts
        proxy, off, private = (found.find(each) for each in ("pseudo-proxy", "pseudo-off", "direct-replace-private"))
        yield self.judged(
            done(off) and not _of_module(proxy),
            [last(each) for each in found.experiments],
            asked=_of_module(proxy),
            said=_line(off, "lookup disabled"),
            private=f"exit code {private.steps[-1].exit_code}, {len(private.steps[-1].asked)} requests, "
            f"{len(private.steps[-1].git)} git commands",
        )


class OneCommit(_Resolving):
    """Fetch a commit of a git repository by its pseudo-version, and by others in which one thing is altered."""

    id = "4.3.03"
    needs = (tool("git"),)
    experiments = (
        "pseudo-right", "pseudo-wrong-date", "pseudo-short-commit", "pseudo-long-commit", "pseudo-unknown-commit",
        "pseudo-wrong-base", "pseudo-upper-case",
    )  # fmt: skip

    def judge(self, found: Tried, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the right one is taken and every altered one refused."""
        del facts
        right, *altered = found.experiments
        taken = [each.id.removeprefix("pseudo-") for each in altered if done(each)]
        evidence = [output(each.steps[-1].command[-1], each.steps[-1].said or "taken") for each in found.experiments]
        yield self.judged(
            done(right) and not taken,
            evidence,
            refused=len(altered) - len(taken),
            kinds=", ".join(each.id.removeprefix("pseudo-") for each in altered),
            taken=", ".join(taken) or "-",
        )


class WrongAnswers(_Resolving):
    """Let a proxy forget the newest version in its list, and let it serve another zip for a version that was published.

    The changed zip is met by go.sum, by the checksum database, and by neither.
    """

    id = "4.3.04"
    experiments = (
        "list-fresh", "list-stale", "sum-right", "proxy-zip-tampered", "database-right", "database-zip-tampered",
        "database-off-zip-tampered", "database-excused-zip-tampered",
    )  # fmt: skip

    def judge(self, found: Tried, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether Go takes what it is served."""
        del facts
        fresh, stale = (found.find(each) for each in ("list-fresh", "list-stale"))
        newest, old = (each.steps[-1].said.split()[-1] for each in (fresh, stale))
        shown = [
            output(f"{each.id}: {' '.join(each.steps[-1].command)}", each.steps[-1].said) for each in (fresh, stale)
        ]
        yield self.judged(done(stale) and old != newest, shown, part="a", newest=newest, old=old)
        cases = []
        for id_, looked in _GUARDS.items():
            each = found.find(id_)
            witness = "taken" if done(each) else _line(each, "checksum mismatch")
            cases.append(Case(facts={"compared_with": looked}, holds=done(each), witness=witness))
        said = next((each.witness for each in cases if not each.holds), "-")
        evidence = [last(found.find(id_)) for id_ in (*_GUARDS, "sum-right", "database-right")]
        yield self.by_cases(cases, _nobody_looks, evidence, part="b", said=said)


def _line(each: Experiment, words: str) -> str:
    lines = each.steps[-1].said.splitlines() or ["refused"]
    return next((line.strip() for line in lines if words in line), lines[-1].strip())


_GUARDS = {
    "proxy-zip-tampered": "go.sum",
    "database-zip-tampered": "the checksum database",
    "database-off-zip-tampered": "nothing: GOSUMDB=off",
    "database-excused-zip-tampered": "nothing: GONOSUMDB",
}


def _nobody_looks(case: Mapping[str, Value]) -> bool:
    return str(case["compared_with"]).startswith("nothing")


class InstalledPlugin(_Resolving):
    """Install the plugin in a module with a replace, without a version and at one, and ask the program its version.

    Beside it: a plugin whose own go.mod holds a replace.
    """

    id = "4.3.05"
    experiments = ("install-in-module", "install-at-version", "install-plain", "install-replace")

    def judge(self, found: Tried, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the program is of the version that replace names."""
        del facts
        cases, evidence = [], []
        for id_, at in (("install-in-module", False), ("install-at-version", True)):
            each = found.find(id_)
            named = each.go_mod.split("=> ")[-1].split()[1] if "=> " in each.go_mod else "-"
            said = each.evidence[-1].found if each.evidence else each.steps[-1].said
            cases.append(
                Case(facts={"at_version": at}, holds=named in said.split(), witness=f"{said} (replace: {named})")
            )
            evidence += [last(each), output(f"{id_}: protoc-gen-go --version", said)]
        refused = " ".join(found.find("install-replace").steps[-1].said.split())
        evidence += [last(found.find(each)) for each in ("install-plain", "install-replace")]
        yield self.by_cases(
            cases,
            lambda case: not case["at_version"],
            evidence,
            without=cases[0].witness,
            at=cases[1].witness,
            own=next((each.strip() for each in refused.split(". ") if "replace" in each), "-").rpartition(": ")[2],
        )


class ProxyFirst(_Resolving):
    """Build twice with one module cache and a recording proxy; ask twice for @latest, and go on with the proxy off."""

    id = "4.3.06"
    experiments = ("version-proxy-cached", "version-off-cached")

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the real modules that the proxy serves."""
        super().prepare(facts)
        facts.get(latest_twice)

    def judge(self, found: Tried, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by what the second build asks."""
        cached, off = (found.find(each) for each in ("version-proxy-cached", "version-off-cached"))
        latest = facts.get(latest_twice).steps
        numbers = ("first", "second")
        evidence = [saw(step, f"{number} build") for step, number in zip(cached.steps, numbers, strict=False)]
        evidence += [
            last(off),
            *(saw(step, f"{number} @latest") for step, number in zip(latest, numbers, strict=False)),
        ]
        first, second = (len(step.asked) for step in cached.steps)
        yield self.judged(second > 0, evidence, first=first, second=second, latest=len(latest[-1].asked))


class Surest(_Resolving):
    """Pin a version by go get and another by replace; then let the proxy change its zip, with go.sum and without.

    No checksum database is asked. Beside it: whose replace counts, that of the main module or that of a dependency.
    """

    id = "4.3.07"
    experiments = ("replace-in-main", "replace-in-dependency")

    def prepare(self, facts: ClaimFacts) -> None:
        """Fetch the real modules that the proxy serves."""
        super().prepare(facts)
        facts.get(tampered)

    def judge(self, found: Tried, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether replace refuses a changed zip where go get does not."""
        ways = facts.get(tampered)
        refused = {(each.way, each.go_sum): each.refused for each in ways}
        surer = any(refused["replace", kept] and not refused["go get", kept] for kept in (True, False))
        evidence = [
            saw(each.step, f"{each.way}, {'with' if each.go_sum else 'without'} go.sum, a changed zip") for each in ways
        ]
        counts = {each.id: each.evidence[-1].found for each in found.experiments if each.evidence}
        evidence += [output(f"{id_}: go list -m {MODULE}", what) for id_, what in counts.items()]
        yield self.judged(
            surer,
            evidence,
            with_sum=_shown(refused, go_sum=True),
            without_sum=_shown(refused, go_sum=False),
            dependency=counts.get("replace-in-dependency", "-"),
        )


def _shown(refused: Mapping[tuple[str, bool], bool], *, go_sum: bool) -> str:
    words = [f"{way} {'refused' if no else 'took'}" for (way, kept), no in refused.items() if kept is go_sum]
    return ", ".join(words)
