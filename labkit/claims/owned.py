"""Ledgers of one's own: a statement bound to a check of labkit, to a command's answer, or to a comparison of samples.

The file is TOML; docs/claims.md shows one. Its commands run only when whoever calls trusts the file by its name: a
ledger comes with a repository, and reading it must not run what is in it. A command is a list of words, never a
shell's line.
"""

import re
import shutil
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from labkit.bench.benchfmt import parse
from labkit.bench.benchfmt.writer import kernel_of
from labkit.bench.regression import baseline
from labkit.claims import ledgers
from labkit.claims.base import ClaimCheck, Value, command, measured, output
from labkit.claims.facts import ClaimFacts
from labkit.claims.ledgers import Ledger, Statement, Wording
from labkit.claims.registry import registered
from labkit.compare import bootstrap
from labkit.errors import ProcessError, UsageError
from labkit.model.base import Text
from labkit.model.claims import PartVerdict
from labkit.system import proc
from labkit.system.environment import host

_SEED = 1
_LONGEST_S = 600.0
_Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what a file of one's own holds."""


class Samples(_Strict, frozen=True, kw_only=True):
    """A comparison: by how much a benchmark's time differs between two files."""

    before: str  # a record, a bench document or a Go benchmark file, beside the ledger
    after: str
    benchmark: str  # as the file has it, with or without its number of processors; or a kernel of labkit
    clock: str = "wall"  # or cpu
    at_least_percent: float | None = None  # of change from before to after; negative is faster
    at_most_percent: float | None = None


class _Claim(_Strict, frozen=True, kw_only=True):
    """One statement, bound in exactly one way."""

    id: _Id
    en: str
    zh: str = ""
    check: str = ""  # an id of labkit's own ledger
    command: tuple[str, ...] = ()
    pattern: str = ""  # a regular expression that the command's output holds
    exit_code: int = 0
    timeout_s: float = 60.0
    samples: Samples | None = None


class _File(_Strict, frozen=True, kw_only=True):
    """A ledger of one's own."""

    name: str
    claim: tuple[_Claim, ...]


def load(file: Path | None, trusted: Sequence[str]) -> tuple[Ledger, Mapping[str, ClaimCheck]]:
    """Return a ledger with the checks of its statements: labkit's own when no file is named.

    Args:
        file: A ledger of one's own.
        trusted: Names of ledger files whose commands may run.

    Raises:
        UsageError: The file cannot be read, or a statement is bound in no way, in two, or to what there is not; or a
            trusted name is not this file's.

    """
    if file is None:
        if trusted:
            raise UsageError("--trust names a file, and no --ledger is given", remedy="give both, or neither")
        return ledgers.own(), registered()
    if any(name != file.name for name in trusted):
        raise UsageError(
            f"--trust names {', '.join(trusted)}; the ledger's file is {file.name}", remedy=f"say --trust {file.name}"
        )
    read = _read(file)
    checks: dict[str, ClaimCheck] = {}
    statements: list[Statement] = []
    for claim in read.claim:
        if claim.id in checks:
            raise _wrong(file, f"{claim.id} stands there twice")
        checks[claim.id] = _check(claim, file, trusted=bool(trusted))
        parts = ledgers.own().find(claim.check).parts if claim.check else {}
        statements.append(Statement(id=claim.id, en=claim.en, zh=claim.zh or claim.en, parts=parts))
    titles = {each.chapter: Wording(en=read.name, zh=read.name) for each in statements}
    return Ledger(name=read.name, titles=titles, statements=tuple(statements)), checks


class _OwnCheck(ClaimCheck):
    """Base of the checks that a file of one's own makes: their sentences are the same for all."""

    kind: ClassVar[str]

    def __init__(self, claim: _Claim, folder: Path) -> None:
        self.claim = claim
        self.folder = folder

    def _text(self, part: str, outcome: str, values: Mapping[str, Value]) -> Text:
        del part
        return Text(id=f"claims.own.{self.kind}_{outcome}", values=dict(values))


class CommandCheck(_OwnCheck):
    """Run the ledger's command, without a shell, and look for its pattern in what it prints."""

    id = "command"
    kind = "command"

    def __init__(self, claim: _Claim, folder: Path, *, trust: str | None) -> None:
        super().__init__(claim, folder)
        self.trust = trust  # the name to give where the file is not trusted

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the exit code and the pattern."""
        words = self.claim.command
        line = " ".join(words)
        if self.trust is not None:
            yield self.untested("untrusted", would_test="trust", name=self.trust, line=line)
            return
        found = shutil.which(words[0]) if "/" not in words[0] else str(self.folder / words[0])
        program = facts.has_tool(words[0]) or (Path(found) if found else None)
        if program is None:
            yield self.untested("absent", would_test="install", name=words[0], line=line)
            return
        try:
            done = proc.run(
                [program.absolute(), *words[1:]],
                env=host(),
                timeout_s=min(self.claim.timeout_s, _LONGEST_S),
                cwd=self.folder,
                check=False,
            )
        except ProcessError as error:
            yield self.untested("broke", would_test="mend", line=line, why=error.what)
            return
        said = done.stdout + done.stderr
        match = re.search(self.claim.pattern, said, re.MULTILINE)
        evidence = [command(line, proc.describe_exit(done.returncode)), output(line, said.strip() or "-")]
        holds = match is not None and done.returncode == self.claim.exit_code
        yield self.judged(
            holds, evidence, line=line, code=done.returncode, wanted=self.claim.exit_code, pattern=self.claim.pattern
        )


class SamplesCheck(_OwnCheck):
    """Compare a benchmark's times in two files, resampled for an interval, with the change that is stated."""

    id = "samples"
    kind = "samples"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the interval lies wholly within what is stated, wholly outside, or across its bound."""
        del facts
        wanted = self.claim.samples
        if wanted is None:
            raise UsageError(f"{self.claim.id} compares nothing", remedy="give it [claim.samples]")
        before, after = (_times(self.folder / name, wanted) for name in (wanted.before, wanted.after))
        bounds = bootstrap.ratio_bounds((before,), (after,), seed=_SEED)
        if bounds is None:
            yield self.untested("too_few", would_test="more", benchmark=wanted.benchmark, n=len(before), m=len(after))
            return
        low, high = ((each - 1) * 100 for each in (bounds.low, bounds.high))
        least = float("-inf") if wanted.at_least_percent is None else wanted.at_least_percent
        most = float("inf") if wanted.at_most_percent is None else wanted.at_most_percent
        values = {"benchmark": wanted.benchmark, "low": f"{low:+.1f}", "high": f"{high:+.1f}"}
        text = f"{wanted.benchmark}, {wanted.clock}: {low:+.1f} % to {high:+.1f} %, n = {len(before)} and {len(after)}"
        evidence = [measured(text, f"{wanted.before}, {wanted.after}")]
        if least <= low and high <= most:
            yield self.judged(True, evidence, benchmark=values["benchmark"], low=values["low"], high=values["high"])
        elif high < least or low > most:
            yield self.judged(False, evidence, benchmark=values["benchmark"], low=values["low"], high=values["high"])
        else:
            yield self.untested(
                "across", would_test="more", evidence=evidence, benchmark=wanted.benchmark, low=values["low"],
                high=values["high"], n=len(before), m=len(after),
            )  # fmt: skip


def _times(file: Path, wanted: Samples) -> tuple[float, ...]:
    """Return a benchmark's times, one value a process or line."""
    cpu = wanted.clock == "cpu"
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", remedy="name a file beside the ledger") from error
    if data.lstrip().startswith(b"{"):
        series = baseline.load(file).series.get(wanted.benchmark)
        times = () if series is None else series.cpu if cpu else series.wall
    else:
        unit = "cpu-sec/op" if cpu else "sec/op"
        lines = [each for each in parse(data, name=file.name).results if _named(each.name, wanted.benchmark)]
        times = tuple(value for each in lines if (value := each.value(unit)) is not None and value > 0)
    if not times:
        raise UsageError(
            f"{file} has no {wanted.clock} times of {wanted.benchmark}", remedy="name a benchmark that it has"
        )
    return times


def _named(name: str, wanted: str) -> bool:
    bare, dash, processors = name.rpartition("-")
    plain = bare if dash and processors.isdecimal() else name
    return wanted in {name, plain, kernel_of(name)}


def _read(file: Path) -> _File:
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File)
    except OSError as error:
        raise UsageError(f"the ledger {file} cannot be read: {error.strerror}", remedy="name a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise _wrong(file, str(error)) from error


def _check(claim: _Claim, file: Path, *, trusted: bool) -> ClaimCheck:
    ways = [bool(claim.check), bool(claim.command), claim.samples is not None]
    if sum(ways) != 1:
        raise _wrong(file, f"{claim.id} is bound in {sum(ways)} ways; give it one of check, command and samples")
    folder = file.parent.absolute()
    if claim.check:
        if claim.check not in registered():
            raise _wrong(file, f"{claim.id} is bound to {claim.check}, which is no check of labkit")
        return registered()[claim.check]
    if claim.command:
        try:
            re.compile(claim.pattern)
        except re.error as error:
            raise _wrong(file, f"the pattern of {claim.id} is no regular expression: {error}") from error
        if not claim.pattern:
            raise _wrong(file, f"{claim.id} has a command and no pattern")
        return CommandCheck(claim, folder, trust=None if trusted else file.name)
    stated = claim.samples
    if stated is None or (stated.at_least_percent is None and stated.at_most_percent is None):
        raise _wrong(file, f"{claim.id} states no change: give at_least_percent or at_most_percent")
    if stated.clock not in {"wall", "cpu"}:
        raise _wrong(file, f"the clock of {claim.id} is wall or cpu, not {stated.clock}")
    return SamplesCheck(claim, folder)


def _wrong(file: Path, why: str) -> UsageError:
    return UsageError(f"the ledger {file} is not usable: {why}", remedy="docs/claims.md shows one that is")
