"""What small experiments with Go's tool chain found. Their outcomes are computed from what ran, never written down."""

from collections.abc import Mapping

from labkit.model.base import Provenance, Record, Text
from labkit.model.instructions import Instruction

# --- a compare-and-swap routine as printed in a book


class Assembled(Record, frozen=True, kw_only=True):
    """A listing given to an assembler exactly as it is printed."""

    assembler: str  # "go tool asm", "llvm-mc", "clang"
    version: str | None
    accepted: bool | None  # None: not tried, there is no such assembler here
    said: str  # the assembler's own words, or why it was not tried
    provenance: Provenance = Provenance.MEASURED


class CasCase(Record, frozen=True, kw_only=True):
    """One call by one thread, alone. Numbers are those of 64-bit words."""

    before: int  # in memory
    old: int  # what was to be expected there
    new: int
    returned: bool
    after: int  # in memory

    @property
    def right(self) -> bool:
        """Whether it did what a compare-and-swap does."""
        swaps = self.before == self.old
        return (self.returned, self.after) == (swaps, self.new if swaps else self.before)


class Contended(Record, frozen=True, kw_only=True):
    """Many goroutines that add 1 to one word by compare-and-swap, all at once."""

    goroutines: int
    attempts: int
    successes: int  # calls that returned true
    final: int  # in memory at the end; a right routine's equals its successes

    @property
    def atomic(self) -> bool:
        """Whether every success was one step and nothing was lost; undecided (False) when nothing succeeded."""
        return self.successes > 0 and self.final == self.successes


class Conflict(Record, frozen=True, kw_only=True):
    """A store by another thread, or none, between the routine's load and its conditional store."""

    other_wrote: bool
    status: int  # of the conditional store; 99: it was not reached
    returned: bool
    loads: int  # how often the routine loaded: more than once when it tries again
    after: int  # in memory
    other_value: int | None = None  # what the other thread wrote


class CasReading(Record, frozen=True, kw_only=True):
    """One way to read the printed listing, made into a routine that assembles, and what it did."""

    id: str
    lines: tuple[str, ...]  # Go's assembler; empty for a control
    instructions: tuple[Instruction, ...]  # of the routine as built
    cases: tuple[CasCase, ...]
    contended: Contended
    conflicts: tuple[Conflict, ...] = ()
    refused_alone: int  # calls that returned false although nobody interfered and memory held the old value
    called_alone: int

    @property
    def correct(self) -> bool:
        """Whether every single call was right, and none of many at once was lost."""
        return all(case.right for case in self.cases) and self.contended.atomic

    @property
    def retries(self) -> bool:
        """Whether it tried again after a conflict."""
        return any(each.other_wrote and each.loads > 1 for each in self.conflicts)


class PrintedCas(Record, frozen=True, kw_only=True):
    """A printed compare-and-swap: does it assemble, and what does it do?"""

    source: str
    printed: tuple[str, ...]
    assembled: tuple[Assembled, ...]
    readings: tuple[CasReading, ...]  # and two controls: torn, which is none, and sync/atomic, Go's own
    started_by: str  # "natively", or the translator's name and version
    platform: str
    go_version: str
    provenance: Provenance = Provenance.MEASURED


# --- GOARM, and named things in Go's source tree


class LevelBuild(Record, frozen=True, kw_only=True):
    """One build of one small program with one setting of the environment."""

    platform: str  # darwin/arm64
    setting: str  # GOARM=7; empty for none
    built: bool
    sha256: str | None = None
    recorded: str | None = None  # what the program's build information says of the setting
    said: str = ""  # Go's own words when it refused


class Difference(Record, frozen=True, kw_only=True):
    """How two builds differ, function by function."""

    one: str  # GOARM=5
    other: str  # GOARM=7
    text_bytes: tuple[int, int]
    functions: tuple[int, int]
    functions_in_both: int
    functions_differing: int  # of those in both, whose instructions differ, addresses left out
    instructions: int  # in the functions in both, of the first build
    instructions_differing: int  # of those, not in the other's at their place in the best alignment
    only_in_one: Mapping[str, int]  # mnemonic: how many more than in the other
    only_in_other: Mapping[str, int]


class LevelExperiment(Record, frozen=True, kw_only=True):
    """What a setting does on one Go: which builds are the same bytes, which are refused, how others differ."""

    go_version: str
    builds: tuple[LevelBuild, ...]
    differences: tuple[Difference, ...]
    provenance: Provenance = Provenance.MEASURED

    def same_bytes(self, platform: str) -> bool:
        """Return whether every build for a platform that was not refused is the same, byte by byte."""
        return len({each.sha256 for each in self.builds if each.platform == platform and each.built}) == 1

    def refused(self, platform: str) -> tuple[LevelBuild, ...]:
        """Return the builds for a platform that Go refused."""
        return tuple(each for each in self.builds if each.platform == platform and not each.built)


class Occurrence(Record, frozen=True, kw_only=True):
    """One line of a source tree."""

    path: str  # relative to GOROOT
    line: int
    text: str


class SourceSearch(Record, frozen=True, kw_only=True):
    """Where something is in a Go source tree."""

    id: str
    pattern: str  # a regular expression over lines, or over paths
    among: str  # which files
    found: int
    occurrences: tuple[Occurrence, ...]  # the first of them
    provenance: Provenance = Provenance.MEASURED


class SourceTree(Record, frozen=True, kw_only=True):
    """One Go's sources, searched."""

    go_version: str
    files: int
    searches: tuple[SourceSearch, ...]
    provenance: Provenance = Provenance.MEASURED


# --- what a default `go install` on a Mac would make


class InstallJudgement(Record, frozen=True, kw_only=True):
    """One statement about a program that `go install` would make on a Mac, derived here by a named rule."""

    rule: str
    program: str
    architecture: str
    statement: Text
    evidence: tuple[str, ...]  # what was run or read here, and what it said
    source: str
    only_a_mac_can_tell: bool = False
    confirmed_on_hardware: bool = False
    provenance: Provenance = Provenance.JUDGED


class InstructionExperiments(Record, frozen=True, kw_only=True):
    """What chapter 2's statements about instructions come to, with one set's Go."""

    printed_cas: PrintedCas | None  # None: no arm64 routine can be run here
    levels: tuple[LevelExperiment, ...]
    sources: tuple[SourceTree, ...]
    installs: tuple[InstallJudgement, ...]
