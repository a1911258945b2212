"""Chapter 2.4, the table's arithmetic, SVE, and what a process may ask and load: by a compiler, a loader, and Macs."""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from labkit.claims import foreign, ledgers
from labkit.claims.base import MAC, ClaimCheck, output, reckoned, saw
from labkit.claims.facts import ClaimFacts, probe
from labkit.claims.needs import unmet
from labkit.claims.rosetta import asked, published
from labkit.errors import LabError
from labkit.model.base import Record
from labkit.model.claims import EvidenceKind, PartVerdict

#: What zig calls the processors, by LLVM, and one that has SVE: were it without, nothing could be told.
_CHIPS: Final = ("apple_m1", "apple_m2", "apple_m3", "apple_m4")
_STATED: Final = 3  # M1 to M3 are those that the handbook names
_CONTROL: Final = "neoverse_v1"
_SVE: Final = re.compile(r"#define (__ARM_FEATURE_SVE\w*|__ARM_FEATURE_SME\w*) 1\b")
_LIBRARY: Final = "int labkit_two(void) { return 2; }\n"
_LOADER: Final = """#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv) {
  void *loaded = dlopen(argv[1], RTLD_NOW);
  puts(loaded ? "loaded" : dlerror());
  return loaded ? 0 : 1;
}
"""


class TableAgrees(ClaimCheck):
    """Reckon from the table's own numbers how much of a core such frames keep busy."""

    id = "2.4.04"
    turned_by = "another table"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:  # noqa: ARG002 - of the statement alone
        """Judge by whether the share is the stated one."""
        said = ledgers.own().find(self.id)
        frame_us, points, rate_hz, stated = (
            said.number(each) for each in ("frame_us", "points", "rate_hz", "share_percent")
        )
        lasts_us = points / rate_hz * 1e6
        share = 100 * frame_us / lasts_us
        formula = (
            f"{points:.0f} / {rate_hz:.0f} Hz = {lasts_us / 1e3:.2f} ms a frame; "
            f"{frame_us:.0f} us / {lasts_us / 1e3:.2f} ms = {share:.2f} %"
        )
        yield self.judged(
            abs(share - stated) <= (said.tolerance or 0) * stated,
            [reckoned(formula, "the stated frame, points and rate")],
            share=f"{share:.2f}",
            lasts=f"{lasts_us / 1e3:.2f}",
            stated=f"{stated:.0f}",
            streams=f"{stated / share:.0f}",
        )


class Processor(Record, frozen=True, kw_only=True):
    """What a compiler takes a processor to have of SVE and SME."""

    name: str
    features: tuple[str, ...]

    @property
    def told(self) -> str:
        """Return it in words."""
        return f"{self.name}: {', '.join(self.features) or 'neither SVE nor SME'}"


@probe("vector-features", recipe={"zig": foreign.pin().version})
def processors(facts: ClaimFacts) -> tuple[Processor, ...]:
    """Ask LLVM's own description of each processor, the control's last; those that it does not know are left out."""
    found = []
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        empty = Path(scratch) / "empty.c"
        empty.write_text("", "utf-8")
        for name in (*_CHIPS, _CONTROL):
            done = foreign.cc(facts, "aarch64-macos", [f"-mcpu={name}", "-dM", "-E", empty], Path(scratch))
            if done.returncode == 0:
                found.append(Processor(name=name, features=tuple(sorted(set(_SVE.findall(done.stdout))))))
    return tuple(found)


class ToSve(foreign.ForeignCheck):
    """Ask LLVM's description of the processors whether they have SVE at all; one that has is asked as well."""

    id = "2.4.06"
    turned_by = "another compiler"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by those that the handbook names: a translator cannot use what they lack."""
        *chips, control = facts.get(processors)
        if control.name != _CONTROL or not any("SVE" in each for each in control.features):
            raise LabError(
                f"this zig gives no SVE to {_CONTROL}, so it tells nothing of others",
                remedy="this is a fault in labkit: please report it",
            )
        named = [each for each in chips if each.name in _CHIPS[:_STATED]]
        line = "zig cc -target aarch64-macos -mcpu=... -dM -E"
        evidence = [output(line, each.told) for each in (*chips, control)]
        later = [each.told for each in chips if each not in named and each.features]
        having = [each.name for each in named if any("SVE" in feature for feature in each.features)]
        yield _here(
            self,
            self.judged(
                bool(having),
                evidence,
                chips=", ".join(each.name for each in named),
                having=", ".join(having) or "-",
                later="; ".join(later) or "-",
                control=_CONTROL,
            ),
            facts,
        )


class Loaded(Record, frozen=True, kw_only=True):
    """What a process said when it was to load a library of its own architecture, and one of another."""

    process: str
    library: str
    own: str
    other: str


@probe(
    "foreign-library",
    tools=tuple(name for names in foreign.TRANSLATORS.values() for name in names),
    recipe={"zig": foreign.pin().version},
)
def loading(facts: ClaimFacts) -> Loaded | None:
    """Build a library twice and load both; the process is x86_64 on a Mac, else native. None where it cannot start."""
    native = foreign.own_architecture(facts)
    process = "x86_64" if foreign.on_macos(facts) else native
    library = "arm64" if process == "x86_64" else "x86_64"
    chosen = foreign.target(facts, process, libc="gnu")
    if chosen is None:
        return None
    said = []
    with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
        folder = Path(scratch).resolve()
        program = foreign.build(facts, chosen.name, _LOADER, folder)
        for architecture in (process, library):
            name = chosen.name.replace("x86_64", "{}").replace("aarch64", "{}")
            target = name.format({"x86_64": "x86_64", "arm64": "aarch64"}[architecture])
            place = folder / architecture
            place.mkdir()
            made = foreign.build(facts, target, _LIBRARY, place, "-shared", "-fPIC")
            done = foreign.started(chosen, program, str(made))
            if done is None:
                return None
            said.append((done.stdout + done.stderr).strip().replace(str(folder), "."))
    return Loaded(process=process, library=library, own=said[0], other=said[1])


class Asked(foreign.ForeignCheck):
    """Compare what native and translated processes are told, and load a library of another architecture.

    On a Mac both processes are asked here; elsewhere it is what others published of theirs, and this system's loader.
    """

    id = "2.4.08"
    turned_by = "other published answers; another compiler"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge (a) and (b) by the answers to both processes, (c) by loading."""
        known = published(facts)
        views = facts.get(asked) or known.sysctl
        here = views is not known.sysctl
        native = [each for each in views if each.process == "arm64"]
        translated = [each for each in views if each.process == "x86_64"]
        evidence = [each.evidence for each in views]
        values = {
            "native": ", ".join(sorted({each.value or "-" for each in native})) or "-",
            "translated": ", ".join(sorted({each.value or "-" for each in translated})) or "-",
            "chips": ", ".join(dict.fromkeys(each.chip for each in views)),
        }
        for part, holds in (
            ("a", all(each.value == "1" for each in views)),
            ("b", bool(translated) and not {each.value for each in native} & {each.value for each in translated}),
        ):
            if not translated:
                yield self.untested("untested", would_test="would_test", evidence=evidence, part=part)
                continue
            verdict = self.judged(holds, evidence, part=part, **values)
            yield verdict if here else self.not_on_hardware(verdict)
        tried = facts.get(loading)
        if tried is None:
            yield self.untested("untested", would_test="would_test", part="c", tried=[known.rule.said])
            return
        if tried.own != "loaded":
            raise LabError(
                f"a process of {tried.process} does not load its own kind of library: {tried.own}",
                remedy="this is a fault in labkit: please report it",
            )
        line = f"dlopen in a process of {tried.process}"
        yield _here(
            self,
            self.judged(
                tried.other == "loaded",
                [
                    saw(EvidenceKind.OUTPUT, f"a library of {tried.library}: {tried.other}", line),
                    saw(EvidenceKind.OUTPUT, f"one of its own: {tried.own}", line),
                    *(each.evidence for each in known.loading),
                    known.rule.evidence,
                ],
                part="c",
                process=tried.process,
                library=tried.library,
                on_mac=known.loading[0].said,
            ),
            facts,
        )


def _here(check: ClaimCheck, verdict: PartVerdict, facts: ClaimFacts) -> PartVerdict:
    """Return a verdict on Apple silicon as not confirmed by one, unless this machine is one."""
    return verdict if unmet((MAC,), facts) is None else check.not_on_hardware(verdict)
