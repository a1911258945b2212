"""Chapter 4.2: each verdict turns when something real is changed: Go, the programs that it makes, a tool on PATH."""

import sys
import textwrap

import msgspec
import pytest

from labkit.claims import ClaimFacts, own
from labkit.claims.builds import APPLE, SERVER, built
from labkit.claims.checks.chapter_4_2_apple import SYSTEMS
from labkit.claims.static_line import either_way, native
from labkit.model.claims import ClaimVerdict
from tests.claims_support import result, sentences, turned
from tests.support import impossible, need

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict
#: Every package is in the cache already: a Go that leaves ``-a`` out makes the same program sooner.
QUICK = 'again=; for each; do shift; if [ "$each" = -a ]; then again=1; else set -- "$@" "$each"; fi; done'


def instead(ldflags):
    """Return lines of shell that give the linker other words."""
    return (
        f'for each; do shift; case "$each" in -ldflags=*) each="-ldflags={ldflags}";; esac; set -- "$@" "$each"; done'
    )


@pytest.fixture(scope="module", autouse=True)
def _on_linux():
    if sys.platform != "linux":
        impossible("these verdicts are of programs that are started on Linux")
    need("cc")


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture(scope="module")
def newest(plain):
    return plain.go_versions()[-1]


@pytest.fixture
def gos(plain, newest, executable):
    """Return a function that makes Gos of which the first thing is lines of shell, then the real one."""

    def make(*lines, versions=(), after=""):
        body = "\n".join((QUICK, *lines))
        return {
            version: executable(f"go-{version}", f'{body}\n{plain.go(version)} "$@" || exit\n{after}')
            for version in versions or (newest,)
        }

    return make


@pytest.fixture
def altering(gos, tmp_path):
    """Return a function that makes Gos whose programs for Apple have their bytes changed by lines of Python."""

    def make(text, *, when='"$GOOS"', versions=()):
        script = tmp_path / "alter.py"
        head = "import pathlib, struct, sys\nfile = pathlib.Path(sys.argv[1])\ndata = bytearray(file.read_bytes())\n"
        script.write_text(head + textwrap.dedent(text) + "file.write_bytes(data)\n")
        find = 'out=; last=; for each; do [ "$last" = -o ] && out=$each; last=$each; done'
        after = f'{find}\nif [ {when} = darwin ] && [ -n "$out" ]; then {sys.executable} {script} "$out"; fi'
        return gos(versions=versions, after=after)

    return make


DYNAMIC = f"export CGO_ENABLED=1; {instead('-linkmode=external')}"
ON_LINUX = 'if [ "$1 $GOOS $CGO_ENABLED" = "build linux 0" ]'


def test_4_2_01_a_go_that_links_by_the_c_compiler(plain, gos):
    turned("4.2.01", plain, CONDITIONAL, REFUTED, own_gos=gos(f"{ON_LINUX}; then {DYNAMIC}; fi"))


def test_4_2_02_a_go_that_minds_what_was_compiled_before(plain, gos):
    minding = gos(f'{ON_LINUX} && [ -z "$again" ]; then {DYNAMIC}; fi')
    after = turned("4.2.02", plain, REFUTED, CONFIRMED, own_gos=minding)
    assert "libc" in sentences(after)


def test_4_2_03_a_go_that_minds_the_word(plain, gos):
    minding = gos(f'case "$CGO_ENABLED $GOOS $*" in "0 darwin "*extldflags*) {instead("-buildid= -s")};; esac')
    after = turned("4.2.03", plain, CONFIRMED, REFUTED, own_gos=minding)
    assert sentences(after).count("/") == 1, "two platforms are as they were"
    assert APPLE in sentences(after)


@pytest.mark.parametrize(("id_", "name"), [("4.2.04", "file"), ("4.2.05", "ldd")])
def test_4_2_a_tool_that_says_it_otherwise(plain, gos, executable, id_, name):
    said = own().find(id_).quoted["says"]
    other = executable(name, f"{need(name)} \"$@\" 2>&1 | sed 's/{said}/something else/'")
    after = turned(id_, plain, CONDITIONAL, REFUTED, own_gos=gos(), own_tools={name: other})
    assert "something else" in sentences(after)


def test_4_2_04_a_tool_that_says_it_of_all(plain, gos, executable):
    all_of_them = executable("file", f"{need('file')} \"$@\" | sed 's/$/, statically linked/'")
    turned("4.2.04", plain, CONDITIONAL, CONFIRMED, own_gos=gos(), own_tools={"file": all_of_them})


@pytest.mark.parametrize(("id_", "name"), [("4.2.04", "file"), ("4.2.05", "ldd")])
def test_4_2_without_the_tool_there_is_no_verdict(plain, id_, name):
    (part,) = result(id_, ClaimFacts(plain.lab, own_tools={name: None})).parts
    assert part.verdict is UNTESTED
    assert name in str(part.untested.reason.values)


def test_4_2_06_and_08_programs_without_those_load_commands(plain, altering):
    without = altering(
        """
        at = 32
        for _ in range(struct.unpack_from("<I", data, 16)[0]):
            command, length = struct.unpack_from("<2I", data, at)
            if command in (0xC, 0xE):  # LC_LOAD_DYLIB, LC_LOAD_DYLINKER
                struct.pack_into("<I", data, at, 0x70)
            at += length
        """
    )
    changed = ClaimFacts(plain.lab, own_gos=without)
    for id_ in ("4.2.06", "4.2.08"):
        (before,), (after,) = result(id_, plain).parts, result(id_, changed).parts
        assert (before.verdict, after.verdict) == (REFUTED, CONFIRMED)
        assert before.confirmed_on_hardware is after.confirmed_on_hardware is False


def test_4_2_07_programs_with_cgo_that_are_larger_by_their_runtime(plain):
    larger = {}
    for program in (SERVER, "names"):
        for platform in (native(plain), APPLE):
            on, off = (built(either_way(program, platform, cgo=cgo)) for cgo in (True, False))
            real, other = plain.get(on), plain.get(off)
            size = other.program.size_bytes * 10 // 8
            runtime = other.runtime_bytes + size - other.program.size_bytes
            program_ = msgspec.structs.replace(real.program, size_bytes=size)
            larger[on.name] = msgspec.structs.replace(real, program=program_, runtime_bytes=runtime)
    turned("4.2.07", plain, REFUTED, CONFIRMED, own_facts=larger)
    elsewhere = {name: msgspec.structs.replace(each, runtime_bytes=0) for name, each in larger.items()}
    turned("4.2.07", plain, REFUTED, REFUTED, own_facts=elsewhere)


def test_4_2_09_programs_that_are_damaged(plain, altering):
    versions = (plain.go_versions()[0], plain.go_versions()[-1])
    damaged = altering("data[20000] ^= 1\n", versions=versions)
    after = turned("4.2.09", plain, CONDITIONAL, REFUTED, own_gos=damaged)
    assert "macho-pages-stale" in sentences(after)
    condition = result("4.2.09", plain).parts[0].condition
    assert len(condition.holds) + len(condition.fails) == 2 * sum(map(len, SYSTEMS.values()))


def test_4_2_10_programs_with_cgo_that_load_a_library_from_elsewhere(plain, altering):
    elsewhere = altering(
        """
        system, other = b"/usr/lib/libSystem.B.dylib", b"/opt/lib/libpthread.dylib"
        data = data.replace(system, other.ljust(len(system), bytes(1)))
        """,
        when='"$CGO_ENABLED$GOOS" = 1darwin ] && [ "$GOOS"',
    )
    after = turned("4.2.10", plain, REFUTED, CONFIRMED, own_gos=elsewhere)
    assert "/opt/lib/libpthread.dylib" in sentences(after)


def test_4_2_11_a_go_that_minds_no_setting(plain, gos):
    after = turned("4.2.11", plain, CONFIRMED, REFUTED, own_gos=gos("export CGO_ENABLED=1"))
    assert "os/user" in sentences(after)
