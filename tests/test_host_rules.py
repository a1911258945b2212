"""Each rule about the host has a failing, a passing and a look-alike case on literal facts; skips give reasons."""

import pytest

from labkit.doctor.host import examine_host
from labkit.doctor.host_rules import HOST_RULES
from labkit.doctor.host_rules.base import numbers
from labkit.model.base import Text
from labkit.model.check import Check, Status
from labkit.model.host import HostFacts, Place
from labkit.model.machine import Architecture, Translation
from labkit.words import Language, catalogue, render
from tests.host_fixtures import because, generated, host, linux, machine, project, proto, replace, tool

RULES: dict[str, Check[HostFacts]] = {rule.id: rule for rule in HOST_RULES}
INTEL = {"architectures": ("x86_64",)}
ARM_ELF = {"format": "elf", "architectures": ("arm64",), "path": "/usr/local/bin/protoc"}
ARM_LINUX = machine("linux", "12", architecture=Architecture.ARM64)
CONDA = "/home/x/miniconda3/bin/protoc"
TAHOE = machine(version="26.4")
KILLED = {"signal": 9, "error": "signal 9 (SIGKILL): it printed nothing", "reported": None, "version": None}
MAVEN = {"path": "/m2/protoc-3.17.3-osx-aarch_64.exe", "place": Place.MAVEN, "wins": False, "on_path": False}
OLD_PROTOC = {"reported": "libprotoc 3.12.4", "version": "3.12.4"}
FILE = {"go_env_file": "/home/x/.config/go/env"}


def emulated(**changes):
    return linux(machine=ARM_LINUX, translators=("qemu-x86_64",), **changes)


def on_arm(*names, **changes):
    known = [tool(name, False, architectures=("arm64",)) for name in ("go", "protoc-gen-go", "protoc-gen-go-grpc")]
    return [each for each in known if each.name not in names]


def with_project(*lines, **changes):
    return host(project=project(*lines, **changes))


def shadowed(name, version, **changes):
    """A second tool behind the winner."""
    return [
        tool(name, shadows=(f"/usr/local/bin/{name}",), **changes),
        tool(name, wins=False, path=f"/usr/local/bin/{name}", version=version, reported=f"{name} {version}"),
    ]


# id: what fails; what passes; what looks like the failure and is none (a pass, or a skip with its reason)
CASES = {
    "F01": (
        host(tools=[tool("protoc", **INTEL, error="Bad CPU type in executable")]),
        host(tools=[tool("protoc", architectures=("x86_64", "arm64"))]),
        host(tools=[tool("protoc", format="other", architectures=())]),  # a script that starts another
    ),
    "F02": (
        host(tools=[tool("protoc", **MAVEN, **INTEL)]),
        host(tools=[tool("protoc", **MAVEN)]),
        host(tools=[tool("protoc", **MAVEN), tool("protoc", **MAVEN | ARM_ELF)]),  # the cache's Linux file
    ),
    "F03": (
        with_project("artifact = 'com.google.protobuf:protoc:3.5.1-1'", file="build.gradle"),
        with_project("artifact = 'com.google.protobuf:protoc:3.21.12'", file="build.gradle"),
        with_project("artifact = 'com.google.protobuf:protoc:3.5.1-1:osx-x86_64'", file="build.gradle"),
    ),
    "F04": (
        host(tools=[tool("protoc", format="elf", architectures=("x86_64",))]),
        host(),
        host(tools=[tool("protoc", wins=False, format="elf")]),  # lies there, but PATH gives another
    ),
    "F05": (
        linux(tools=[tool("protoc", False, architectures=("arm64",), error="Exec format error")]),
        linux(),
        linux(tools=[tool("protoc-gen-go", False, architectures=("arm64",))]),  # a plugin: L01 says so
    ),
    "F06": (
        linux(
            machine=ARM_LINUX,
            translators=("rosetta",),
            tools=[*on_arm(), tool("protoc", False, missing_interpreter="/lib64/ld-linux-x86-64.so.2")],
        ),
        linux(machine=ARM_LINUX, translators=("rosetta",), tools=[*on_arm(), tool("protoc", False)]),
        emulated(tools=[*on_arm(), tool("protoc", False, missing_interpreter="/lib64/ld-linux-x86-64.so.2")]),
    ),
    "F07": (
        emulated(tools=[*on_arm(), tool("protoc", False, missing_interpreter="/lib64/ld-linux-x86-64.so.2")]),
        emulated(tools=[*on_arm(), tool("protoc", False)]),  # static: qemu needs no loader
        linux(tools=[tool("protoc", False, missing_interpreter="/lib64/ld-linux-x86-64.so.2")]),  # its own: F09
    ),
    "F08": (
        emulated(tools=[*on_arm("protoc-gen-go"), tool("protoc-gen-go", False)]),
        emulated(tools=on_arm()),
        emulated(tools=[*on_arm(), tool("protoc", False)]),  # protoc is emulated, no Go plugin is
    ),
    "F09": (
        linux(tools=[tool("protoc", False, missing_interpreter="/lib64/ld-linux-x86-64.so.2")]),
        linux(),
        linux(tools=[tool("protoc", False, error="exit code 1: protoc: no input files")]),
    ),
    "F10": (
        host(tools=[tool("protoc", quarantined=True)]),
        host(),
        host(tools=[tool("protoc", **MAVEN, quarantined=True)]),  # an artefact, which nobody starts by name
    ),
    "F11": (
        host(tools=[tool("protoc", quarantined=True, signature="developer-id")]),
        host(tools=[tool("protoc", signature="developer-id")]),
        host(tools=[tool("protoc", quarantined=True)]),  # signed ad hoc: plain quarantine
    ),
    "F12": (
        host(tools=[tool("protoc-gen-go", **KILLED)]),
        host(),
        host(tools=[tool("protoc-gen-go", **KILLED | {"bad_pages": 3})]),  # killed for its pages: F13
    ),
    "F13": (
        host(tools=[tool("protoc-gen-go", bad_pages=1)]),
        host(),
        host(tools=[tool("protoc", bad_pages=1)]),  # not built by Go: F14
    ),
    "F14": (
        host(tools=[tool("protoc", signature="none", bad_pages=None)]),
        host(),
        host(tools=[tool("protoc", **INTEL, signature="none", bad_pages=None)]),  # Intel code may be unsigned
    ),
    "F15": (
        host(tools=[tool("protoc", damaged_libraries=("/opt/homebrew/opt/abseil/lib/libabsl_base.dylib",))]),
        host(),
        host(tools=[tool("protoc", missing_libraries=("/opt/homebrew/lib/libx.dylib",))]),  # gone, not damaged: F19
    ),
    "F16": (
        host(machine=TAHOE, tools=[tool("protoc-gen-go", **KILLED)]),
        host(machine=TAHOE),
        host(machine=TAHOE, tools=[tool("protoc-gen-go", **KILLED, quarantined=True)]),  # killed for quarantine
    ),
    "F17": (
        host(machine=TAHOE, tools=[tool("protoc-gen-go", has_uuid=False, go_version="go1.21.13")]),
        host(machine=TAHOE),
        host(tools=[tool("protoc-gen-go", has_uuid=False, go_version="go1.21.13")]),  # macOS 15 runs it
    ),
    "F18": (
        host(tools=[tool("protoc-gen-go", has_uuid=False)]),
        host(),
        host(machine=machine(version="14.5"), tools=[tool("protoc-gen-go", has_uuid=False)]),
    ),
    "F19": (
        host(tools=[tool("protoc", missing_libraries=("/opt/homebrew/opt/protobuf/lib/libprotobuf.35.0.0.dylib",))]),
        host(),
        host(tools=[tool("protoc", **MAVEN, missing_libraries=("/opt/homebrew/lib/libx.dylib",))]),
    ),
    "F20": (
        host(without=["protoc-gen-go"], environment={"GOPATH": "/a:/b"}),
        host(),
        host(without=["protoc-gen-go-grpc"]),
    ),
    "F21": (
        host(without=["protoc-gen-go-grpc"]),
        host(),
        host(without=["protoc-gen-go"]),
    ),
    "F22": (
        host(go_env_written={"GOARCH": "amd64"}, environment={"GOBIN": "/b"}),
        host(environment={"GOBIN": "/b"}),
        host(go_env_written={"GOARCH": "arm64", "GOOS": "darwin"}),  # set, but to what it is anyway
    ),
    "F23": (
        host(tools=[tool("go", **INTEL, reported="go version go1.20 darwin/amd64")]),
        host(),
        host(tools=[tool("go", architectures=("x86_64", "arm64"))]),
    ),
    "F24": (
        host(environment={"CGO_LDFLAGS": "-L/usr/local/lib/"}),
        host(homebrew_prefixes=("/opt/homebrew", "/usr/local")),
        host(homebrew_prefixes=("/usr/local",), go_env={"CGO_ENABLED": "0"}),  # nothing is linked
    ),
    "F25": (
        host(homebrew_prefixes=("/opt/homebrew", "/usr/local"), path=("/usr/local/bin", "/opt/homebrew/bin")),
        host(),
        host(homebrew_prefixes=("/opt/homebrew", "/usr/local")),  # both there, the right one first
    ),
    "F26": (
        host(developer_folder=None, missing={"developer_folder": because("exit code 2: xcode-select: error")}),
        host(),
        host(developer_folder="/Applications/Xcode.app/Contents/Developer"),
    ),
    "F27": (
        host(clang_exit_code=69, clang_said="exit code 69: You have not agreed to the Xcode license agreements"),
        host(),
        host(clang_exit_code=1, clang_said="exit code 1: xcrun: error: unable to find utility"),
    ),
    "F28": (
        host(clang_path="2022-09-07 15:08:11.123 xcodebuild[1:2] Requested but did not find\n/usr/bin/clang"),
        host(),
        host(clang_path="/Applications/Xcode 2022-09-07.app/Contents/Developer/usr/bin/clang"),
    ),
    "F29": (
        host(environment={"GOROOT": "/usr/local/go"}, goroot_version="1.9.2"),
        host(environment={"GOROOT": "/usr/local/go"}, goroot_version="1.26.8"),
        host(go_env={"GOROOT": "/opt/homebrew/opt/go/libexec"}),  # go's own, nobody set it
    ),
    "F30": (
        with_project("protoc --go_out=plugins=grpc:. x.proto"),
        with_project("protoc --go_out=. --go-grpc_out=. x.proto"),
        host(
            project=project("protoc --go_out=plugins=grpc:. x.proto"),
            tools=[tool("protoc-gen-go", module="github.com/golang/protobuf@v1.3.5")],
        ),
    ),
    "F31": (
        with_project(protos=(proto("x.proto", None),)),
        with_project(protos=(proto("x.proto", "example.com/x"),)),
        with_project("protoc --go_opt=Mx.proto=example.com/x", protos=(proto("x.proto", None),)),
    ),
    "F32": (
        with_project(protos=(proto("x.proto", "helloworld"),)),
        with_project(protos=(proto("x.proto", "example.com/x"),)),
        with_project(protos=(proto("x.proto", "./x;helloworld"),)),
    ),
    "F33": (
        with_project("go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.32.0"),
        with_project("go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2"),
        with_project(
            "go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.2.0",
            "go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.32.0",
        ),
    ),
    "F34": (
        with_project(requires={"google.golang.org/grpc": "v1.60.1"}, go_mod="/p/go.mod"),
        with_project(requires={"google.golang.org/grpc": "v1.64.0"}, go_mod="/p/go.mod"),
        host(
            project=project(requires={"google.golang.org/grpc": "v1.60.1"}, go_mod="/p/go.mod"),
            tools=[tool("protoc-gen-go-grpc", version="1.3.0", reported="protoc-gen-go-grpc 1.3.0")],
        ),
    ),
    "F35": (
        with_project("go install google.golang.org/protobuf/cmd/protoc-gen-go"),
        with_project("go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12"),
        with_project("go install google.golang.org/protobuf/cmd/protoc-gen-go", go_mod="/p/go.mod"),
    ),
    "F36": (
        host(tools=[tool("protoc", include=None)]),
        host(),
        host(tools=[tool("protoc", wins=False, include=None)], without=["protoc"]),  # another protoc, not on PATH
    ),
    "F37": (
        host(tools=[tool("protoc", **OLD_PROTOC)]),
        host(),
        host(tools=[tool("protoc", reported="libprotoc 3.15.0", version="3.15.0")]),
    ),
    "F38": (
        host(tools=[tool("protoc-gen-go", module="github.com/golang/protobuf@v1.3.5")]),
        host(),
        host(tools=[tool("protoc-gen-go", module="google.golang.org/protobuf@(devel)")]),
    ),
    "F39": (
        with_project(generated=(generated("a/x.pb.go", "x.proto"), generated("b/x.pb.go", "x.proto"))),
        with_project(generated=(generated("a/x.pb.go", "a/x.proto"), generated("b/x.pb.go", "b/x.proto"))),
        with_project(
            generated=(
                generated("a/x.pb.go", "x.proto", protoc_gen_go="v1.36.12"),
                generated("a/x_grpc.pb.go", "x.proto", protoc_gen_go_grpc="v1.6.2"),
            )
        ),
    ),
    "F40": (
        host(tools=shadowed("protoc-gen-go", "1.28.1")),
        host(),
        host(tools=shadowed("protoc-gen-go", "1.36.12")),  # twice the same
    ),
    "F41": (
        with_project(generated=(generated("x.pb.go", "x.proto", protoc_gen_go="v1.28.1", protoc="v6.30.2"),)),
        with_project(generated=(generated("x.pb.go", "x.proto", protoc_gen_go="v1.36.12", protoc="v6.30.2"),)),
        with_project(generated=(generated("x.pb.go", "x.proto", protoc_gen_other="v0.1.0", protoc="v6.30.2"),)),
    ),
    "F42": (
        with_project("find_package(Protobuf) # require protoc >= 3.1.0", file="CMakeLists.txt"),
        host(
            project=project("require protoc >= 3.1.0"),
            tools=[tool("protoc", reported="libprotoc 3.20.3", version="3.20.3")],
        ),
        with_project("protoc --version # 3.1.0 was the first"),
    ),
    "F43": (
        host(tools=[tool("protoc", path=CONDA, place=Place.CONDA, version="3.20.3", reported="libprotoc 3.20.3")]),
        host(),
        host(conda_prefix="/home/x/miniconda3", tools=[tool("protoc", wins=False, path=CONDA, place=Place.CONDA)]),
    ),
    "F44": (
        host(environment={"GOPROXY": "file:///nowhere/at/all"}),
        host(environment={"GOPROXY": "file:///tmp"}),
        host(environment={"GOPROXY": "https://goproxy.cn,direct"}),  # only the network can tell
    ),
    "F45": (
        host(
            tools=[tool("go", version="1.20.14", reported="go version go1.20.14 darwin/arm64")],
            project=project(go_mod="/p/go.mod", go_version="1.21.0", toolchain="go1.22.1"),
        ),
        host(project=project(go_mod="/p/go.mod", go_version="1.21.0", toolchain="go1.22.1")),
        host(
            tools=[tool("go", version="1.20.14", reported="go version go1.20.14 darwin/arm64")],
            project=project(go_mod="/p/go.mod", go_version="1.20"),
        ),
    ),
    "F46": (
        host(environment={"GOFLAGS": "'-ldflags=-extldflags -static'"}),
        host(),
        host(environment={"CGO_LDFLAGS": "-L/opt/homebrew/lib -lfoo-static"}),
    ),
    "F47": (
        with_project('"protoc-osx-x86_64.zip": "sha256:00"', file="lock.json"),
        with_project(
            '"protoc-osx-x86_64.zip": "sha256:00"', '"protoc-osx-aarch_64.zip": "sha256:11"', file="lock.json"
        ),
        with_project("curl -O protoc-osx-x86_64.zip", file="get.sh"),  # no lock: nothing is checked
    ),
    "F48": (
        with_project("supported_envs: [darwin/amd64, linux]", file="aqua.yaml"),
        with_project("supported_envs: [darwin, linux/amd64]", file="aqua.yaml"),
        with_project("supported_envs: [all]", file="aqua.yaml"),
    ),
    "L01": (
        host(tools=[tool("protoc-gen-go", **INTEL)]),
        host(),
        host(tools=[tool("protoc", **INTEL)]),  # protoc itself: F01
    ),
    "L02": (
        host(without=["protoc"]),
        host(),
        host(without=["go"]),
    ),
    "L04": (
        host(tools=[tool("protoc", wins=False, executable=False)]),
        host(),
        host(tools=[tool("protoc", wins=False, executable=False, on_path=False)]),
    ),
    "L13": (
        host(go_env_written={"GOPROXY": "off"}),
        host(),
        host(environment={"GOPROXY": "https://goproxy.cn,off"}),
    ),
    "L20": (
        host(without=["go"]),
        host(),
        host(without=["protoc"]),
    ),
    "L21": (
        host(tools=[tool("protoc", error="no answer within 5 s", reported=None, version=None)]),
        host(),
        host(tools=[tool("protoc-gen-go", error="exit code 1: protoc-gen-go: no files to generate", version=None)]),
    ),
    "L22": (
        host(go_env_written={"GOFLAGS": "-mod=vendor"}),
        host(),
        host(go_env_written={"GOFLAGS": "-modcacherw"}),
    ),
    "L23": (
        host(environment={"GOTOOLCHAIN": "local"}, project=project(go_mod="/p/go.mod", go_version="1.99.0")),
        host(environment={"GOTOOLCHAIN": "local"}, project=project(go_mod="/p/go.mod", go_version="1.26.8")),
        host(environment={"GOTOOLCHAIN": "go1.20.1+auto"}, project=project(go_mod="/p/go.mod", go_version="1.22.0")),
    ),
    "L24": (
        host(go_env_written={"GOPATH": "/a:go"}),
        host(environment={"GOBIN": "/b"}),
        host(environment={"GOPATH": "/a::/b"}),  # the empty part is passed over
    ),
}


def test_every_rule_has_its_cases_and_every_failure_mode_its_rule():
    assert set(CASES) == set(RULES)
    assert {f"F{number:02}" for number in range(1, 49)} <= set(RULES)
    assert len(RULES) == len(HOST_RULES)


@pytest.mark.parametrize("id_", CASES)
def test_a_broken_host_fails(id_):
    finding = RULES[id_].check(CASES[id_][0])
    assert finding.status is Status.FAIL
    assert finding.id == id_
    assert finding.evidence
    assert finding.remedy is not None
    assert finding.link is not None
    for language in Language:
        assert finding.title.id in catalogue(language)
        assert finding.remedy.text.id in catalogue(language)


@pytest.mark.parametrize("id_", CASES)
def test_a_host_that_is_right_passes(id_):
    finding = RULES[id_].check(CASES[id_][1])
    assert finding.status is Status.PASS, finding
    assert finding.remedy is None


@pytest.mark.parametrize("id_", CASES)
def test_what_only_looks_like_it_does_not_fail(id_):
    finding = RULES[id_].check(CASES[id_][2])
    assert finding.status is not Status.FAIL, finding
    assert (finding.reason is None) == (finding.status is Status.PASS)


@pytest.mark.parametrize("facts", [host(), linux(), host(machine=TAHOE)], ids=["macos 15", "linux", "macos 26"])
def test_nothing_fails_where_all_is_well_and_every_skip_has_a_reason(facts):
    findings = examine_host(facts)
    assert [finding.id for finding in findings if finding.status is Status.FAIL] == []
    for finding in findings:
        if finding.status is Status.SKIP:
            assert finding.reason is not None
            for language in Language:
                assert not render(finding.reason, language).startswith("host.")


@pytest.mark.parametrize("id_", [each for each in CASES if each not in {"F10", "F11"}])
def test_a_host_of_which_nothing_is_known_breaks_no_rule(id_):
    facts = HostFacts(
        machine=machine("linux", None),
        path=(),
        tools=(),
        environment={},
        go_env={},
        go_env_file=None,
        go_env_written={},
        developer_folder=None,
        homebrew_prefixes=(),
        conda_prefix=None,
        missing={},
    )
    finding = RULES[id_].check(facts)
    assert finding.status is not Status.FAIL or id_ in {"F20", "F21", "L02", "L20"}


def test_no_rule_says_that_a_mac_confirmed_it():
    assert {rule.confirmed_on_hardware for rule in HOST_RULES} == {False}


@pytest.mark.parametrize("rule", HOST_RULES, ids=lambda rule: rule.id)
def test_a_rule_says_its_method_and_its_source(rule):
    assert rule.__doc__
    assert rule.source.startswith("https://")


def test_quarantine_that_could_not_be_asked_is_skipped_with_that_reason():
    reason = Text(id="host.why.said", values={"tool": "xattr", "what": "absent"})
    facts = host(tools=[tool("protoc", quarantined=None, missing={"quarantined": reason})])
    finding = RULES["F10"].check(facts)
    assert finding.status is Status.SKIP
    assert finding.reason == reason


def test_a_plugin_that_lies_elsewhere_is_found_and_its_folder_named():
    away = tool(
        "protoc-gen-go", wins=False, on_path=False, path="/home/x/my go/bin/protoc-gen-go", place=Place.GOPATH_BIN
    )
    finding = RULES["F20"].check(host(without=["protoc-gen-go"], tools=[away]))
    assert finding.remedy is not None
    assert finding.remedy.commands == ("export PATH=\"$PATH:\"'/home/x/my go/bin'",)
    assert away.path in {each.what for each in finding.evidence}


def test_a_plugin_that_may_not_be_executed_is_told_from_one_that_is_not_there():
    locked = tool("protoc-gen-go", wins=False, executable=False)
    finding = RULES["F20"].check(host(without=["protoc-gen-go"], tools=[locked]))
    assert finding.remedy is not None
    assert finding.remedy.commands == ("chmod +x /opt/homebrew/bin/protoc-gen-go",)


def test_what_is_translated_in_a_rosetta_shell_is_told():
    facts = host(machine=machine(translation=Translation.ROSETTA), homebrew_prefixes=("/opt/homebrew",))
    assert RULES["F25"].check(facts).status is Status.FAIL
    go = RULES["F23"].check(replace(facts, tools=(tool("go", **INTEL),)))
    assert "sysctl.proc_translated" in {each.what for each in go.evidence}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("v1.36.12", (1, 36, 12)),
        ("go1.27rc1", (1, 27)),
        ("3.20.1-1", (3, 20, 1)),
        ("(devel)", ()),
        (None, ()),
        ("", ()),
    ],
)
def test_numbers_of_a_version(text, wanted):
    assert numbers(text) == wanted
