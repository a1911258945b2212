"""Bytes in, instructions out: arm64, arm and x86_64 by capstone, and what sort of instruction each is.

Pure functions over bytes; they know no file. Capstone because ``go tool objdump`` and older LLVMs print ``?`` and
``<unknown>`` for Armv8.1's atomics. What the mnemonics mean is the Arm Architecture Reference Manual's (DDI 0487,
C6.2; B2.9 for exclusives) and the Intel manual's (volume 2; volume 3 section 9.1 for LOCK and XCHG).
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import capstone

from labkit.model.instructions import Atomicity, Instruction

#: The architectures that can be decoded, as :class:`labkit.model.binary.Slice` names them.
ARCHITECTURES: Final = ("arm64", "x86_64", "arm")
#: The mnemonic given to bytes that are no instruction.
DATA: Final = ".byte"

_LSE: Final = re.compile(r"(cas(p)?|swp|(ld|st)(add|clr|eor|set|smax|smin|umax|umin))(a|al|l)?(b|h)?")
_EXCLUSIVE: Final = re.compile(r"(lda?x[rp]|stl?x[rp])(b|h)?|clrex|(lda?ex|stl?ex)(b|h|d)?")
_ORDERED: Final = re.compile(r"(ldar|ldapu?r|ldlar|stlu?r|stllr)(b|h|sb|sh|sw)?")
_BARRIERS: Final = frozenset({"dmb", "dsb", "isb", "sb", "mfence", "lfence", "sfence"})
_CALLS: Final = frozenset({"bl", "blr", "blraa", "blrab", "blx", "call", "lcall"})
_ARM_BRANCH: Final = re.compile(
    r"b(\.\w+)?|bc\.\w+|br|braa|brab|cbn?z|tbn?z|ret(aa|ab)?|bx|b(eq|ne|[cm]i|cs|cc|hs|lo|pl|v[sc]|hi|ls|g[et]|l[et]|al)"
)
_X86_BRANCH: Final = re.compile(r"(bnd |notrack )?(j\w+|ljmp|ret\w*|iret\w*|loop\w*)")
_ADDRESS: Final = re.compile(r"(?:^|[ ,#])(0x[0-9a-f]+|\d+)$")


@cache
def _decoder(architecture: str) -> capstone.Cs:
    machine, mode = {
        "arm64": (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
        "arm": (capstone.CS_ARCH_ARM, capstone.CS_MODE_ARM),
        "x86_64": (capstone.CS_ARCH_X86, capstone.CS_MODE_64),
    }[architecture]
    decoder = capstone.Cs(machine, mode)
    decoder.skipdata = True  # literals lie between instructions; they come out as DATA
    return decoder


def sweep(code: bytes, architecture: str, address: int = 0) -> Iterator[tuple[int, int, str, str]]:
    """Yield address, size, mnemonic and operands of every instruction, one after the other from the first byte on.

    What is no instruction comes as :data:`DATA` in steps of the architecture's least instruction size.
    """
    found: Iterator[tuple[int, int, str, str]] = _decoder(architecture).disasm_lite(code, address)
    yield from found


def decode(
    code: bytes, architecture: str, address: int = 0, name: Callable[[int], str | None] | None = None
) -> tuple[Instruction, ...]:
    """Return the instructions of one function.

    Args:
        code: Its bytes.
        architecture: One of :data:`ARCHITECTURES`.
        address: Where its first byte lies in memory.
        name: Returns the name of the function that begins at an address, or None.

    """
    return tuple(
        _instruction(code, found, architecture=architecture, start=address, name=name or _nameless)
        for found in sweep(code, architecture, address)
    )


def atomicity(mnemonic: str, operands: str, architecture: str) -> Atomicity | None:
    """Return by what means an instruction is atomic, if it is."""
    if architecture == "x86_64":
        if mnemonic.startswith(("lock ", "xacquire lock ", "xrelease lock ")):
            return Atomicity.LOCK
        # With memory XCHG locks by itself; between registers it is an ordinary move, and `xchg ax, ax` a NOP.
        return Atomicity.XCHG if mnemonic.endswith("xchg") and "[" in operands and "cmp" not in mnemonic else None
    for kind, pattern in ((Atomicity.LSE, _LSE), (Atomicity.EXCLUSIVE, _EXCLUSIVE), (Atomicity.ORDERED, _ORDERED)):
        if pattern.fullmatch(mnemonic):
            return kind
    return None


def _nameless(_address: int) -> str | None:
    return None


def _instruction(
    code: bytes,
    found: tuple[int, int, str, str],
    *,
    architecture: str,
    start: int,
    name: Callable[[int], str | None],
) -> Instruction:
    address, size, mnemonic, operands = found
    offset = address - start
    call = mnemonic.rpartition(" ")[2] in _CALLS
    pattern = _X86_BRANCH if architecture == "x86_64" else _ARM_BRANCH
    branch = not call and pattern.fullmatch(mnemonic) is not None
    return Instruction(
        offset_bytes=offset,
        bytes_hex=code[offset : offset + size].hex(),
        mnemonic=mnemonic,
        operands=operands,
        atomic=atomicity(mnemonic, operands, architecture),
        barrier=mnemonic in _BARRIERS,
        call=call,
        branch=branch,
        target=_target(operands, start, len(code), name) if call or branch else None,
    )


def _target(operands: str, start: int, size: int, name: Callable[[int], str | None]) -> str | None:
    match = _ADDRESS.search(operands)
    if match is None:
        return None  # through a register, or a return
    goal = int(match[1], 0)
    if start < goal < start + size:
        return f"+{goal - start:#x}"
    return name(goal)
