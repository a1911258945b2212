"""A program from C++ sources: refused archives, builds that are killed and go on, and what the machine may lack."""

import io
import json
import os
import signal
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from labkit.binary import inspect
from labkit.errors import GenerateError, NetworkError, ProvisionError
from labkit.model.machine import System
from labkit.model.source import SourceBuild
from labkit.system import proc
from labkit.system.store import Store, home
from labkit.toolchain.source import build as building
from labkit.toolchain.source import fetch, from_source, ninja, offline, pins, result, signing, tools
from tests.from_source_support import FILES, LABEL, STEPS, archive, build, pin_of, wish_of
from tests.support import need


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch):
    """A LABKIT_HOME of the test's own, whose name holds spaces."""
    folder = tmp_path / "a lab of mine"
    monkeypatch.setenv("LABKIT_HOME", str(folder))
    return folder


@pytest.fixture
def tiny(tmp_path):
    for program in ("c++", "cmake", "ninja"):
        need(program)
    return archive(tmp_path / "tiny.crate")


@pytest.fixture
def watched(tmp_path, executable):
    """A compiler that notes every source it compiles, and stops at slow.cc, its object half written, while told to."""
    os.mkfifo(tmp_path / "never")
    real = need("c++")
    body = f"""
case "$*" in
  *" -c "*) for last; do :; done; echo "${{last##*/}}" >> "{tmp_path}/compiled" ;;
esac
case "$*" in
  *" -c "*/slow.cc) if [ -e "{tmp_path}/hold" ]; then
    echo half > CMakeFiles/tiny.dir/slow.cc.o
    echo $$ > "{tmp_path}/part"; mv "{tmp_path}/part" "{tmp_path}/reached"
    read -r _ <> "{tmp_path}/never"
  fi ;;
esac
exec {real} "$@"
"""
    return executable("c++", body)


def compiled(tmp_path: Path) -> list[str]:
    return [name for name in (tmp_path / "compiled").read_text().split() if name in FILES]


def entries() -> list[str]:
    return sorted(path.name for path in (home() / "store").glob("[!.]*-*"))


def test_a_program_is_built_once_and_kept_whole(tiny):
    said: list[str] = []
    built = build(pin_of(tiny), tiny, said)
    assert not built.already_there
    answer = proc.run([built.tree / "bin/tiny"], env={}, timeout_s=10).stdout
    assert answer.startswith("tiny 2.3 in ./")  # the work folder, and with it the user's home, is not in the program
    assert (built.tree / "include/google/protobuf/any.proto").is_file()
    facts = built.facts
    assert (facts.steps, facts.steps_before, facts.attempts) == (STEPS, 0, 1)
    assert [tool.name for tool in facts.tools] == ["c++", "cmake", "ninja"]
    assert facts.largest_process_bytes
    assert not list((home() / "work").iterdir())
    assert any("configuring" in line for line in said)
    said.clear()
    again = build(pin_of(tiny), tiny, said)
    assert again.already_there
    assert (again.folder, again.facts, said) == (built.folder, facts, [])


def test_a_killed_build_leaves_nothing_broken_and_goes_on(tiny, tmp_path, watched):
    (tmp_path / "hold").touch()
    script = [sys.executable, "-m", "tests.from_source_support", str(tiny), str(watched)]
    environ = dict(os.environ) | {"PYTHONPATH": str(Path.cwd())}
    with proc.start(script, env=environ) as child:
        proc.wait_until((tmp_path / "reached").exists, timeout_s=60, what="the compiler's stop")
        work = next((home() / "work").iterdir())
        os.kill(child.pid, signal.SIGKILL)
        proc.wait_until(lambda: not child.alive(), timeout_s=30, what="the build's end")
    assert entries() == []
    slow = work / "build/CMakeFiles/tiny.dir/slow.cc.o"
    assert slow.read_text() == "half\n"
    assert slow.stat().st_mtime_ns > (work / "source/tiny/slow.cc").stat().st_mtime_ns  # make would take it for done
    assert sorted(compiled(tmp_path)) == ["one.cc", "slow.cc", "two.cc"]
    (tmp_path / "hold").unlink()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "waiting for compilers" in line:  # the compiler at slow.cc has outlived ninja, in a group of its own
            os.kill(int((tmp_path / "reached").read_text()), signal.SIGKILL)

    built = building.obtain(wish_of(pin_of(tiny), tiny, CXX=str(watched)), say)
    assert any("waiting for compilers" in line for line in said)
    assert sorted(compiled(tmp_path)) == ["main.cc", "one.cc", "slow.cc", "slow.cc", "two.cc"]
    assert (built.facts.steps, built.facts.steps_before, built.facts.attempts) == (STEPS, 3, 2)
    assert built.facts.configure_time_s is None
    assert any("interrupted (call 2)" in line for line in said)
    assert any(f"3 of {STEPS} steps were done before" in line for line in said)
    assert not any("configuring" in line or "fetching" in line for line in said)
    assert proc.run([built.tree / "bin/tiny"], env={}, timeout_s=10).stdout.startswith("tiny 2.3")


def test_a_build_killed_while_it_was_configured_begins_that_anew(tiny, lab):
    pin = pin_of(tiny)
    compiler = tools.compiler(System.LINUX, os.environ)
    recipe = building._recipe(wish_of(pin, tiny), compiler)
    work = lab / "work" / f"tiny-2.3-source-{building.digest(recipe)}"
    (work / "build").mkdir(parents=True)
    (work / "build/CMakeCache.txt").write_text("half")
    (work / ".unpacking-x").mkdir()
    (work / "state.json").write_text('{"attempts":1}')
    assert build(pin, tiny).facts.attempts == 2


def damaged(tiny: Path) -> None:
    content = bytearray(tiny.read_bytes())
    content[len(content) // 2] ^= 1
    tiny.write_bytes(content)


def test_a_tampered_archive_is_refused_and_nothing_is_unpacked(tiny):
    pin = pin_of(tiny)
    damaged(tiny)
    with pytest.raises(ProvisionError, match="does not have the pinned hash"):
        build(pin, tiny)
    assert entries() == []
    assert not list((home() / "work").glob("*/source"))


def test_an_archive_that_is_cut_off_is_refused_even_with_its_hash_pinned(tiny):
    tiny.write_bytes(tiny.read_bytes()[:-60])
    with pytest.raises(ProvisionError, match="cannot be read"):
        build(pin_of(tiny), tiny)
    assert not list((home() / "work").glob("*/source"))


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        pytest.param(member(f"{LABEL}/../../evil"), "leads outside", id="dots"),
        pytest.param(member("/tmp/evil"), "leads outside", id="absolute"),
        pytest.param(member("elsewhere/evil"), "not everything in it lies below", id="another-top-folder"),
        pytest.param(member(f"{LABEL}/tiny\\..\\evil"), "leads outside", id="backslash"),
        pytest.param(member(f"{LABEL}/link", tarfile.SYMTYPE, "/etc"), "neither a file nor", id="symbolic-link"),
        pytest.param(member(f"{LABEL}/hard", tarfile.LNKTYPE, "../x"), "neither a file nor", id="hard-link"),
        pytest.param(member(f"{LABEL}/fifo", tarfile.FIFOTYPE), "neither a file nor", id="fifo"),
        pytest.param(member(f"{LABEL}/null", tarfile.CHRTYPE), "neither a file nor", id="device"),
    ],
)
def test_an_archive_that_would_write_outside_its_folder_is_refused_whole(tmp_path, bad, why):
    file = archive(tmp_path / "tiny.crate")
    with tarfile.open(file) as old:
        whole = [(each, old.extractfile(each).read()) for each in old]  # type: ignore[union-attr]
    with tarfile.open(file, "w:gz") as tar:
        for each, content in whole:
            tar.addfile(each, io.BytesIO(content))
        tar.addfile(bad, io.BytesIO())
    with pytest.raises(ProvisionError, match=why):
        fetch.unpack(file, pin_of(file), tmp_path / "out/tree")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.rglob("evil"))


def test_an_archive_is_unpacked_whole_and_programs_stay_programs(tmp_path):
    file = tmp_path / "tiny.crate"
    with tarfile.open(file, "w:gz") as tar:
        script = member(f"{LABEL}/tiny/run.sh")
        script.mode = 0o6755
        tar.addfile(script, io.BytesIO())
        tar.addfile(member(f"{LABEL}/tiny/CMakeLists.txt"), io.BytesIO())
    folder = fetch.unpack(file, pin_of(file), tmp_path / "tree")
    assert os.access(folder / "run.sh", os.X_OK)
    assert (folder / "run.sh").stat().st_mode & 0o7000 == 0  # neither setuid nor setgid
    assert fetch.listing(file) == (f"{LABEL}/tiny/run.sh", f"{LABEL}/tiny/CMakeLists.txt")


def test_an_archive_without_its_sources_is_refused(tmp_path):
    file = archive(tmp_path / "tiny.crate", {"README": ""})
    with pytest.raises(ProvisionError, match=r"holds no .*CMakeLists.txt"):
        fetch.unpack(file, pin_of(file), tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("CMakeLists.txt", 'project(tiny CXX)\nmessage(FATAL_ERROR "no such feature here")\n', "no such feature here"),
        ("one.cc", "int one() { return nonsense; }\n", r"one\.cc:1:\d+: error: .*nonsense"),
        ("main.cc", "int gone(); int main() { return gone(); }\n", "gone"),
    ],
    ids=["configure", "compile", "link"],
)
def test_what_fails_is_said_in_its_own_words(tiny, tmp_path, name, text, words):
    file = archive(tiny, dict(FILES) | {name: text})
    with pytest.raises(ProvisionError, match=words) as raised:
        build(pin_of(file), file)
    assert "\n" not in raised.value.what
    assert entries() == []


def test_a_program_of_another_version_is_not_kept(tiny):
    with pytest.raises(ProvisionError, match=r"answers 'tiny 2\.3 .*not version 9\.9"):
        build(pin_of(tiny, version="9.9"), tiny)
    assert entries() == []


@pytest.mark.parametrize(
    ("system", "remedy"),
    [(System.MACOS, "xcode-select --install"), (System.LINUX, "apt-get install g++")],
    ids=["macos", "linux"],
)
def test_without_a_compiler_the_remedy_is_the_platforms(tmp_path, executable, system, remedy):
    with pytest.raises(ProvisionError, match="no C\\+\\+ compiler") as raised:
        tools.compiler(system, {"PATH": str(tmp_path)})
    assert remedy in raised.value.remedy
    stub = executable("c++", "echo 'xcode-select: note: no developer tools were found' >&2; exit 1")
    with pytest.raises(ProvisionError, match="does not answer"):
        tools.compiler(system, {"PATH": str(stub.parent)})
    executable("g++", "echo 'g++ 12'")
    assert tools.compiler(system, {"PATH": str(stub.parent)}).version == "g++ 12"


@pytest.mark.parametrize(
    ("own", "why"),
    [(None, "is not on PATH"), ("3.10.2", r"is older than 3\.16"), ("no number", r"is older than 3\.16")],
    ids=["absent", "old", "silent"],
)
@pytest.mark.parametrize(
    ("system", "remedy"), [(System.MACOS, "brew install cmake"), (System.LINUX, "apt-get install cmake")]
)
def test_without_cmake_and_its_wheel_the_remedy_is_the_platforms(
    tmp_path, executable, this_machine, own, why, system, remedy
):
    if own is not None:
        executable("cmake", f"echo cmake version {own}")
    here = msgspec.structs.replace(this_machine, system=system)
    search = {"PATH": str(tmp_path / "bin")}
    with pytest.raises(ProvisionError, match=why) as raised:
        tools.obtain("cmake", None, machine=here, platform="plan9/arm64", environ=search, say=print)
    assert remedy in raised.value.remedy
    pinned = pins.shipped().tools["cmake"]
    with pytest.raises(ProvisionError, match="no wheel for plan9/arm64"):
        tools.obtain("cmake", pinned, machine=here, platform="plan9/arm64", environ=search, say=print)
    executable("cmake", "echo cmake version 3.25.1")
    assert tools.obtain("cmake", None, machine=here, platform="", environ=search, say=print).version == "3.25.1"


@pytest.mark.parametrize(
    ("asked", "cores", "gib", "jobs"),
    [(None, 8, 16, 8), (4, 8, 16, 4), (16, 8, 4, 4), (None, 8, 0.5, 1), (None, None, None, 1)],
    ids=["one-a-core", "as-asked", "memory", "little-memory", "unknown"],
)
def test_compilers_at_once_are_bound_by_memory(this_machine, asked, cores, gib, jobs):
    memory = int(gib * (1 << 30)) if gib else None
    here = msgspec.structs.replace(this_machine, logical_core_count=cores, memory_bytes=memory)
    assert tools.jobs(asked, here) == jobs


def test_cargo_absent_failing_and_at_work(tmp_path, executable, monkeypatch):
    file = archive(tmp_path / "tiny.crate")
    pin = pin_of(file)
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin"), "CARGO_HOME": str(tmp_path / "cargo")}
    with pytest.raises(ProvisionError, match="cargo, which fetches") as raised:
        fetch.obtain(pin, environ=environ)
    assert "apt-get install cargo" in raised.value.remedy
    executable("cargo", "echo 'error: could not connect' >&2; exit 101")
    with pytest.raises(NetworkError, match="could not connect"):
        fetch.obtain(pin, environ=environ)
    executable("cargo", "exit 0")
    with pytest.raises(ProvisionError, match="holds no such archive"):
        fetch.obtain(pin, environ=environ)
    cache = tmp_path / "cargo/registry/cache/somewhere"
    asks = """grep -q 'tiny-src = "=1.0.0"' Cargo.toml"""
    fetching = f"PATH=/usr/bin:/bin; {asks} && mkdir -p {cache} && cp {file} {cache}/{LABEL}.crate"
    cargo = executable("cargo", fetching)
    assert fetch.obtain(pin, environ=environ) == cache / f"{LABEL}.crate"
    cargo.unlink()
    assert fetch.obtain(pin, environ=environ) == cache / f"{LABEL}.crate"  # without cargo: it is there
    assert not list(home().glob(".cargo-*"))


def test_downloads_of_a_build_go_nowhere(tiny):
    text = (
        'file(DOWNLOAD http://example.invalid/x ${CMAKE_BINARY_DIR}/x STATUS s)\nmessage(FATAL_ERROR "it says ${s}")\n'
    )
    file = archive(
        tiny, dict(FILES) | {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\nproject(t CXX)\n" + text}
    )
    with pytest.raises(ProvisionError, match=r"it says 7;.*[Cc]ould.?n.t connect"):
        build(pin_of(file), file)


@pytest.mark.parametrize(
    ("cache", "steps", "fetched", "found"),
    [
        ("A:STRING=x", "build all: phony", None, "absent"),
        ("FETCHCONTENT_BASE_DIR:PATH=/x", "build all: phony", None, "FETCHCONTENT_BASE_DIR:PATH=/x"),
        ("", "build all: phony", "zlib-src", None),
        ("", "build gtest-stamp/gtest-download: CUSTOM", None, None),
    ],
    ids=["nothing-included", "included-but-nothing-fetched", "fetched", "external-project"],
)
def test_a_build_folder_shows_whether_anything_was_fetched(tmp_path, cache, steps, fetched, found):
    (tmp_path / "CMakeCache.txt").write_text(cache)
    (tmp_path / "build.ninja").write_text(steps)
    if fetched:
        (tmp_path / "_deps" / fetched).mkdir(parents=True)
    if found is None:
        with pytest.raises(ProvisionError, match="fetch something"):
            offline.evidence(tmp_path)
    else:
        assert offline.evidence(tmp_path)[0].found == found


def test_signing_is_done_on_a_mac_alone_by_two_commands(tmp_path, executable):
    program = tmp_path / "with space" / "protoc"
    log = tmp_path / "log"
    codesign = executable("codesign", f'echo "$@" >> {log}')
    assert signing.sign(program, System.LINUX, codesign=codesign) == ()
    assert not log.exists()
    done = signing.sign(program, System.MACOS, codesign=codesign)
    assert done == ("codesign --force -s - protoc", "codesign --verify --strict --verbose=2 protoc")
    assert log.read_text().splitlines() == [f"--force -s - {program}", f"--verify --strict --verbose=2 {program}"]
    assert signing.commands(program)[0][0] == "/usr/bin/codesign"
    refusing = executable("codesign", 'case "$1" in --verify) echo "invalid signature" >&2; exit 1;; esac')
    with pytest.raises(ProvisionError, match="invalid signature"):
        signing.sign(program, System.MACOS, codesign=refusing)


def test_on_a_mac_the_build_is_for_its_hardware_and_signed_before_it_is_kept(tiny, executable, tmp_path):
    codesign = executable("codesign", f'echo "$@" >> {tmp_path}/log')
    wish = wish_of(pin_of(tiny), tiny)
    mac = msgspec.structs.replace(wish.machine, system=System.MACOS)
    built = building.obtain(replace(wish, machine=mac, codesign=codesign), lambda _: None)
    assert built.facts.options["CMAKE_OSX_ARCHITECTURES"] == str(mac.architecture)
    assert built.facts.options["CMAKE_OSX_DEPLOYMENT_TARGET"] == "11.0"
    assert built.facts.signing[0] == "codesign --force -s - tiny"
    assert ".part/tree/bin/tiny" in (tmp_path / "log").read_text()  # not yet in its place


NINJA_SAID = """\
[1/3] Building CXX object CMakeFiles/first.dir/one.cc.o
FAILED: CMakeFiles/first.dir/one.cc.o
/usr/bin/c++ -c one.cc
one.cc: In function 'int one()':
one.cc:1:20: error: 'nonsense' was not declared in this scope
ninja: build stopped: subcommand failed.
"""
KILLED = "FAILED: x.o\n/usr/bin/c++ -c x.cc\nc++: fatal error: Killed signal terminated program cc1plus\n"
LINK = "FAILED: tiny\n: && /usr/bin/c++ main.cc.o\n/usr/bin/ld: main.cc.o: undefined reference to `gone()'\n"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (NINJA_SAID, "one.cc:1:20: error: 'nonsense' was not declared in this scope"),
        (KILLED, "c++: fatal error: Killed signal terminated program cc1plus"),
        (LINK, "/usr/bin/ld: main.cc.o: undefined reference to `gone()'"),
        ("", "it printed nothing"),
    ],
    ids=["compile", "killed", "link", "silent"],
)
def test_the_compilers_words_are_found(said, words):
    assert ninja.failure(said) == words


def protoc(executable, name: str, says: str) -> result.Protoc:
    body = f"""for word; do case "$word" in
  --descriptor_set_out=*) echo {says} > "${{word#*=}}" ;;
  --go_out=*) out="${{word#*:}}"; echo go > "$out/x.pb.go" ;;
  --*_out=*) echo same > "${{word#*=}}/x" ;;
esac; done"""
    path = executable("protoc", body, Path(os.environ["LABKIT_HOME"]) / name)
    (path.parent / "include").mkdir()
    (path.parent / "include/any.proto").write_text("the same")
    return result.Protoc(path=path, include=path.parent / "include")


def test_two_protocs_are_compared_byte_for_byte(executable, tmp_path):
    plugins = {"protoc-gen-go": tmp_path / "protoc-gen-go"}
    one, alike, other = (protoc(executable, name, says) for name, says in (("a", "1"), ("b", "1"), ("c", "2")))
    rows = {row.language: row for row in result.compare(one, alike, (tmp_path / "x.proto",), plugins)}
    assert set(rows) == {"cpp", "java", "python", "descriptor", "go", "include"}
    assert all(row.same and row.files == 1 for row in rows.values())
    rows = {row.language: row for row in result.compare(one, other, (tmp_path / "x.proto",), {})}
    assert [language for language, row in rows.items() if not row.same] == ["descriptor"]
    assert rows["descriptor"].differing == ("descriptor.bin",)
    failing = result.Protoc(path=executable("failing", "exit 1"), include=tmp_path)
    with pytest.raises(GenerateError, match="does not generate"):
        result.compare(one, failing, (tmp_path / "x.proto",), {})


def test_what_was_built_is_looked_at_and_shown(tiny):
    from labkit.cli.setup_source import _lines

    found = from_source(wish_of(pin_of(tiny), tiny), (), plugins=dict, say=lambda _: None)
    assert found.binary.sha256 == inspect(Path(found.path), digest=True).sha256
    assert found.not_compared == "no published build of tiny 2.3 is pinned"
    assert found.problem is None
    assert msgspec.json.decode(msgspec.json.encode(found), type=SourceBuild) == found
    shown = "\n".join(_lines(found))
    assert "tiny 2.3, built from tiny-src 1.0.0+2.3 (crate)" in shown
    assert str(home()) not in shown
    entry = Path(found.path).parents[2]
    assert Store.sealed(entry) == found.binary.sha256
    Path(found.path).write_text("no program any more")
    broken = from_source(wish_of(pin_of(tiny), tiny), (), plugins=dict, say=lambda _: None)
    assert broken.reported_version is None
    assert broken.problem


def test_the_shipped_pins_are_whole_and_a_pin_without_a_hash_is_refused():
    shipped = pins.shipped()
    platforms = {"darwin-arm64", "darwin-amd64", "linux-arm64", "linux-amd64"}
    for tool in (*shipped.tools.values(), shipped.source[0].published):
        assert tool is not None
        assert set(tool.wheels) == platforms
    text = Path("labkit/toolchain/source/sources.toml").read_text()
    with pytest.raises(ProvisionError, match="sha256"):
        pins.parse(text.replace(f'sha256 = "{shipped.source[0].sha256}"\n', "", 1), name="x")
    with pytest.raises(ProvisionError, match="not usable"):
        pins.parse(text.replace('"Release"', '"Release; rm -r /"'), name="x")


def test_the_published_schema_is_the_codes(update_golden):
    from labkit.system import records

    path = Path("docs/schemas/setup-source.json")
    wanted = json.dumps(records.schema_of(SourceBuild), indent=1, sort_keys=True) + "\n"
    if update_golden:
        path.write_text(wanted)
    assert path.read_text() == wanted, "run pytest with --update-golden and read the difference"
    assert "schemas/setup-source.json" in Path("docs/json.md").read_text()
