"""Each check of chapter 2.1 turned by another Go tree, an altered binary or another listing."""

import shutil
from pathlib import Path

import pytest

from labkit.binary import instructions
from labkit.claims import ClaimFacts
from labkit.claims.checks.chapter_2_1_facts import AMD, APPLE, ARM, ARM_LATER, decoded, trees
from labkit.claims.checks.chapter_2_1_printed import Printed
from labkit.gobuild import listings
from tests.claims_support import result, sentences, turned
from tests.claims_trees import more, small_tree
from tests.support import need

NOP = 0xD503201F


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture
def tree(plain, tmp_path):
    return lambda altered: small_tree(tmp_path / "go", plain, altered)


def kept(plain, *targets, but=()):
    """Return the values of facts that a change does not touch, so that they are not gathered anew."""
    probes = [decoded(each) for each in (ARM, ARM_LATER, APPLE, AMD) if each not in but]
    probes += [each for each in (trees,) if "trees" in targets]
    return {each.name: plain.get(each) for each in probes}


@pytest.fixture
def altered(plain, tmp_path):
    """Return a function that changes words of a sample's function and returns the file."""

    def make(target, change, function=None):
        path = Path(listings.sample(plain.lab.toolchain, *target).path)
        code, data = instructions.read(path), bytearray(path.read_bytes())
        text = data.find(code.text)
        start, size = 0, len(code.text)
        if function is not None:
            found = code.named(function)
            start, size = found.address - code.address, found.size_bytes
        for at in range(text + start, text + start + size, 4):
            word = int.from_bytes(data[at : at + 4], "little")
            data[at : at + 4] = change(word).to_bytes(4, "little")
        made = tmp_path / f"altered-{'-'.join(target).replace('/', '-')}"
        made.write_bytes(data)
        return made

    return make


def sample(target):
    return f"sample:{target[0]}:{target[1]}"


def once(wanted, instead):
    """Return a change of the first word that is the wanted one."""
    left = [True]

    def change(word):
        if left[0] and wanted(word):
            left[0] = False
            return instead
        return word

    return change


# --- altered binaries


def test_the_length_of_instructions(plain):
    other = Path(listings.sample(plain.lab.toolchain, *AMD).path)
    after = turned(
        "2.1.01", plain, "confirmed", "refuted", own_tools={sample(ARM): other}, own_facts=kept(plain, but=(ARM,))
    )
    assert "1, 2, 3, 4" in sentences(after)


def test_the_swap_of_arm64(plain, altered):
    def exclusive(word):  # LDAXR and STLXR of words and double words
        return word & 0xBFE0FC00 in {0x8840FC00, 0x8800FC00}

    tools = {
        sample(each): altered(each, lambda word: NOP if exclusive(word) else word, "main.CompareAndSwap64")
        for each in (ARM, APPLE)
    }
    turned("2.1.02", plain, "conditional", "refuted", own_tools=tools, own_facts=kept(plain, but=(ARM, APPLE)))


def test_the_condition_of_the_swap_has_a_case_on_each_side(plain):
    (part,) = result("2.1.02", plain).parts
    assert {each.facts["level"] for each in part.condition.holds} == {"GOARM64=v8.0"}
    assert {each.facts["level"] for each in part.condition.fails} == {"GOARM64=v8.0", "GOARM64=v8.1"}
    assert "stlxr" in part.condition.holds[0].witness


def test_the_barrier(plain, altered):
    file = altered(ARM, once(lambda word: word == 0xD5033EBF, 0xD5033BBF))  # DMB ST, DMB ISH
    turned("2.1.09", plain, "refuted", "conditional", own_tools={sample(ARM): file}, own_facts=kept(plain, but=(ARM,)))


def test_the_swap_of_amd64(plain, tmp_path):
    path = Path(listings.sample(plain.lab.toolchain, *AMD).path)
    code, data = instructions.read(path), bytearray(path.read_bytes())
    found = code.named("main.CompareAndSwap64")
    at = data.find(code.text) + found.address - code.address
    data[data.index(0xF0, at)] = 0x90
    file = tmp_path / "unlocked"
    file.write_bytes(data)
    turned("2.1.10", plain, "confirmed", "refuted", own_tools={sample(AMD): file}, own_facts=kept(plain, but=(AMD,)))


def test_the_write_barrier(plain, altered):
    str_x1_x0 = once(lambda word: word & 0xFFC003FF == 0xF9000001, 0xC89FFC01)  # STR X1, [X0, ...]; STLR X1, [X0]
    file = altered(ARM, str_x1_x0, "gcWriteBarrier")
    facts = kept(plain, "trees", but=(ARM,))
    turned("2.1.11", plain, "refuted", "confirmed", own_tools={sample(ARM): file}, own_facts=facts)


def test_conversions(plain, altered):
    file = altered(ARM, once(lambda _word: True, 0xD2800020), "main.WidenSigned")  # MOVZ X0, #1
    turned("2.1.13", plain, "refuted", "confirmed", own_tools={sample(ARM): file}, own_facts=kept(plain, but=(ARM,)))


def test_halves_of_registers(plain, altered):
    file = altered(ARM, lambda _word: NOP)
    turned("2.1.14", plain, "refuted", "confirmed", own_tools={sample(ARM): file}, own_facts=kept(plain, but=(ARM,)))


# --- other Go trees


TREES = [
    ("2.1.05", "refuted", "confirmed", {"src/runtime/internal/atomic/cas_arm64.s": more("// Cas")}),
    ("2.1.06", "refuted", "confirmed", {"src/runtime/asm_arm64.s": more("\tBRK\t$0x1000")}),
    ("2.1.07", "refuted", "confirmed", {"src/runtime/asm_arm64.s": more("\tAT S1E1R, R0")}),
    ("2.1.15", "conditional", "refuted", {"src/runtime/memclr_arm64.s": lambda old: old.replace("PCALIGN", "")}),
    ("2.1.16", "refuted", "confirmed", {"src/runtime/mwbbuf.go": more("// s.allocBits")}),
    (
        "2.1.08", "conditional", "confirmed",
        {
            name: lambda old: old.replace('GOARCH == "amd64" || GOARCH == "arm64"', 'GOARCH == "arm64"')
            for name in ("src/runtime/runtime2.go", "src/internal/buildcfg/exp.go")
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("id_", "was", "becomes", "files"), TREES, ids=[each[0] for each in TREES])
def test_another_tree_turns_it(id_, was, becomes, files, plain, tree):
    turned(id_, plain, was, becomes, own_gos=tree(files), own_facts=kept(plain))


@pytest.mark.parametrize("id_", [each[0] for each in TREES])
def test_a_small_tree_as_it_is_turns_nothing(id_, plain, tree):
    own = ClaimFacts(plain.lab, own_gos=tree({}), own_facts=kept(plain))
    assert result(id_, own).verdict == result(id_, plain).verdict


def test_only_one_go_with_the_file(plain, tree):
    gos = tree({"src/runtime/internal/atomic/cas_arm64.s": more("")})
    other = Path(str(gos[plain.go_versions()[0]]).replace("/go/bin", "/other/bin"))
    shutil.copytree(gos[plain.go_versions()[0]].parent.parent, other.parent.parent)
    (other.parent.parent / "src/runtime/internal/atomic/cas_arm64.s").unlink()
    gos = dict.fromkeys(gos, other) | {"1.21.13": gos["1.21.13"]}
    after = turned("2.1.05", plain, "refuted", "conditional", own_gos=gos)
    assert "Only Go 1.21.13 has" in sentences(after)


# --- other listings

#: A compare-and-swap, when R1 is the old value and R5 the new one, that tries again.
RIGHT = "MOVD R1, R3\nretry:\nLDAXR R2, [R0]\nCMP R2, R3\nBNE fail\nSTLXR W4, R5, [R0]\nCBNZ W4, retry\n"
#: The printed one, with the status turned about.
ABOUT = "MOVD R1, R3\nLDAXR R2, [R0]\nCMP R2, R3\nBNE fail\nSTLXR W4, R1, [R0]\nEOR $1, R4\nCBNZ W4, fail\n"
GO_SYNTAX = "MOVD R1, R3\nLDAXR (R0), R2\nCMP R3, R2\nBNE fail\nSTLXR R1, (R0), R4\nCBNZW R4, fail\n"


@pytest.mark.parametrize(
    ("id_", "part", "was", "becomes", "name", "text"),
    [
        ("2.1.03", "a", "refuted", "confirmed", "listing", GO_SYNTAX),
        ("2.1.03", "b", "refuted", "confirmed", "routine", RIGHT),
        ("2.1.04", "a", "confirmed", "refuted", "routine", ABOUT),
        ("2.1.12", "a", "refuted", "confirmed", "routine", RIGHT),
    ],
    ids=["assembles", "right", "status", "again"],
)
def test_another_listing_turns_it(id_, part, was, becomes, name, text, plain, tmp_path):
    if not plain.lab.toolchain.platform.endswith("/arm64"):
        need("qemu-aarch64")
    file = tmp_path / "listing"
    file.write_text(text)
    turned(id_, plain, was, becomes, part=part, own_tools={name: file})


@pytest.mark.parametrize(("id_", "part"), [("2.1.03", "b"), ("2.1.04", "a"), ("2.1.12", "a")])
def test_where_nothing_can_be_run_it_is_untested_and_says_why(id_, part, plain):
    none = Printed(run=None, why="there is neither an arm64 processor nor qemu-aarch64")
    after = result(id_, ClaimFacts(plain.lab, own_facts={"printed-cas": none}))
    (chosen,) = (each for each in after.parts if each.part == part)
    assert chosen.verdict == "untested"
    assert chosen.untested.tried == (none.why,)


def test_what_ran_under_a_translator_is_not_confirmed_on_hardware(plain):
    native = plain.machine.architecture == "arm64"
    assert result("2.1.04", plain).parts[0].confirmed_on_hardware is (None if native else False)
