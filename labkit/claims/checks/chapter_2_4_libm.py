"""Chapter 2.4, tanhf: judged by the instructions of C libraries, read from a running program's memory and decoded."""

import re
import struct
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from labkit.binary.instructions import DATA, sweep
from labkit.claims import foreign
from labkit.claims.base import MAC, command, read_bytes
from labkit.claims.facts import ClaimFacts, probe
from labkit.claims.needs import unmet
from labkit.errors import ProcessError
from labkit.model.base import Record
from labkit.model.claims import Case, ClaimEvidence, PartVerdict

_PAGE: Final = 4096
_PAGES: Final = 128  # before a function and behind it: what it calls lies near
_FUNCTIONS: Final = ("tanhf", "tanhl")
_MOST_INSTRUCTIONS: Final = 20_000
#: Writes both functions' addresses, and the memory around each; a page that is not there comes as zeros.
_DUMP: Final = f"""#include <math.h>
#include <stdint.h>
#include <unistd.h>
static float (*volatile narrow)(float) = tanhf;
static long double (*volatile wide)(long double) = tanhl;
static const char zeros[{_PAGE}];
static void dump(uint64_t at) {{
  uint64_t first = (at & ~(uint64_t){_PAGE - 1}) - {_PAGES}ull * {_PAGE};
  write(1, &at, 8);
  write(1, &first, 8);
  for (int page = 0; page < {2 * _PAGES}; page++)
    if (write(1, (const char *)first + page * {_PAGE}, {_PAGE}) != {_PAGE}) write(1, zeros, {_PAGE});
}}
int main(void) {{
  dump((uint64_t)(uintptr_t)narrow);
  dump((uint64_t)(uintptr_t)wide);
  return 0;
}}
"""
#: The printed loop.
LOOP: Final = """#include <math.h>
void process_audio(float* in, float* out, int frames) {
  for (int i = 0; i < frames; i++) {
    out[i] = tanhf(in[i] * 1.2f);
  }
}
"""
_JUMP: Final = re.compile(r"(?:bnd |notrack )?(?:call|j\w+|bl|b(?:\.\w+)?|cbn?z|tbn?z)")
_GOAL: Final = re.compile(r"#?(0x[0-9a-f]+)$")
_END: Final = re.compile(r"(?:bnd |notrack )?(?:ret\w*|jmp|b|br|braa|hlt|ud2|udf|int3)")
#: All of x87's mnemonics begin so, and of the others only those that save its state.
_X87: Final = re.compile(r"f(?!xsave|xrstor|emms)\w+|wait")
_NEON: Final = re.compile(r"\bv\d+\.\d*[bhsd]\b")
#: Floating-point arithmetic: compilers load constants and choose signs of a single number with vector words too.
_ARITHMETIC: Final = re.compile(r"f(?!mov|neg|abs)\w+")
_SCALAR: Final = re.compile(r"\b(?:[hsd]\d+|xmm\d+)\b")
_VECTOR_CALL: Final = "__simd_tanh_f4"
_VECTOR_WORDS: Final = ("-fveclib=Darwin_libsystem_m", "-fno-math-errno")


class Body(Record, frozen=True, kw_only=True):
    """A function of a C library with what it calls nearby, counted by kinds of instructions."""

    library: str  # the target: -gnu and -macos are the system's own, -musl is zig's
    architecture: str
    function: str
    instructions: int
    x87: int
    scalar: int  # floating point in one element of a vector register: s0, d0, xmm0
    neon: int  # floating-point arithmetic on several elements: fmul v0.4s

    @property
    def evidence(self) -> ClaimEvidence:
        """Return it as what its bytes say."""
        kinds = f"{self.x87} x87, {self.scalar} with xmm registers"
        if self.architecture == "arm64":
            kinds = f"{self.neon} compute with several elements (NEON), {self.scalar} are of one"
        return read_bytes(f"{self.function} of {self.library}", f"{self.instructions} instructions: {kinds}")


@probe(
    "libm-tanhf",
    tools=tuple(name for names in foreign.TRANSLATORS.values() for name in names),
    recipe={"zig": foreign.pin().version},
)
def bodies(facts: ClaimFacts) -> tuple[Body, ...]:
    """Run a program on each C library that can be had here, and read both functions from its memory."""
    found: list[Body] = []
    own = foreign.own_architecture(facts)
    for architecture in ("x86_64", "arm64"):
        libraries = ("gnu", "musl") if architecture == own and not foreign.on_macos(facts) else ("musl",)
        for libc in libraries:
            chosen = foreign.target(facts, architecture, libc=libc)
            if chosen is None:
                continue
            with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
                program = foreign.build(facts, chosen.name, _DUMP, Path(scratch).resolve(), "-fPIC")
                done = foreign.started(chosen, program)
            if done is not None:
                found += _read(chosen, done.stdout_bytes)
    return tuple(found)


def _read(chosen: foreign.Target, dumped: bytes) -> list[Body]:
    size = 16 + 2 * _PAGES * _PAGE
    if len(dumped) != size * len(_FUNCTIONS):
        raise ProcessError(
            f"the program for {chosen.name} wrote {len(dumped)} bytes, not {size * len(_FUNCTIONS)}",
            remedy="this is a fault in labkit: please report it",
        )
    found = []
    for number, function in enumerate(_FUNCTIONS):
        part = dumped[number * size : (number + 1) * size]
        at, first = struct.unpack("<QQ", part[:16])
        kinds = _walk(part[16:], first, at, chosen.architecture)
        found.append(Body(library=chosen.name, architecture=chosen.architecture, function=function, **kinds))
    return found


def _walk(memory: bytes, first: int, at: int, architecture: str) -> dict[str, int]:
    """Count what a function may execute: its own instructions, and those that it calls or jumps to, once each."""
    counts: Counter[str] = Counter(instructions=0, x87=0, scalar=0, neon=0)
    seen: set[int] = set()
    todo = [at]
    while todo and len(seen) < _MOST_INSTRUCTIONS:
        start = todo.pop()
        if not first <= start < first + len(memory):
            continue
        for address, _size, mnemonic, operands in sweep(memory[start - first :][:_PAGE], architecture, start):
            if address in seen or mnemonic == DATA:
                break
            seen.add(address)
            counts["instructions"] += 1
            counts["x87"] += architecture == "x86_64" and _X87.fullmatch(mnemonic) is not None
            several = _NEON.search(operands) is not None
            counts["neon"] += several and _ARITHMETIC.fullmatch(mnemonic) is not None
            counts["scalar"] += not several and _SCALAR.search(operands) is not None
            if _JUMP.fullmatch(mnemonic) and (goal := _GOAL.search(operands)):
                todo.append(int(goal[1], 16))
            if _END.fullmatch(mnemonic):
                break
    return dict(counts)


class OnX87(foreign.ForeignCheck):
    """Decode tanhf of each x86_64 C library that can be had here, with what it calls; tanhl shows that x87 is seen."""

    id = "2.4.05"
    turned_by = "another C library: a tanhf by x87 linked in its place"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether each of them computes with x87."""
        both = [each for each in facts.get(bodies) if each.architecture == "x86_64"]
        narrow = [each for each in both if each.function == "tanhf"]
        wide = [each for each in both if each.function == "tanhl"]
        if not narrow:
            yield self.untested("untested", would_test="would_test")
            return
        verdict = self.judged(
            all(each.x87 for each in narrow),
            [each.evidence for each in both],
            libraries=", ".join(each.library for each in narrow),
            x87=", ".join(f"{each.x87}/{each.instructions}" for each in narrow),
            wide=", ".join(f"{each.x87}/{each.instructions}" for each in wide),
        )
        yield verdict if unmet((MAC,), facts) is None else self.not_on_hardware(verdict)


class Called(Record, frozen=True, kw_only=True):
    """Which functions the printed loop calls when it is compiled for arm64 macOS with some words."""

    words: str
    calls: tuple[str, ...]


@probe("loop-for-macos", recipe={"zig": foreign.pin().version})
def loops(facts: ClaimFacts) -> tuple[Called, ...]:
    """Compile the printed loop as it is, and with leave to call the library's vector functions."""
    found = []
    for words in ((), _VECTOR_WORDS):
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            made = foreign.build(facts, "aarch64-macos", LOOP, Path(scratch).resolve(), "-c", "-O3", *words)
            content = made.read_bytes()
        calls = tuple(name for name in (_VECTOR_CALL, "_tanhf") if f"\0{name}\0".encode() in content)
        found.append(Called(words=" ".join(("-O3", *words)), calls=calls))
    return tuple(found)


class ByNeon(foreign.ForeignCheck):
    """Compile the printed loop for arm64 macOS with and without leave for vector functions, and see what it calls.

    A call of tanhf takes one number: whether that body works on several elements is decoded, of Apple's own library on
    a Mac, elsewhere of an arm64 library that can be had.
    """

    id = "2.4.10"
    turned_by = "another compiler"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge the plain loop and the other one as cases."""
        found = [each for each in facts.get(bodies) if each.architecture == "arm64" and each.function == "tanhf"]
        plain, vector = facts.get(loops)
        if not found:
            yield self.untested(
                "untested", would_test="would_test", tried=[f"{each.words}: {each.calls}" for each in (plain, vector)]
            )
            return
        evidence = [
            command(f"zig cc -target aarch64-macos {each.words}", f"calls {', '.join(each.calls) or 'nothing'}")
            for each in (plain, vector)
        ]
        evidence += [each.evidence for each in found]
        cases = []
        for each, asked in ((plain, False), (vector, True)):
            several = _VECTOR_CALL in each.calls or any(body.neon for body in found)
            told = f"{', '.join(each.calls)}; " + "; ".join(f"{one.library}: NEON {one.neon}" for one in found)
            cases.append(Case(facts={"vector": asked}, holds=several, witness=told))
        verdict = self.by_cases(
            cases,
            lambda case: case["vector"] is True,
            evidence,
            plain=", ".join(plain.calls) or "-",
            vector=_VECTOR_CALL,
            words=vector.words,
            libraries=", ".join(each.library for each in found),
            counts=", ".join(f"{each.neon}/{each.instructions}" for each in found),
        )
        yield verdict if unmet((MAC,), facts) is None else self.not_on_hardware(verdict)
