"""Chapter 4.4, dlv at work: breakpoints, headless service, GOARCH, registers, the printed launch.json, attaching."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from labkit.claims import delves
from labkit.claims.base import ClaimCheck, Value, output, read_source, toolchain
from labkit.claims.checks.chapter_4_4_facts import (
    ARM64,
    attached,
    debugged,
    emulated_arm64,
    launched,
    registers,
    served,
)
from labkit.claims.facts import ClaimFacts
from labkit.claims.headless import Served
from labkit.debugging.permission import is_refusal
from labkit.debugging.trying import handbook_variants
from labkit.model.claims import Case, ClaimEvidence, PartVerdict
from labkit.model.debugging import Session, Stop, Trial, TrialOutcome
from labkit.model.machine import Architecture

DLV = (toolchain("current+dlv"),)
_FLAGS = "go build -gcflags='all=-N -l'"


class Breakpoints(ClaimCheck):
    """Build the generated server with the flags, set a breakpoint in each generated file, and call it."""

    id = "4.4.01"
    needs = DLV
    turned_by = "an altered binary"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether each is set and hit."""
        seen = facts.get(debugged)
        if seen.not_permitted:
            yield self.untested("untested", would_test="would_test", tried=[seen.said], said=seen.said)
            return
        if seen.session is None:
            evidence = [output(f"{_FLAGS}; dlv dap, setBreakpoints", seen.said)]
            yield self.refuted(evidence, said=seen.said, places="-", missed="-", dlv="-")
            return
        session = seen.session
        wanted = [each for each in session.breakpoints if ".pb.go:" in each.asked]
        stops = {each.place: each for each in session.stops if each.place}
        hit = [each for each in wanted if each.verified and each.place in stops]
        evidence = [
            output(
                f"{_FLAGS}; dlv dap, setBreakpoints {each.asked.rpartition('/')[2]}",
                _stood(stops[each.place]) if each in hit else (each.said or "set, and not hit"),
            )
            for each in wanted
        ]
        yield self.judged(
            bool(hit) and hit == wanted,
            evidence,
            places=", ".join(_stood(stops[each.place]) for each in hit) or "-",
            missed=", ".join(each.asked for each in wanted if each not in hit) or "-",
            said=", ".join(each.said or "not hit" for each in wanted if each not in hit) or "-",
            dlv=session.debugger,
        )


def _stood(stop: Stop) -> str:
    file = (stop.file or "-").rpartition("/")[2]
    return f"{stop.function} ({file}:{stop.line})"


class HeadlessServes(ClaimCheck):
    """Start dlv with the stated words, and be its client: version, a breakpoint, registers, the end."""

    id = "4.4.02"
    needs = DLV
    turned_by = "another dlv"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the client came to the end."""
        seen = facts.get(served)
        if seen.said:
            yield self.untested("untested", would_test="would_test", tried=[seen.said], said=seen.said)
            return
        one = seen.plain[0]
        yield self.judged(
            one.served and one.api == 2,  # noqa: PLR2004 - what the statement asks for
            [output(one.line, _came(one))],
            line=one.line,
            said=one.said or "-",
            function=one.stopped_in or "-",
            place=one.set_at or "-",
            count=len(one.registers),
            api=one.api,
            dlv=one.version or "-",
        )


def _came(one: Served) -> str:
    return one.said or f"stopped in {one.stopped_in} ({one.set_at}); registers {' '.join(one.registers)}"


class Goarch(ClaimCheck):
    """Run dlv with the variable and without: on a built program, on sources, and by a launch configuration."""

    id = "4.4.03"
    needs = DLV
    turned_by = "another dlv"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge each way by whether the variable alone brings arm64's registers."""
        seen = facts.get(served)
        if seen.said:
            yield self.untested("untested", would_test="would_test", tried=[seen.said], said=seen.said)
            return
        cases, evidence = [], []
        for plain, given in zip(seen.plain, seen.given, strict=True):
            evidence.append(output(given.line, _came(given)))
            cases.append(
                Case(
                    facts={"way": given.line.partition(" --")[0]},
                    holds=registers(given.registers) and not registers(plain.registers),
                    witness=given.said or " ".join(given.registers[:4]),
                )
            )
        trials = {each.id: each for each in facts.get(launched)}
        plain_trial, given_trial = trials["handbook-whole-package"], trials["handbook-goarch-whole-package"]
        evidence.append(output('dlv dap, launch with "env": {"GOARCH": "arm64"}', _ended(given_trial)))
        cases.append(
            Case(
                facts={"way": "launch.json"},
                holds=_stopped(given_trial) and not _stopped(plain_trial),
                witness=_ended(given_trial),
            )
        )
        holding = {each.facts["way"] for each in cases if each.holds}

        def among(case: Mapping[str, Value]) -> bool:
            return case["way"] in holding

        yield self.by_cases(
            cases,
            among,
            evidence,
            own=" ".join(seen.plain[0].registers[:3]) or "-",
            exec=" ".join(seen.given[0].registers[:3]) or seen.given[0].said,
            debug=" ".join(seen.given[1].registers[:3]) or seen.given[1].said,
            ways=", ".join(map(str, holding)) or "-",
        )


class Context(ClaimCheck):
    """Stop the arm64 server in its handler while it answers a call, read the registers, and look the PC up.

    On arm64 dlv does it; elsewhere it is qemu's gdb server, and dlv's own list is read in its sources.
    """

    id = "4.4.05"
    needs = DLV
    turned_by = "another machine"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the names, and by whether PC lies where the program stands."""
        native = facts.machine.architecture is Architecture.ARM64
        seen = facts.get(debugged if native else emulated_arm64)
        stop = _in_handler(seen.session)
        if seen.session is None or stop is None:
            yield self.untested("untested", would_test="would_test", tried=[seen.said], said=seen.said or "-")
            return
        names = tuple(each.name for each in stop.registers)
        values = {each.name.upper(): each.value for each in stop.registers}
        evidence = [
            output(
                f"{seen.session.debugger}, stopped in {stop.function}",
                f"{len(names)} registers: {' '.join(names)}; PC {stop.pc}, the function from {stop.symbol_start}",
            )
        ]
        if not native:
            evidence += _own_list(facts)
        verdict = self.judged(
            registers(names) and _stands(stop),
            evidence,
            debugger=seen.session.debugger,
            function=stop.function,
            pc=stop.pc or "-",
            x0=values.get("X0", "-"),
            sp=values.get("SP", "-"),
            missing=_short([each for each in ARM64 if each not in values]),
            names=" ".join(names[:6]),
        )
        yield verdict if native else self.not_on_hardware(verdict)


def _short(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{names[0]}, {names[1]} ... {names[-1]} ({len(names)})"  # noqa: PLR2004


def _in_handler(session: Session | None) -> Stop | None:
    return next((each for each in session.stops if each.place == "handler"), None) if session else None


def _stands(stop: Stop) -> bool:
    if stop.symbol_start is None or stop.symbol_size_bytes is None:
        return stop.pc is not None  # dlv names the function by the PC itself
    start = int(stop.symbol_start, 16)
    return start <= int(stop.pc or "0", 16) < start + stop.symbol_size_bytes


def _own_list(facts: ClaimFacts) -> list[ClaimEvidence]:
    newest = delves.pinned()[-1]
    root = delves.source(facts, newest)
    lists = [path for path in delves.code(root) if path.name == "regs_arm64_arch.go"]
    said = [
        line.strip() for path in lists for line in path.read_text("utf-8").splitlines() if line.strip().startswith('{"')
    ]
    return [read_source(f"dlv {newest.version}: {path.relative_to(root)}", " ".join(said)) for path in lists]


class Launch(ClaimCheck):
    """Feed the printed configuration to dlv as the editor does; then without GOARCH, and with the whole package."""

    id = "4.4.06"
    needs = DLV
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the program stops at a breakpoint with it as printed."""
        trials = {each.id: each for each in facts.get(launched)}
        printed = trials["handbook"]
        if is_refusal(printed.said):
            yield self.untested("untested", would_test="would_test", tried=[printed.said], said=printed.said)
            return
        variants = handbook_variants()
        lines = {
            id_: f'"program": "{each["program"]}", "env": {msgspec.json.encode(each.get("env", {})).decode()}'
            for id_, each in variants.items()
        }
        evidence = [output(f"dlv dap, launch: {lines[id_]}", _ended(each)) for id_, each in trials.items()]
        working = [lines[id_] for id_, each in trials.items() if _stopped(each)]
        verdict = self.judged(
            _stopped(printed),
            evidence,
            said=_first(printed),
            without=_first(trials["handbook-without-goarch"]),
            working=working[0] if working else "-",
            function=printed.stopped_in or "-",
            dlv=printed.debugger,
        )
        yield verdict if facts.machine.architecture is Architecture.ARM64 else self.not_on_hardware(verdict)


class Attach(ClaimCheck):
    """Start a headless dlv by a task, send it the attach request that VS Code's Go extension sends, and be stopped."""

    id = "4.4.13"
    needs = DLV
    turned_by = "another dlv"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the program stops at the breakpoint that was set over that connection."""
        trial = facts.get(attached)
        if is_refusal(trial.said):
            yield self.untested("untested", would_test="would_test", tried=[trial.said], said=trial.said)
            return
        line = 'dlv exec --headless --api-version=2; {"request": "attach", "mode": "remote"}'
        yield self.judged(
            _stopped(trial),
            [output(line, f"breakpoint at {trial.breakpoint}: {_ended(trial)}")],
            function=trial.stopped_in or "-",
            place=trial.breakpoint,
            said=_first(trial),
            dlv=trial.debugger,
        )


def _stopped(trial: Trial) -> bool:
    return trial.outcome is TrialOutcome.STOPPED


def _ended(trial: Trial) -> str:
    return f"stopped in {trial.stopped_in}" if _stopped(trial) else f"{trial.outcome}: {' '.join(trial.said.split())}"


def _first(trial: Trial) -> str:
    return trial.said.partition("\n")[0] or "-"
