"""llvm-objdump's decoding of a text section, and the rules under which its spelling and capstone's are the same.

A rule rewrites a spelling to one form and is applied to both sides; it skips nothing, and each has its reason. What
still differs afterwards is a difference. Rows that LLVM prints as ``<unknown>`` are a class of their own: LLVM 14 knows
an instruction only when its architecture extension is switched on (``--mattr``).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from labkit.binary.instructions import DATA, read, sweep
from tests.binary_oracles import program, run

UNKNOWN = "<unknown>"
#: Everything that LLVM 14 can switch on for Armv8, and SVE.
FEATURES = ("--mattr=+v8.6a,+sha2,+aes,+crypto,+sha3,+sve2",)
_TRIPLES = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
_ROW = re.compile(r"^\s*([0-9a-f]+):\s+((?:[0-9a-f]{2} ?)+)\s*\t(.*)$")
_PREFIX = re.compile(r"(lock|rep|repne|repe|data16|addr32|xacquire|xrelease|rex64|[c-gs]s|notrack)")
_NUMBER = re.compile(r"(?<![\w.])(-?)(0x[0-9a-f]+|\d+)(?![\w.])")


@dataclass(frozen=True)
class Rule:
    """One way in which two spellings are the same."""

    id: str
    why: str
    architecture: str  # arm64, x86_64, or empty for both
    rewrite: Callable[[str, int | None], str]  # spelling; its address when the spelling is LLVM's


def _numbers(text: str, _address: int | None) -> str:
    return _NUMBER.sub(lambda m: str(int(m[2], 0) * (-1 if m[1] else 1) % 2**64), text.replace("#", ""))


def _orr(text: str, _address: int | None) -> str:
    return re.sub(r"^orr ([xw]\d+|w?sp), [xw]zr, (\d+)$", r"mov \1, \2", text)


def _adr(text: str, address: int | None) -> str:
    match = re.fullmatch(r"adr (x\d+), (\d+)", text)
    return text if match is None or address is None else f"adr {match[1]}, {(address + int(match[2])) % 2**64}"


_WIDTHS = {"byte": 8, "word": 16, "dword": 32, "qword": 64}
_BYTE = re.compile(r"[abcd][lh]|(si|di|sp|bp)l|r\d+b")


def _width(operand: str) -> int:
    memory = re.match(r"(byte|word|dword|qword) ptr", operand)
    if memory:
        return _WIDTHS[memory[1]]
    if _BYTE.fullmatch(operand):
        return 8
    if re.fullmatch(r"[abcd]x|si|di|sp|bp|r\d+w", operand):
        return 16
    return 32 if re.fullmatch(r"e\w+|r\d+d", operand) else 64


def _immediate(text: str, _address: int | None) -> str:
    match = re.fullmatch(r"(\S+ )(.*), (\d+)", text)
    if match is None:
        return text
    width = _width(match[2].split(", ")[0])
    return f"{match[1]}{match[2]}, {int(match[3]) % 2**width}"


def _shift(text: str, _address: int | None) -> str:
    return re.sub(r"^((?:sh|sa|ro|rc)[lr] [^,]+)$", r"\1, 1", text)


def _brackets(text: str, _address: int | None) -> str:
    def inside(match: re.Match[str]) -> str:
        terms = []
        for sign, term in re.findall(r"([+-]?)([^+-]+)", match[1].replace(" ", "")):
            scaled = re.sub(r"^(\d+)\*(\w+)$", r"\2*\1", term).removesuffix("*1")
            number = re.fullmatch(r"0x[0-9a-f]+|\d+", scaled)
            terms.append(f"+{int(sign + scaled, 0) % 2**64}" if number else "+" + scaled)
        return "[" + "".join(terms) + "]"

    return re.sub(r"\[([^\]]*)\]", inside, text)


def _comment(text: str, _address: int | None) -> str:
    return text if text == UNKNOWN else re.sub(r"\s*(<[^>]*>$|//.*$|# .*$)", "", text)


def _string_segment(text: str, _address: int | None) -> str:
    return text.replace("es:[", "[") if re.match(r"(rep\w* )?(stos|movs|scas|cmps|ins)", text) else text


def _ten_bytes(text: str, _address: int | None) -> str:
    return text.replace("xword ptr", "tbyte ptr") if text.startswith("f") else text


#: In the order in which they are applied.
RULES = (
    Rule("comment", "LLVM adds the name of the place, and of some immediates, as a comment", "", _comment),
    Rule("case", "LLVM writes system registers in capitals", "", lambda text, _: text.lower()),
    Rule(
        "braces",
        "LLVM puts spaces within the braces of a vector list",
        "arm64",
        lambda text, _: text.replace("{ ", "{").replace(" }", "}"),
    ),
    Rule("brackets", "scale and index change places: `[8*rax + 16]` is `[rax*8 + 0x10]`", "x86_64", _brackets),
    Rule("numbers", "hexadecimal or decimal, with `#` or without: a number counts modulo 2^64", "", _numbers),
    Rule("mov-orr", "ORR of the zero register and an immediate is MOV (bitmask immediate)", "arm64", _orr),
    Rule("adr", "LLVM writes the distance that ADR adds, capstone the address it makes", "arm64", _adr),
    Rule("immediate", "LLVM sign-extends an immediate to 64 bits, capstone to its operand", "x86_64", _immediate),
    Rule("shift-by-one", "LLVM leaves out the 1 of shifts and rotates whose opcode means one", "x86_64", _shift),
    Rule("string-segment", "LLVM names a string instruction's ES, which cannot be another", "x86_64", _string_segment),
    Rule("ten-bytes", "the ten bytes of an x87 number: `tbyte` to LLVM, `xword` to capstone", "x86_64", _ten_bytes),
)


@dataclass(kw_only=True)
class Agreement:
    """What came of comparing one file's text section."""

    instructions: int = 0  # rows of LLVM that were compared
    same: int = 0  # literally, or after the rules
    by_rule: Counter[str] = field(default_factory=Counter)  # agree only because of this rule
    both_data: int = 0  # neither knows an instruction there
    build_id: int = 0  # rows within Go's build ID, a text at the beginning of a Mach-O's text section
    unknown: Counter[str] = field(default_factory=Counter)  # LLVM knows none; capstone's mnemonic
    differing: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # theirs, ours: examples
    bytes_compared: int = 0
    text_bytes: int = 0

    @property
    def different(self) -> int:
        return sum(map(len, self.differing.values()))


def spelling(text: str, architecture: str, address: int | None, *, without: str = "") -> tuple[str, frozenset[str]]:
    """Return a spelling in the one form that the rules lead to, and which rules changed it."""
    text = re.sub(r"\s+", " ", text).strip()
    changed = set()
    for rule in RULES:
        if rule.architecture in {"", architecture} and rule.id != without:
            before, text = text, rule.rewrite(text, address)
            if text != before:
                changed.add(rule.id)
    return text, frozenset(changed)


def objdump(path: Path, architecture: str, section: str, options: tuple[str, ...]) -> Mapping[int, tuple[bytes, str]]:
    """Return LLVM's rows by address: bytes and spelling, a prefix joined to what it belongs to."""
    command = [program("llvm-objdump"), "-d", "-z", f"--triple={_TRIPLES[architecture]}", f"--section={section}"]
    text = run([*command, "--x86-asm-syntax=intel", *options, path])
    rows: dict[int, tuple[bytes, str]] = {}
    last = -1
    for line in text.splitlines():
        match = _ROW.match(line)
        if match is None:
            continue
        address, code, words = int(match[1], 16), bytes.fromhex(match[2]), match[3].replace("\t", " ").strip()
        if last >= 0 and all(map(_PREFIX.fullmatch, rows[last][1].split())):
            code, words = rows[last][0] + code, f"{rows[last][1]} {words}"
        else:
            last = address
        rows[last] = code, words
    return rows


def compare(path: Path, *, options: tuple[str, ...] = (), last_bytes: int = 0) -> Agreement:
    """Compare every instruction of a file's text section with llvm-objdump's; or of its last functions."""
    code = read(path)
    start, end = code.address, code.address + len(code.text)
    if last_bytes:
        start = next(each.address for each in code.functions if each.address >= end - last_bytes)
        options = (*options, f"--start-address={start}", f"--stop-address={end}")
    text = code.text[start - code.address : end - code.address]
    section = ".text" if path.read_bytes()[:4] == b"\x7fELF" else "__text"
    theirs = objdump(path, code.architecture, section, options)
    ours = {
        address: (size, f"{mnemonic} {operands}".strip())
        for address, size, mnemonic, operands in sweep(text, code.architecture, start)
    }
    found = Agreement(text_bytes=len(text), bytes_compared=sum(len(bytes_) for bytes_, _ in theirs.values()))
    text_of_id = code.named("go:buildid")
    literal = range(text_of_id.address, text_of_id.address + text_of_id.size_bytes) if text_of_id else range(0)
    for address, (bytes_, words) in theirs.items():
        found.instructions += 1
        if address in literal:
            found.build_id += 1
            continue
        size, mine = ours.get(address, (0, "(no instruction begins here)"))
        if size == len(bytes_) and (words == mine or _same(found, words, mine, code.architecture, address)):
            found.same += 1
        elif words == UNKNOWN and mine.startswith(DATA):
            found.both_data += 1
        elif words == UNKNOWN:
            found.unknown[mine.split()[0]] += 1
        else:
            key = words.split()[0], mine.split()[0]
            found.differing.setdefault(key, []).append(
                f"{address:#x} {bytes_.hex()}: LLVM `{words}`, capstone `{mine}`"
            )
    return found


def _same(found: Agreement, theirs: str, ours: str, architecture: str, address: int) -> bool:
    left, changed_left = spelling(theirs, architecture, address)
    right, changed_right = spelling(ours, architecture, None)
    if left != right:
        return False
    for rule in changed_left | changed_right:
        left, _ = spelling(theirs, architecture, address, without=rule)
        right, _ = spelling(ours, architecture, None, without=rule)
        found.by_rule[rule] += left != right
    return True
