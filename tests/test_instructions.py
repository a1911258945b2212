"""Decoding: bytes to instructions, functions by Go's table, what atomics compile to, and llvm-objdump's word."""

from pathlib import Path

import msgspec
import pytest

from labkit.binary import instructions
from labkit.binary.instructions import decode
from labkit.binary.reading import MalformedError
from labkit.facts import Facts
from labkit.gobuild import build, listings
from labkit.gobuild.options import Options
from labkit.model.instructions import Atomicity
from labkit.present.instructions import listings as side_by_side
from labkit.present.instructions import listings_frame
from labkit.toolchain import golang, program
from labkit.words import Language
from tests.decoding_oracle import FEATURES, RULES, compare, spelling
from tests.support import need

V80, V81, AMD64 = ("linux/arm64", "GOARM64=v8.0"), ("linux/arm64", "GOARM64=v8.1"), ("linux/amd64", "GOAMD64=v1")


@pytest.fixture(scope="module")
def found(toolchain):
    return {(each.function, each.platform, each.variant): each for each in listings.listings(toolchain)}


# --- bytes in, instructions out

INSTRUCTIONS = [
    # Go 1.27.3's own, of the sample's functions
    ("arm64", "41fcfb88", "casal", "w27, w1, [x2]", {"atomic": Atomicity.LSE}),
    ("arm64", "8500e2f8", "ldaddal", "x2, x5, [x4]", {"atomic": Atomicity.LSE}),
    ("arm64", "0280e1b8", "swpal", "w1, w2, [x0]", {"atomic": Atomicity.LSE}),
    ("arm64", "cb10fb38", "ldclralb", "w27, w11, [x6]", {"atomic": Atomicity.LSE}),
    ("arm64", "1bfc5fc8", "ldaxr", "x27, [x0]", {"atomic": Atomicity.EXCLUSIVE}),
    ("arm64", "02fc1bc8", "stlxr", "w27, x2, [x0]", {"atomic": Atomicity.EXCLUSIVE}),
    ("arm64", "5f3f03d5", "clrex", "", {"atomic": Atomicity.EXCLUSIVE}),
    ("arm64", "00fcdfc8", "ldar", "x0, [x0]", {"atomic": Atomicity.ORDERED}),
    ("arm64", "01fc9fc8", "stlr", "x1, [x0]", {"atomic": Atomicity.ORDERED}),
    ("arm64", "bf3a03d5", "dmb", "ishst", {"barrier": True}),
    ("arm64", "bf3b03d5", "dmb", "ish", {"barrier": True}),
    ("arm64", "000020d4", "brk", "#0", {}),
    ("arm64", "000022d4", "brk", "#0x1000", {}),
    ("arm64", "00780cd5", "at", "s12e0r, x0", None),
    ("arm64", "007808d5", "at", "s1e1r, x0", {}),
    ("arm64", "020040f9", "ldr", "x2, [x0]", {}),
    ("arm64", "fe0f1ff8", "str", "x30, [sp, #-0x10]!", {}),
    ("arm64", "c0035fd6", "ret", "", {"branch": True}),
    ("arm64", "02000014", "b", "#0x1008", {"branch": True}),
    ("arm64", "e9010054", "b.ls", "#0x103c", {"branch": True}),
    ("arm64", "02000094", "bl", "#0x1008", {"call": True}),
    ("arm64", "20003fd6", "blr", "x1", {"call": True}),
    ("x86_64", "f0480fb10a", "lock cmpxchg", "qword ptr [rdx], rcx", {"atomic": Atomicity.LOCK}),
    ("x86_64", "480fb10a", "cmpxchg", "qword ptr [rdx], rcx", {}),
    ("x86_64", "f0480fc118", "lock xadd", "qword ptr [rax], rbx", {"atomic": Atomicity.LOCK}),
    ("x86_64", "488718", "xchg", "qword ptr [rax], rbx", {"atomic": Atomicity.XCHG}),
    ("x86_64", "4887d8", "xchg", "rax, rbx", {}),
    ("x86_64", "0faef0", "mfence", "", {"barrier": True}),
    ("x86_64", "488b00", "mov", "rax, qword ptr [rax]", {}),
    ("x86_64", "e800000000", "call", "0x1005", {"call": True}),
    ("x86_64", "7623", "jbe", "0x1025", {"branch": True}),
    ("x86_64", "c3", "ret", "", {"branch": True}),
    ("arm", "9f0f91e1", "ldrex", "r0, [r1]", None),
    ("arm", "050080e0", "add", "r0, r0, r5", {}),
]


@pytest.mark.parametrize(
    ("architecture", "code", "mnemonic", "operands", "kinds"),
    [each for each in INSTRUCTIONS if each[4] is not None],
    ids=[f"{each[0]} {each[2]} {each[1]}" for each in INSTRUCTIONS if each[4] is not None],
)
def test_an_instruction_and_what_sort_it_is(architecture, code, mnemonic, operands, kinds):
    (only,) = decode(bytes.fromhex(code), architecture, 0x1000)
    assert (only.mnemonic, only.operands, only.bytes_hex) == (mnemonic, operands, code)
    plain = {"atomic": None, "barrier": False, "call": False, "branch": False}
    assert {name: getattr(only, name) for name in plain} == plain | kinds


def test_what_is_no_instruction_is_data_and_the_rest_goes_on():
    listed = decode(bytes.fromhex("28000002" + "c0035fd6"), "arm64")
    assert [(each.mnemonic, each.offset_bytes) for each in listed] == [(instructions.DATA, 0), ("ret", 4)]


def test_where_a_branch_goes_is_named():
    code = bytes.fromhex("02000094" + "02000014" + "1f2003d5" + "c0035fd6")
    names = {0x1008: None, 0x2000: "main.other"}
    call, jump, *_ = decode(code, "arm64", 0x1000, names.get)
    assert (call.target, jump.target) == ("+0x8", "+0xc")
    (far,) = decode(bytes.fromhex("00040094"), "arm64", 0x1000, names.get)
    assert far.target == "main.other"


# --- functions


@pytest.mark.parametrize("target", [*listings.TARGETS, ("darwin/amd64", "GOAMD64=v1")], ids=" ".join)
def test_functions_are_where_gos_own_tool_says(toolchain, target, tmp_path):
    built = listings.sample(toolchain, *target)
    code = instructions.read(Path(built.path))
    lines = golang.run(program(toolchain, "go"), "tool", "nm", "-n", built.path, cwd=tmp_path).stdout.splitlines()
    theirs = {(line.split()[-1], int(line.split()[0], 16)) for line in lines if line.split()[1] in {"T", "t"}}
    ours = {(each.name, each.address) for each in code.functions}
    mains = {each for each in ours if each[0].startswith("main.")}
    assert len(mains) >= len(listings.SAMPLES)
    assert mains <= theirs
    # a symbol's name says which of two calling conventions it has; Go's table does not
    assert len(
        {(name, at) for name, at in ours if (name, at) in theirs or (f"{name}.abi0", at) in theirs}
    ) > 0.95 * len(ours)


@pytest.mark.parametrize("platform", ["linux/arm64", "darwin/arm64", "linux/amd64"])
def test_a_stripped_program_has_the_same_functions(toolchain, platform):
    options = Options(ldflags="-s -w")
    stripped = build(toolchain, listings.MODULE, ".", name="sample", platform=platform, options=options)
    whole = instructions.read(Path(listings.sample(toolchain, platform, "").path))
    bare = instructions.read(Path(stripped.path))
    assert [each.name for each in bare.functions] == [each.name for each in whole.functions]
    name = "main.CompareAndSwap64"
    mnemonics = [[each.mnemonic for each in code.decode(code.named(name))] for code in (whole, bare)]
    assert mnemonics[0] == mnemonics[1]


def test_the_functions_fill_the_text_section_without_overlap(toolchain):
    code = instructions.read(Path(listings.sample(toolchain, *V80).path))
    for one, following in zip(code.functions, code.functions[1:], strict=False):
        assert one.address + one.size_bytes == following.address
    assert code.starting_at(code.functions[5].address) == code.functions[5].name
    assert code.starting_at(code.functions[5].address + 4) == f"{code.functions[5].name}+0x4"
    assert code.starting_at(code.address - 4) is None


@pytest.mark.parametrize(
    "content", [b"", b"#!/bin/sh\n", b"\x7fELF" + b"\0" * 60, b"\xcf\xfa\xed\xfe" + b"\xff" * 60], ids=repr
)
def test_what_is_no_program_is_malformed(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(MalformedError):
        instructions.read(path)


@pytest.mark.parametrize("target", [V80, ("darwin/arm64", "GOARM64=v8.0")], ids=" ".join)
def test_a_damaged_program_is_malformed_or_read_but_never_a_surprise(toolchain, tmp_path, target):
    whole = Path(listings.sample(toolchain, *target).path).read_bytes()
    path, refused = tmp_path / "file", 0
    table = whole.find(b"\xf1\xff\xff\xff\0\0\x04\x08")
    assert table > 0
    for at in (*range(16, 4096, 331), *range(table, table + 72, 3)):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        path.write_bytes(damaged)
        try:
            instructions.read(path)
        except MalformedError:
            refused += 1
    assert refused > 5
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(MalformedError):
        instructions.read(path)


# --- what Go compiles to


def kinds(listing):
    return {each.atomic for each in listing.atomic if each.atomic}


@pytest.mark.parametrize("name", ["CompareAndSwap32", "CompareAndSwap64", "Add32", "Add64"])
def test_read_modify_write(found, name):
    default, newer, amd64 = (found[f"main.{name}", *target] for target in (V80, V81, AMD64))
    assert kinds(default) == {Atomicity.LSE, Atomicity.EXCLUSIVE}
    one = next(each.offset_bytes for each in default.instructions if each.atomic is Atomicity.LSE)
    check = next(each for each in default.instructions if each.mnemonic == "tbz")
    pair = next(each.offset_bytes for each in default.instructions if each.atomic is Atomicity.EXCLUSIVE)
    assert check.offset_bytes < one
    assert check.target == f"+{pair:#x}"  # a byte of what the processor can decides which of the two
    assert kinds(newer) == {Atomicity.LSE}
    assert not [each for each in newer.instructions if each.branch and each.mnemonic != "ret"]
    assert kinds(amd64) == {Atomicity.LOCK}
    assert found[f"main.{name}", "linux/amd64", "GOAMD64=v3"].atomic == amd64.atomic


@pytest.mark.parametrize("bits", [32, 64])
def test_loads_and_stores(found, bits):
    for target in (V80, V81, ("darwin/arm64", "GOARM64=v8.0")):
        assert [each.mnemonic for each in found[f"main.Load{bits}", *target].atomic] == ["ldar"]
        assert [each.mnemonic for each in found[f"main.Store{bits}", *target].atomic] == ["stlr"]
    assert not found[f"main.Load{bits}", *AMD64].atomic
    assert kinds(found[f"main.Store{bits}", *AMD64]) == {Atomicity.XCHG}


@pytest.mark.parametrize("target", [V80, V81, AMD64], ids=" ".join)
def test_the_write_barrier_is_a_flag_and_a_call_without_an_ordered_store(found, target):
    barrier = found["main.StorePointer", *target]
    assert "runtime.gcWriteBarrier2" in {each.target for each in barrier.instructions if each.call}
    assert not barrier.atomic
    buffer = next(
        each for (name, *at), each in found.items() if name.endswith("gcWriteBarrier") and tuple(at) == target
    )
    assert "stlr" not in {each.mnemonic for each in buffer.instructions}


@pytest.mark.parametrize("target", [V80, AMD64], ids=" ".join)
def test_a_prologue_checks_the_stack_and_sets_the_frame_pointer_and_a_leaf_does_neither(found, target):
    framed, leaf, loop = (found[f"main.{name}", *target] for name in ("Framed", "Leaf", "Loop"))
    assert "runtime.morestack_noctxt" in {each.target for each in framed.instructions}
    pointer = {"linux/arm64": ("sub", "x29, sp, #8"), "linux/amd64": ("mov", "rbp, rsp")}[target[0]]
    assert pointer in {(each.mnemonic, each.operands) for each in framed.instructions}
    for plain in (leaf, loop):
        assert not [each for each in plain.instructions if each.call]
        assert pointer not in {(each.mnemonic, each.operands) for each in plain.instructions}
    breakpoints = {each.mnemonic for each in loop.instructions} & {"brk", "int3"}
    assert not breakpoints  # nothing in a loop is a safe point; runtime.asyncPreempt is entered by a signal
    assert ("runtime.asyncPreempt", *target) in found


def test_an_older_go_knows_no_level_of_arm64(sets_handbook):
    found = listings.listings(sets_handbook, ["main.Add64"])
    assert [(each.platform, each.variant) for each in found] == [
        ("linux/arm64", ""), ("darwin/arm64", ""), ("linux/amd64", "GOAMD64=v1"), ("linux/amd64", "GOAMD64=v3"),
    ]  # fmt: skip
    assert kinds(found[0]) == {Atomicity.LSE, Atomicity.EXCLUSIVE}


@pytest.fixture(scope="module")
def sets_handbook():

    return Facts("handbook").toolchain


def test_a_census_counts_the_whole_text_section(toolchain):
    arm64, amd64 = (listings.census(toolchain, *target) for target in (V80, AMD64))
    assert set(arm64.widths_bytes) == {"4"}
    assert arm64.instruction_count * 4 + arm64.undecoded_bytes == arm64.text_bytes
    assert arm64.counts["brk #0"] > 0
    assert "brk #0x1000" not in arm64.counts
    assert not [name for name in arm64.counts if name.startswith("at ")]
    assert {"ldaxr", "stlxr", "casal"} <= set(arm64.counts)
    assert len(amd64.widths_bytes) > 5
    assert amd64.counts["lock cmpxchg"] > 0


# --- llvm-objdump's word


@pytest.mark.parametrize("target", [V80, V81, ("darwin/arm64", "GOARM64=v8.0"), AMD64], ids=" ".join)
def test_decoding_agrees_with_llvm_objdump(toolchain, target):
    need("llvm-objdump")
    path = Path(listings.sample(toolchain, *target).path)
    found = compare(path, options=FEATURES if "arm64" in target[0] else (), last_bytes=24_000)
    assert found.instructions > 4000
    assert found.bytes_compared == found.text_bytes
    assert (found.differing, found.unknown) == ({}, {})
    assert found.same + found.both_data + found.build_id == found.instructions


def test_llvm_14_does_not_know_the_newer_atomics_by_itself(toolchain):
    need("llvm-objdump")
    found = compare(Path(listings.sample(toolchain, *V81).path), last_bytes=24_000)
    assert {"casal", "ldaddal"} <= set(found.unknown)
    assert found.differing == {}


@pytest.mark.parametrize(
    ("architecture", "llvm", "ours", "same"),
    [
        ("arm64", "orr\tx4, xzr, #0x400", "mov x4, #0x400", True),
        ("arm64", "orr\tx4, x3, #0x400", "mov x4, #0x400", False),
        ("arm64", "adr\tx8, #4", "adr x8, #0x1004", True),
        ("arm64", "adr\tx8, #8", "adr x8, #0x1004", False),
        ("arm64", "ldr\tx0, [sp, #16]", "ldr x0, [sp, #0x10]", True),
        ("arm64", "ldr\tx0, [sp, #16]", "ldr x1, [sp, #0x10]", False),
        ("arm64", "ld1\t{ v2.16b }, [x3]", "ld1 {v2.16b}, [x3]", True),
        ("x86_64", "and\trsp, -16", "and rsp, 0xfffffffffffffff0", True),
        ("x86_64", "cmp\tr9b, -2", "cmp r9b, 0xfe", True),
        ("x86_64", "cmp\tr9d, -2", "cmp r9d, 0xfe", False),
        ("x86_64", "shr\trax", "shr rax, 1", True),
        ("x86_64", "shr\trax", "shr rax, 2", False),
        ("x86_64", "mov\trax, qword ptr [rdx + 8*r8]", "mov rax, qword ptr [rdx + r8*8]", True),
        ("x86_64", "mov\trax, qword ptr [rdx + 4*r8]", "mov rax, qword ptr [rdx + r8*8]", False),
        ("x86_64", "mov\tr14, qword ptr fs:[-8]", "mov r14, qword ptr fs:[0xfffffffffffffff8]", True),
        ("x86_64", "rep stosq\tqword ptr es:[rdi], rax", "rep stosq qword ptr [rdi], rax", True),
        ("x86_64", "mov\teax, dword ptr es:[rdi]", "mov eax, dword ptr [rdi]", False),
        ("x86_64", "fstp\ttbyte ptr [rsp + 32]", "fstp xword ptr [rsp + 0x20]", True),
    ],
)
def test_a_rule_makes_one_spelling_of_two_and_never_of_two_instructions(architecture, llvm, ours, same):
    assert (spelling(llvm, architecture, 0x1000)[0] == spelling(ours, architecture, None)[0]) is same


def test_every_rule_has_its_reason():
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.why for rule in RULES)


# --- shown


def test_functions_stand_side_by_side_with_the_atomic_ones_marked(found):
    shown = side_by_side(tuple(found.values()), language=Language.ENGLISH)
    text, html = repr(shown), shown._repr_html_()
    assert [target.split()[0] for target in shown.targets] == ["linux/arm64", "linux/arm64", "linux/amd64"]
    for each in (text, html):
        assert "◆ casal" in each
        assert "◆ lock cmpxchg" in each
        assert "→ bl      runtime.gcWriteBarrier2" in each
        assert "(half of an exclusive pair)" in each
    assert html.count("<pre") == len(shown.functions) * len(shown.targets)
    chinese = side_by_side(tuple(found.values()), ["main.Add64"], language=Language.CHINESE)
    assert "独占指令对" in repr(chinese)
    assert chinese.functions == ("main.Add64",)


def test_a_function_that_a_target_lacks_says_so_and_names_are_escaped(found):
    one = found["main.Add64", *V80]
    other = replace_function(found["main.Load64", *AMD64], "main.<b>")
    shown = side_by_side((one, other), ["main.Add64", "main.<b>"], language=Language.ENGLISH)
    assert repr(shown).count("not in this program") == 2
    assert "main.&lt;b&gt;" in shown._repr_html_()


def replace_function(listing, name):

    return msgspec.structs.replace(listing, function=name)


def test_a_frame_has_one_row_an_instruction(found):
    frame = listings_frame(tuple(found.values()))
    assert len(frame) == sum(len(each.instructions) for each in found.values())
    swaps = frame[(frame["function"] == "main.CompareAndSwap64") & (frame["atomic"] == "lse")]
    assert set(swaps["mnemonic"]) == {"casal"}
    assert set(swaps["variant"]) == {"GOARM64=v8.0", "GOARM64=v8.1"}
    assert len(listings_frame(())) == 0
