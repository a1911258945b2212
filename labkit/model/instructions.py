"""What functions of a program compile to: instructions, by function and target."""

from collections.abc import Mapping
from enum import StrEnum

from labkit.model.base import Provenance, Record


class Atomicity(StrEnum):
    """By what means an instruction is atomic, or ordered as an atomic access."""

    LSE = "lse"  # arm64: one instruction reads, changes and writes (CASAL, LDADDAL, SWPAL; since Armv8.1)
    EXCLUSIVE = "exclusive"  # arm64: one half of a pair that fails when somebody wrote between (LDAXR, STLXR), or CLREX
    ORDERED = "ordered"  # arm64: a single load or store with acquire or release (LDAR, STLR)
    LOCK = "lock"  # amd64: the LOCK prefix
    XCHG = "xchg"  # amd64: XCHG with memory, which locks without the prefix


class Instruction(Record, frozen=True, kw_only=True):
    """One instruction, as decoded from its bytes."""

    offset_bytes: int  # from the start of its function
    bytes_hex: str  # in the file's order
    mnemonic: str  # lower case; amd64's with its prefix, such as ``lock cmpxchg``
    operands: str  # amd64: Intel's order; addresses absolute, as linked
    atomic: Atomicity | None = None
    barrier: bool = False  # orders memory and does nothing else (DMB, DSB, MFENCE, ...)
    call: bool = False
    branch: bool = False  # goes elsewhere and does not come back: jumps, conditional or not, and returns
    target: str | None = None  # where a call or branch goes: a function, or ``+0x2c`` within its own


class Listing(Record, frozen=True, kw_only=True):
    """One function of a program, decoded."""

    function: str  # its name in the program's own table: main.CompareAndSwap64
    platform: str  # linux/arm64
    variant: str  # the architecture's level: GOARM64=v8.0, GOAMD64=v1; empty where this Go has none
    go_version: str  # go1.27.3
    address: int
    size_bytes: int
    instructions: tuple[Instruction, ...]
    provenance: Provenance = Provenance.MEASURED

    @property
    def atomic(self) -> tuple[Instruction, ...]:
        """Those of its instructions that are atomic or ordered, and its barriers."""
        return tuple(each for each in self.instructions if each.atomic is not None or each.barrier)


class Census(Record, frozen=True, kw_only=True):
    """How often chosen instructions occur in a program's whole text section, by decoding it."""

    file: str
    sha256: str
    architecture: str  # arm64, x86_64
    text_bytes: int
    instruction_count: int
    undecoded_bytes: int  # what is no instruction: literals between functions, and what the decoder does not know
    widths_bytes: Mapping[str, int]  # instruction length in bytes: how many
    counts: Mapping[str, int]  # "brk #0", "dmb ishst", "ldaxr", "lock cmpxchg": how many
    provenance: Provenance = Provenance.MEASURED
