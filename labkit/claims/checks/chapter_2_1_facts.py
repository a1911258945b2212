"""What chapters 2.1 and 2.2 share: labkit's sample program decoded, and the trees of every Go. No check is here."""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Final

from labkit.binary import instructions
from labkit.claims.base import read_source
from labkit.claims.facts import ClaimFacts, Probe, probe
from labkit.gobuild import listings
from labkit.model.base import Record
from labkit.model.claims import ClaimEvidence
from labkit.model.experiments import SourceSearch, SourceTree
from labkit.model.instructions import Listing
from labkit.toolchain import gosource
from labkit.toolchain.gosource import Wanted

ARM: Final = ("linux/arm64", "GOARM64=v8.0")
ARM_LATER: Final = ("linux/arm64", "GOARM64=v8.1")
APPLE: Final = ("darwin/arm64", "GOARM64=v8.0")
AMD: Final = ("linux/amd64", "GOAMD64=v1")

#: Counted with their operands, which say their kind.
_WITH_OPERANDS: Final = frozenset({"brk", "dmb", "dsb", "at", "tlbi"})
_BARRIERS: Final = frozenset({"dmb", "dsb", "mfence", "lfence", "sfence"})
_COUNTED: Final = _BARRIERS | {"nop", "int3", "stlr", "ldaxr", "stlxr", "casal", "lock cmpxchg"}
_CLOCK: Final = frozenset({"rdtsc", "rdtscp"})
_NARROW: Final = re.compile(r"\bw(?:\d+|zr|sp)\b")


class Decoded(Record, frozen=True, kw_only=True):
    """The sample program's whole text section, counted, and chosen functions of it, decoded."""

    platform: str
    level: str
    text_bytes: int
    undecoded_bytes: int  # literals between functions
    widths_bytes: dict[str, int]  # length of an instruction: how many
    odd_functions: int  # those that do not begin at a multiple of four bytes
    counts: dict[str, int]  # "brk #0", "nop", "mfence": how many
    barriers: dict[str, tuple[str, ...]]  # a barrier: functions that hold it and read no time stamp
    narrow: int  # instructions that name a W register
    instruction_count: int
    functions: tuple[Listing, ...]

    def named(self, *names: str) -> Listing:
        """Return the first of the functions that the program has.

        Raises:
            LookupError: It has none.

        """
        found = [each for name in names for each in self.functions if each.function == name]
        if not found:
            raise LookupError(f"the sample for {self.platform} has none of {', '.join(names)}")
        return found[0]

    def shown(self, *names: str) -> str:
        """Return functions as one line of instructions each."""
        chosen = [each for each in self.functions if each.function in names]
        return " | ".join(f"{each.function}: {line(each)}" for each in chosen)


def line(listing: Listing) -> str:
    """Return a function's instructions in one line."""
    return "; ".join(f"{each.mnemonic} {each.operands}".strip() for each in listing.instructions)


@cache
def decoded(target: tuple[str, str]) -> Probe[Decoded]:
    """Return the fact of the sample for a platform and level; a test's own under ``sample:<platform>:<level>``."""
    platform, level = target

    @probe(f"decoded-{platform}-{level}".replace("/", "-").replace("=", "-").lower())
    def make(facts: ClaimFacts) -> Decoded:
        own = facts.replaced_tool(f"sample:{platform}:{level}")
        path = own or Path(listings.sample(facts.lab.toolchain, platform, level).path)
        return _decode(path, platform, level, f"go{facts.lab.toolchain.tools[0].version}")

    return make


def _decode(path: Path, platform: str, level: str, go_version: str) -> Decoded:
    code = instructions.read(path)
    widths: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    undecoded = narrow = 0
    clocks: set[str] = set()
    barriers: list[tuple[str, str]] = []
    arm = code.architecture == "arm64"
    for address, size, mnemonic, operands in instructions.sweep(code.text, code.architecture, code.address):
        if mnemonic == instructions.DATA:
            undecoded += size
            continue
        widths[str(size)] += 1
        narrow += arm and _NARROW.search(operands) is not None
        if mnemonic in _CLOCK:
            clocks.add(_function(code, address))
        if mnemonic in _WITH_OPERANDS or mnemonic in _COUNTED:
            word = f"{mnemonic} {operands}" if mnemonic in _WITH_OPERANDS else mnemonic
            counts[word] += 1
            if mnemonic in _BARRIERS:
                barriers.append((word, _function(code, address)))
    held: dict[str, dict[str, None]] = {}
    for word, name in barriers:
        if name not in clocks:
            held.setdefault(word, {})[name] = None
    return Decoded(
        platform=platform,
        level=level,
        text_bytes=len(code.text),
        undecoded_bytes=undecoded,
        widths_bytes=dict(sorted(widths.items(), key=lambda each: int(each[0]))),
        odd_functions=sum(each.address % 4 != 0 for each in code.functions),
        counts=dict(sorted(counts.items())),
        barriers={word: tuple(names) for word, names in sorted(held.items())},
        narrow=narrow,
        instruction_count=widths.total(),
        functions=tuple(
            Listing(
                function=name,
                platform=platform,
                variant=level,
                go_version=go_version,
                address=function.address,
                size_bytes=function.size_bytes,
                instructions=code.decode(function),
            )
            for name in listings.FUNCTIONS
            if (function := code.named(name)) is not None
        ),
    )


def _function(code: instructions.Code, address: int) -> str:
    return (code.starting_at(address) or "-").partition("+")[0]


_RUNTIME: Final = r"^src/(internal/)?runtime/"
_ARM_ASSEMBLY: Final = r"^src/(internal/)?runtime/.*arm64\.s$"
#: Beside those of :func:`labkit.toolchain.gosource.wanted`.
_MORE: Final = (
    Wanted(
        id="frame-pointer-rule",
        pattern=r"\b(framepointer_enabled|FramePointerEnabled)\s*=\s*GOARCH.*",
        over="lines",
        among=r"^src/(internal/buildcfg|runtime)/",
        why="for which architectures the frame pointer is kept",
    ),
    Wanted(
        id="barrier-alloc-bits",
        pattern=r"\ballocBits\b",
        over="lines",
        among=r"^src/runtime/(mwbbuf\.go|mbarrier\.go|asm_arm64\.s)$",
        why="the write barrier's own files, asked for what it is said to update",
    ),
    Wanted(
        id="barrier-mark-bits",
        pattern=r"\bmarkBitsForIndex\(",
        over="lines",
        among=r"^src/runtime/(mwbbuf|mbarrier)\.go$",
        why="what the write barrier does update",
    ),
    Wanted(
        id="set-alloc-bits",
        pattern=r"\.allocBits\s*=[^=]",
        over="lines",
        among=r"^src/runtime/[^/]*(?<!_test)\.go$",
        why="who sets allocBits",
    ),
    Wanted(
        id="huge-page-call",
        pattern=r"\bmadvise\(.*_MADV_(HUGEPAGE|COLLAPSE)\b",
        over="lines",
        among=r"^src/runtime/mem_",
        why="how large pages are asked for",
    ),
    Wanted(
        id="huge-page-instruction",
        pattern=r"\b(TLBI|MSR\s+\w+,\s*(TTBR|TCR)\w*)\b",
        over="lines",
        among=_ARM_ASSEMBLY,
        why="instructions that change the mapping",
    ),
    Wanted(
        id="aligned-code",
        pattern=r"\bPCALIGN\b",
        over="lines",
        among=r"^src/(runtime|internal/(runtime|bytealg))/.*arm64\.s$",
        why="where arm64's code asks to be aligned",
    ),
    Wanted(
        id="tlb-instruction",
        pattern=r"\bTLBI\b",
        over="lines",
        among=_ARM_ASSEMBLY,
        why="instructions for the TLB",
    ),
    Wanted(
        id="default-goarch",
        pattern=r"\bconst defaultGOARCH = .*",
        over="lines",
        among=r"^src/internal/buildcfg/zbootstrap\.go$",
        why="what is built for when nothing is set",
    ),
    Wanted(
        id="apple-files",
        pattern=r"_darwin_arm64\.(go|s|h)$",
        over="paths",
        among=_RUNTIME,
        why="how a platform's own code is chosen: by the file's name",
    ),
    Wanted(
        id="cgo-call-steps",
        pattern=r"^\t(entersyscall\(\)|(errno := )?asmcgocall\(fn, arg\)|exitsyscall\(\))",
        over="lines",
        among=r"^src/runtime/cgocall\.go$",
        why="what happens around each call into C",
    ),
    Wanted(
        id="apple-mmu",
        pattern=r"\bMMU\b",
        over="lines",
        among=r"^src/(internal/)?runtime/.*darwin",
        why="a way of its own for Apple's MMU",
    ),
    Wanted(
        id="apple-page-size",
        pattern=r"\bphysPageSize\s*=",
        over="lines",
        among=r"^src/runtime/os_darwin",
        why="what darwin's runtime asks of the system about memory",
    ),
    Wanted(
        id="thread-state",
        pattern=r"\bthread_(get|set|create)\w*state\w*|\bact_[gs]et_state\b",
        over="lines",
        among=r"^src/(internal/)?runtime/",
        why="how a thread's state would be handed to the kernel",
    ),
)
_TAKEN: Final = frozenset(
    {
        "is-apple-silicon", "stack-guard-multiplier", "arch-arm64-go", "darwin-arm64-tag", "cas-arm64-s",
        "atomic-arm64-s", "brk-0x1000", "brk", "async-preempt", "preempt-signal", "at-s1e1r", "shade-bit",
    }
)  # fmt: skip


@probe("go-trees", recipe={"searches": [each.pattern for each in _MORE]})
def trees(facts: ClaimFacts) -> tuple[SourceTree, ...]:
    """Search the source tree of every Go that is compared."""
    searches = tuple(
        Wanted(**{**_fields(each), "pattern": f"(?m){each.pattern}"})
        for each in (*(each for each in gosource.wanted() if each.id in _TAKEN), *_MORE)
    )
    found = []
    for version in facts.go_versions():
        facts.progress(f"sources of Go {version}")
        found.append(gosource.search(facts.go(version).parent.parent, version, searches))
    return tuple(found)


def _fields(wanted: Wanted) -> dict[str, str]:
    return {name: getattr(wanted, name) for name in wanted.__struct_fields__}


def search(tree: SourceTree, id_: str) -> SourceSearch:
    """Return one search of a tree."""
    return next(each for each in tree.searches if each.id == id_)


def found(tree: SourceTree, id_: str) -> ClaimEvidence:
    """Return what a search found, as evidence."""
    one = search(tree, id_)
    seen = "; ".join(f"{each.path}:{each.line} {each.text}" if each.line else each.path for each in one.occurrences[:3])
    return read_source(
        f"Go {tree.go_version}, {one.among}", f"{one.pattern}: {one.found}" + (f"; {seen}" if seen else "")
    )


def versions(found: tuple[SourceTree, ...]) -> str:
    """Return the versions of trees, the oldest and the newest."""
    return " - ".join(dict.fromkeys((found[0].go_version, found[-1].go_version)))
