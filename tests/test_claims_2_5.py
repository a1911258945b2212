"""Chapter 2.5: each verdict turns with a struct, messages, a tree, a binary, a published text or a worker."""

from pathlib import Path

import msgspec
import pytest

from labkit.binary import instructions
from labkit.claims import ClaimFacts, apple
from labkit.claims.checks.chapter_2_5_facts import LINES, offsets
from labkit.claims.checks.chapter_2_5_sources import _CODEC
from labkit.claims.checks.chapter_2_5_times import KERNELS, measure, padded
from labkit.model.paired import Judgement
from tests.claims_support import result, sentences, turned
from tests.claims_trees import more, small_tree

DMB_ISH = 0xD5033BBF


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture(scope="module")
def times(plain):
    """What is measured, once."""
    return {each.name: plain.get(each) for each in (measure, padded)}


@pytest.fixture
def struct(tmp_path):
    """Return a function that writes payload.go with other fields."""

    def make(tag, data="[]byte", rest=""):
        text = f"package main\n\ntype Payload struct {{\n\tID   uint32\n\tTag  {tag}\n\tData {data}\n{rest}}}\n"
        (tmp_path / "payload.go").write_text(text)
        return {"payload": tmp_path / "payload.go"}

    return make


STRUCTS = [
    ("2.5.01", "refuted", "confirmed", ("[16]byte", "[24]byte")),
    ("2.5.02", "conditional", "confirmed", ("[200]byte",)),
    ("2.5.02", "conditional", "refuted", ("[4]byte",)),
    ("2.5.11", "conditional", "refuted", ("[4]byte",)),
    ("2.5.12", "refuted", "confirmed", ("[16]byte", "[]byte", "\tMore [48]byte\n")),
]


@pytest.mark.parametrize(("id_", "was", "becomes", "fields"), STRUCTS, ids=[f"{i[0]}-{i[2]}" for i in STRUCTS])
def test_another_struct_turns_it(id_, was, becomes, fields, plain, struct):
    turned(id_, plain, was, becomes, own_tools=struct(*fields))


def test_the_offset_that_the_compiler_names(plain):
    assert "at offset 24" in sentences(result("2.5.01", plain))


def test_the_condition_has_a_place_on_each_side(plain):
    (part,) = result("2.5.02", plain).parts
    assert {each.facts["start"] for each in part.condition.holds} == {48}
    assert 0 in {each.facts["start"] for each in part.condition.fails}


def test_a_go_that_knows_the_directive(plain, executable):
    constants = {
        "Sizeof(p)": 48, "Offsetof(p.ID)": 0, "Offsetof(p.Tag)": 4, "Offsetof(p.Data)": 24, "Sizeof(p.Tag)": 16,
        "Sizeof(p.Data)": 24, "Alignof(p.ID)": 4, "Alignof(p.Tag)": 1, "Alignof(p.Data)": 8, "Sizeof(a)": 64,
        "Alignof(a)": 64,
    }  # fmt: skip
    lines = "\n".join(f"echo 'cannot use unsafe.{k} (constant {v} of type uintptr)'" for k, v in constants.items())
    real = plain.go()
    knowing = executable("go", f'[ "$1" = build ] || exec {real} "$@"\n{lines}\nexit 1')
    turned("2.5.07", plain, "refuted", "confirmed", own_gos=dict.fromkeys(plain.go_versions(), knowing))
    newest = plain.go_versions()[-1]
    turned("2.5.07", plain, "refuted", "conditional", own_gos={newest: knowing})


def test_other_messages(plain, tmp_path):
    text = 'package main\n\nimport "reflect"\n\ntype long struct{ A, B [100]byte }\n\n'
    text += "func messages() map[string]reflect.Type {\n"
    text += '\treturn map[string]reflect.Type{"labkit.bench.v1.Small": reflect.TypeOf(long{})}\n}\n'
    (tmp_path / "messages.go").write_text(text)
    assert (LINES / "messages.go").exists()
    turned("2.5.13", plain, "refuted", "confirmed", own_tools={"messages": tmp_path / "messages.go"})


# --- published texts


@pytest.fixture
def published(tmp_path):
    """Return a function that writes the published texts with something replaced."""

    def make(*changes):
        text = apple.FILE.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "apple.toml").write_text(text)
        return {"apple": tmp_path / "apple.toml"}

    return make


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("a", (('implementer = "0x61"', 'implementer = "0x41"'), ('part = "0x022"', 'part = "0xd0b"'))),
        ("b", (("cache_line_bytes = 128", "cache_line_bytes = 64"),)),
    ],
    ids=["cores", "lines"],
)
def test_another_published_text(part, changes, plain, published, times):
    turned("2.5.03", plain, "refuted", "confirmed", part=part, own_tools=published(*changes), own_facts=times)


def test_prefetching_is_untested_with_what_was_measured(plain, times):
    found = result("2.5.03", ClaimFacts(plain.lab, own_facts=times))
    chosen = found.parts[2]
    assert chosen.verdict == "untested"
    assert "ns a load" in chosen.untested.tried[0]


def test_prefetching_is_judged_on_a_mac(plain, times):
    mac = msgspec.structs.replace(plain.machine, chip="Apple M1", cache_line_bytes=128)
    real = times[measure.name]
    for copy_bytes_per_ns, verdict in ((10.0, "refuted"), (0.1, "confirmed")):
        own = times | {measure.name: msgspec.structs.replace(real, copy_bytes_per_ns=copy_bytes_per_ns)}
        found = result("2.5.03", ClaimFacts(plain.lab, own_facts=own, own_machine=mac))
        assert [each.verdict for each in found.parts] == ["refuted", "refuted", verdict]


def test_a_slower_chase_leaves_room_for_a_small_tlb(plain, published, times):
    tools = published(("load_ns = 0.94", "load_ns = 2.0"))
    turned("2.5.05", plain, "refuted", "untested", own_tools=tools, own_facts=times)


# --- trees, binaries, workers


def test_a_tree_with_the_call_on_macos(plain, tmp_path):
    name = "src/syscall/zsysnum_darwin_arm64.go"
    gos = small_tree(tmp_path / "go", plain, {name: more("\tSYS_PERF_EVENT_OPEN = 999")})
    after = turned("2.5.04", plain, "refuted", "untested", own_gos=gos, own_facts=_offsets(plain))
    assert after.parts[0].untested.tried


def test_the_same_tree_without_it_turns_nothing(plain, tmp_path):
    gos = small_tree(tmp_path / "go", plain, {"src/syscall/zsysnum_darwin_arm64.go": lambda text: text})
    assert result("2.5.04", ClaimFacts(plain.lab, own_gos=gos, own_facts=_offsets(plain))).verdict == "refuted"


def _offsets(plain):
    return {offsets.name: plain.get(offsets)}


def test_a_codec_full_of_barriers(plain, tmp_path, times):
    path = Path(plain.lab.server_for("darwin/arm64").path)
    code, data = instructions.read(path), bytearray(path.read_bytes())
    text = data.find(code.text)
    for function in code.functions:
        if _CODEC.match(function.name):
            at = text + function.address - code.address
            for word in range(at, at + function.size_bytes // 40 * 4, 4):
                data[word : word + 4] = DMB_ISH.to_bytes(4, "little")
    (tmp_path / "server").write_bytes(data)
    tools = {"server:darwin/arm64": tmp_path / "server"}
    turned("2.5.14", plain, "refuted", "confirmed", own_tools=tools, own_facts=times)


def test_a_worker_that_takes_one_setting_for_the_other(plain, executable):
    if plain.machine.system != "linux":
        pytest.skip("impossible here: only Linux has both ways of giving memory back")
    swapped = 'case "$GODEBUG" in *=1) set_to=0;; *) set_to=1;; esac\n'
    worker = executable("worker", f'{swapped}GODEBUG=madvdontneed=$set_to exec "{plain.lab.worker.path}" "$@"')
    turned("2.5.09", plain, "refuted", "conditional", own_tools={"worker": worker})


# --- measured values: the real record, with one comparison altered


def _altered(record, **kernels):
    changed = tuple(
        msgspec.structs.replace(each, **kernels.get(each.kernel.split("-")[1], {})) for each in record.kernels
    )
    return {padded.name: msgspec.structs.replace(record, kernels=changed)}


CALLS = [
    ("confirmed", {"low": 0.64, "high": 0.69, "ratio": 0.66}),
    ("refuted", {"low": 0.45, "high": 0.5, "ratio": 0.47}),
    ("untested", {"low": 0.5, "high": 1.2, "ratio": 0.8}),
    ("untested", {"low": None, "high": None, "ratio": None}),
]


@pytest.mark.parametrize(("becomes", "bounds"), CALLS, ids=["as stated", "more", "wide", "none"])
def test_another_interval_of_calls(becomes, bounds, plain, times):
    real = times[padded.name]
    apart = {"low": 0.95, "high": 1.05, "ratio": 1.0}
    base = times | _altered(real, echo=apart)
    assert result("2.5.06", ClaimFacts(plain.lab, own_facts=base)).verdict == "refuted"
    own = times | _altered(real, echo=bounds)
    assert result("2.5.06", ClaimFacts(plain.lab, own_facts=own)).verdict == becomes


@pytest.mark.parametrize(
    ("marshal", "unmarshal", "verdict"),
    [
        ((Judgement.NO_DIFFERENCE_SHOWN, 0.98), (Judgement.SLOWER, 1.05), "refuted"),
        ((Judgement.TOO_NOISY, 0.95), (Judgement.SAME, 0.99), "refuted"),
        ((Judgement.FASTER, 0.7), (Judgement.SAME, 0.99), "confirmed"),
        ((Judgement.FASTER, 0.7), (Judgement.SLOWER, 1.05), "refuted"),
        ((Judgement.TOO_NOISY, 0.7), (Judgement.SAME, 0.99), "untested"),
        ((Judgement.TOO_NOISY, None), (Judgement.SAME, 0.99), "untested"),
    ],
    ids=["slower", "bounded", "faster", "both", "noisy", "few"],
)
def test_another_result_of_padding(marshal, unmarshal, verdict, plain, times):
    own = times | _altered(
        times[padded.name],
        marshal=dict(zip(("judgement", "low"), marshal, strict=True)),
        unmarshal=dict(zip(("judgement", "low"), unmarshal, strict=True)),
    )
    assert result("2.5.08", ClaimFacts(plain.lab, own_facts=own)).verdict == verdict


def test_padded_messages_begin_at_a_line(times):
    record = times[padded.name]
    assert set(record.padded.starts) == {"0"}
    assert len(record.plain.starts) > 1
    assert [each.kernel for each in record.kernels if each.clock == "cpu"] == list(KERNELS)


def test_rates_are_untested_for_each_part_with_what_was_seen(plain):
    found = result("2.5.10", plain)
    assert [each.verdict for each in found.parts] == ["untested"] * 4
    assert all("more pages, not fewer" in each.untested.tried[0] for each in found.parts)
