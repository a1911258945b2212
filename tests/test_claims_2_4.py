"""Chapter 2.4: each verdict turns with another compiler, another C library, other published answers, or other times."""

import msgspec
import pytest

from labkit.claims import ClaimFacts, foreign, ledgers, rosetta
from labkit.claims.checks import chapter_2_4_libm as libm
from labkit.claims.checks import chapter_2_4_times as times
from labkit.errors import LabError
from labkit.model.claims import ClaimVerdict
from labkit.model.machine import System
from labkit.model.paired import Clock
from labkit.words import Language, render
from tests.claims_support import result, sentences, turned
from tests.support import need

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict

#: What the kernels and the loop said on a virtual machine of two cores, under qemu.
KERNELS = tuple(
    times.Slowed(what=what, translator="qemu", clock=clock, ratio=ratio, low=low, high=high, native_ns=ns, pairs=12)
    for what, clock, ratio, low, high, ns in (
        (times.FRAME, Clock.CPU, 16.76, 14.80, 18.77, 59727.0),
        (times.FRAME, Clock.WALL, 16.98, 15.03, 19.71, 61567.0),
        (times.TANH, Clock.CPU, 10.41, 9.59, 11.61, 100500.0),
        (times.MESSAGE, Clock.CPU, 8.95, 8.17, 9.93, 16182.0),
    )
)
LOOP = times.Slowed(
    what="tanhf", translator="qemu", clock=Clock.CPU, ratio=17.74, low=12.71, high=20.26, native_ns=10.0, pairs=9
)
BY_X87 = """#include <math.h>
#ifdef __x86_64__
float tanhf(float x) { return (float)tanhl(x); }
#endif
"""
BY_NEON = """
#ifdef __aarch64__
float tanhf(float x) {
  __asm__ volatile("fadd v1.4s, v0.4s, v0.4s" ::: "v1");
  return x;
}
#endif
"""
NO_QEMU = {name: None for names in foreign.TRANSLATORS.values() for name in names}


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts, own_facts={"translated-kernels": KERNELS, "translated-loop": LOOP})


@pytest.fixture
def zig(plain, executable):
    """Return a function that makes a zig whose words a sed expression changes, and that gets a file more to link."""

    def make(expression="", extra=None):
        more = f'case "$*" in *" -c "*|*-shared*|*-dM*) ;; *) set -- "$@" {extra};; esac\n' if extra else ""
        change = f"set -- $(printf '%s\\n' \"$@\" | sed '{expression}')\n"
        return executable("zig", f'{change}{more}exec {foreign.zig(plain)} "$@"')

    return make


def by_rosetta(record, **altered):
    return msgspec.structs.replace(record, translator="rosetta", **altered)


def frames(low, high):
    """Return the kernels' record with Rosetta's times of a frame in place of qemu's."""
    return tuple(
        by_rosetta(each, ratio=(low + high) / 2, low=low, high=high) if each.what == times.FRAME else by_rosetta(each)
        for each in KERNELS
    )


def test_2_4_04_a_table_whose_frames_last_longer(plain, monkeypatch):
    before = result("2.4.04", plain)
    known = ledgers.own()
    quoted = {**known.find("2.4.04").quoted, "frame_us": 4907}
    other = msgspec.structs.replace(
        known,
        statements=tuple(
            msgspec.structs.replace(each, quoted=quoted) if each.id == "2.4.04" else each for each in known.statements
        ),
    )
    monkeypatch.setattr(ledgers, "own", lambda: other)
    after = result("2.4.04", plain)
    assert [before.verdict, after.verdict] == [REFUTED, CONFIRMED]
    assert sentences(before) != sentences(after)


def test_2_4_05_a_library_by_x87(plain, zig, tmp_path):
    need("qemu-aarch64")
    extra = tmp_path / "tanhf.c"
    extra.write_text(BY_X87)
    turned("2.4.05", plain, REFUTED, CONFIRMED, own_tools={"zig": zig(extra=extra)})


def test_2_4_05_long_double_shows_that_x87_is_seen(plain):
    wide = [each for each in plain.get(libm.bodies) if each.architecture == "x86_64" and each.function == "tanhl"]
    assert wide
    assert all(each.x87 for each in wide)


def test_2_4_06_a_compiler_that_gives_an_m2_sve(plain, zig):
    turned("2.4.06", plain, REFUTED, CONFIRMED, own_tools={"zig": zig("s/apple_m2/neoverse_v2/")})


def test_2_4_06_a_compiler_that_gives_nobody_sve(plain, zig):
    blind = ClaimFacts(plain.lab, own_tools={"zig": zig("s/neoverse_v1/generic/")})
    with pytest.raises(LabError, match="neoverse_v1"):
        result("2.4.06", blind)


@pytest.mark.parametrize(("part", "was", "becomes"), [("a", CONFIRMED, REFUTED), ("b", REFUTED, CONFIRMED)])
def test_2_4_08_published_answers_that_differ(plain, tmp_path, part, was, becomes):
    text = rosetta._FILE.read_text("utf-8")
    head, _, translated = text.partition('process = "x86_64"\n')
    other = tmp_path / "rosetta.toml"
    other.write_text(head + 'process = "x86_64"\n' + translated.replace('value = "1"', 'value = "0"', 1), "utf-8")
    turned("2.4.08", plain, was, becomes, part=part, own_tools={"published:rosetta": other})


def test_2_4_08_a_library_of_its_own_kind(plain, zig):
    if plain.lab.toolchain.platform != "linux/amd64":
        pytest.skip("impossible: the library that is refused is another one here")
    alike = zig("s/^aarch64-linux-gnu$/x86_64-linux-gnu/")
    turned("2.4.08", plain, REFUTED, CONFIRMED, part="c", own_tools={"zig": alike})


def on_a_mac(plain, executable, body, **more):
    mac = msgspec.structs.replace(plain.machine, system=System.MACOS, chip="Apple M2")
    tools = {"arch": executable("arch", body), "sysctl": executable("sysctl", "exit 1"), **more}
    return ClaimFacts(plain.lab, own_machine=mac, own_tools=tools)


def test_2_4_08_a_mac_is_asked_itself(plain, executable):
    found = result("2.4.08", on_a_mac(plain, executable, 'case "$2" in */true) exit 0;; esac\necho 1'))
    assert [each.verdict for each in found.parts[:2]] == [CONFIRMED, REFUTED]
    assert [each.confirmed_on_hardware for each in found.parts[:2]] == [None, None]
    assert any(each.source == "arch -x86_64 sysctl -n hw.optional.arm64" for each in found.parts[1].evidence)


def test_2_4_08_a_mac_that_tells_both_apart(plain, executable):
    body = 'case "$1 $2" in *true) exit 0;; -arm64*) echo 1;; *) exit 1;; esac'
    found = result("2.4.08", on_a_mac(plain, executable, body))
    assert [each.verdict for each in found.parts[:2]] == [REFUTED, CONFIRMED]


def test_2_4_08_a_mac_without_rosetta(plain, executable):
    body = 'case "$1 $2" in "-x86_64"*) exit 1;; *true) exit 0;; *) echo 1;; esac'
    found = result("2.4.08", on_a_mac(plain, executable, body))
    assert [each.verdict for each in found.parts[:2]] == [UNTESTED, UNTESTED]


def test_2_4_10_a_compiler_that_takes_no_leave(plain, zig):
    need("qemu-aarch64")
    turned("2.4.10", plain, CONDITIONAL, REFUTED, own_tools={"zig": zig("/veclib/d")})


def test_2_4_10_a_library_by_neon(plain, zig, tmp_path):
    need("qemu-aarch64")
    extra = tmp_path / "tanhf.c"
    extra.write_text(BY_NEON)
    turned("2.4.10", plain, CONDITIONAL, CONFIRMED, own_tools={"zig": zig(extra=extra)})


@pytest.mark.parametrize("id_", ["2.4.05", "2.4.10"])
def test_without_a_translator_the_other_library_is_not_read(plain, id_):
    found = result(id_, ClaimFacts(plain.lab, own_tools=NO_QEMU))
    there = foreign.own_architecture(plain) == {"2.4.05": "x86_64", "2.4.10": "arm64"}[id_]
    assert (found.verdict is UNTESTED) is not there


@pytest.mark.parametrize(
    ("low", "high", "becomes"),
    [(1.76, 1.84, CONFIRMED), (1.20, 1.30, REFUTED), (1.60, 1.86, UNTESTED)],
    ids=["within", "beside", "across"],
)
@pytest.mark.parametrize("id_", ["2.4.01", "2.4.02"])
def test_frames_by_rosetta(plain, id_, low, high, becomes):
    after = turned(id_, plain, UNTESTED, becomes, own_facts={"translated-kernels": frames(low, high)})
    assert after.parts[0].evidence


@pytest.mark.parametrize(
    ("low", "high", "becomes"),
    [(2.2, 2.5, CONFIRMED), (1.1, 1.3, REFUTED), (2.0, 2.5, UNTESTED)],
    ids=["within", "beside", "across"],
)
def test_2_4_07_the_loop_by_rosetta(plain, low, high, becomes):
    other = by_rosetta(LOOP, ratio=(low + high) / 2, low=low, high=high)
    turned("2.4.07", plain, UNTESTED, becomes, own_facts={"translated-loop": other})


@pytest.mark.parametrize(
    ("low", "high", "becomes"),
    [(12.0, 13.0, UNTESTED), (20.0, 21.0, UNTESTED), (1.2, 1.3, REFUTED)],
    ids=["tanh-overlaps", "tanh-still-overlaps", "frames-lose-least"],
)
def test_2_4_09_by_rosetta(plain, low, high, becomes):
    turned("2.4.09", plain, UNTESTED, becomes, own_facts={"translated-kernels": frames(low, high)})


def test_2_4_09_numeric_kernels_lose_most(plain):
    lighter = tuple(
        msgspec.structs.replace(each, ratio=1.2, low=1.1, high=1.3) if each.what == times.MESSAGE else each
        for each in frames(1.76, 1.86)
    )
    turned("2.4.09", plain, UNTESTED, CONFIRMED, own_facts={"translated-kernels": lighter})


@pytest.mark.parametrize("id_", ["2.4.01", "2.4.02", "2.4.07", "2.4.09", "2.4.11"])
def test_where_nothing_translates_the_reason_stays(plain, id_):
    found = result(id_, ClaimFacts(plain.lab, own_facts={"translated-kernels": (), "translated-loop": None}))
    assert found.verdict is UNTESTED
    assert found.parts[0].untested.tried == ()


@pytest.mark.parametrize("id_", ["2.4.03", "2.4.11"])
@pytest.mark.parametrize("language", Language)
def test_what_only_counters_tell_says_so(plain, id_, language):
    found = result(id_, plain)
    assert found.verdict is UNTESTED
    assert found.parts[0].untested.tried
    assert render(found.parts[0].untested.would_test, language)


def test_the_loop_is_really_timed_both_ways(plain):
    need("qemu-aarch64")
    found = times.loop.make(plain)
    assert found.translator == "qemu"
    assert 1 < found.low <= found.ratio <= found.high
    assert times.loop.make(ClaimFacts(plain.lab, own_tools=NO_QEMU)) is None
