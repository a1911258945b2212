"""The Go module of the kernels, and the real worker that is built from it."""

import re
import shutil
from pathlib import Path

import msgspec
import pytest

from labkit import bench, codegen
from labkit.bench import MODULE, Plan
from labkit.bench.suites import choose, suite, suites, title
from labkit.bench.worker import list_all, plugin_environment
from labkit.errors import UsageError
from labkit.gobuild import Options, build_own
from labkit.system import environment, proc, store
from labkit.toolchain import golang, program
from labkit.toolchain.pins import PluginTool
from labkit.words import Language, catalogue, render
from tests.support import need

WAYS = ("marshal", "unmarshal")
ATOMICS = ("add", "cas", "load", "store")


#: The suite's kernels, in its order; those of cgo and of the plugin are there only where those are.
KERNELS = (
    *(f"protobuf-{way}-{shape}" for shape in ("small", "large", "nested", "maps", "bytes") for way in WAYS),
    "grpc-echo-bufconn",
    "grpc-echo-loopback",
    "grpc-stream-bufconn",
    "grpc-stream-loopback",
    "fft-4096",
    *(f"vtprotobuf-{way}-{shape}" for shape in ("small", "large", "nested", "maps", "bytes") for way in WAYS),
    "protoc-gen-go",
    "tanh-go",
    "tanhf-c",
    "cgo-call",
    *(f"stream-{loop}" for loop in ("copy", "scale", "add", "triad")),
    "chase",
    "tlb",
    "tlb-dense",
    "line-stride",
    "false-sharing",
    *(f"atomic-{what}" for what in ATOMICS),
    *(f"atomic-{what}-contended" for what in ATOMICS),
    "payload-encode",
    "page-faults",
)


@pytest.fixture(scope="module")
def module(tmp_path_factory, facts):
    """The module with what the current set generates."""
    copy = tmp_path_factory.mktemp("worker") / "kernels"
    shutil.copytree(MODULE, copy)
    made = copy.with_name("generated")
    codegen.generate(facts.toolchain, [bench.PROTO], proto_path=bench.PROTO_FOLDER, out=made)
    shutil.copytree(made, copy / "pb", dirs_exist_ok=True)
    return copy


@pytest.fixture(scope="module")
def go(module):
    def run(*arguments, **more):
        return golang.run(need("go"), *arguments, cwd=module, GOFLAGS="-mod=readonly -modcacherw", **more)

    return run


@pytest.fixture(scope="module")
def worker(facts):
    return Path(facts.worker.path)


@pytest.fixture(scope="module")
def samples(worker):
    plan = Plan(processes=6, slices=4, slice_time_ms=2)
    return bench.run(worker, plan, toolchain_digest="set", worker_digest="program")


def test_the_go_code_is_vetted_formatted_and_passes_its_own_tests(go, module):
    go("vet", "./...")
    gofmt = need("go").resolve().parent / "gofmt"
    unformatted = proc.run(
        [gofmt, "-l", *(file for file in module.rglob("*.go") if file.parent.name != "pb")],
        env=environment.base(),
        timeout_s=60,
    ).stdout
    assert unformatted == ""
    go("test", "./...")


@pytest.mark.parametrize("platform", ["darwin/arm64", "darwin/amd64", "linux/arm64"])
def test_what_asks_the_system_compiles_for_every_platform(go, platform):
    # The two packages that differ by system; all else is portable Go.
    goos, goarch = platform.split("/")
    go("vet", "./usage", "./memory", GOOS=goos, GOARCH=goarch)


def test_every_kernel_runs_for_go_test_too(go, facts):
    done = go(
        "test", "-run", "^$", "-bench", ".", "-benchmem", "-benchtime", "1x", "-short", "./kernel",
        LABKIT_PROTOC_GEN_GO=str(program(facts.toolchain, "protoc-gen-go")),
    )  # fmt: skip
    lines = re.findall(
        r"^BenchmarkKernel/([a-z0-9-]+?)(?:/@(\d+))?(?:-\d+)?\s+1\s+(.*) ns/op\b(.*) B/op.* allocs/op$",
        done.stdout,
        re.MULTILINE,
    )
    assert list(dict.fromkeys(name for name, *_ in lines)) == without_cgo(KERNELS)
    assert {point for name, point, *_ in lines if name == "chase"} == {"4096", "1048576"}
    said = {name: figures for name, _, _, figures in lines}
    assert "%realtime" in said["fft-4096"]
    assert "MB/s" in said["stream-triad"]
    assert "minor-faults/op" in said["page-faults"]


def without_cgo(names):
    return [name for name in names if name not in {"tanhf-c", "cgo-call"}]


def test_every_kernel_has_its_texts_and_stands_in_the_docs():
    page = (Path(__file__).parent.parent / "docs" / "kernels.md").read_text("utf-8")
    assert list(KERNELS) == re.findall(r"^\| `([a-z0-9-]+)(?:@N)?` \|", page, re.MULTILINE)
    for language in Language:
        texts = catalogue(language)
        assert {id_.split(".")[2] for id_ in texts if id_.startswith("bench.kernel.")} == set(KERNELS)
        for name, values in {"chase@4096": "4096", "stream-copy@1024": "1024", "fft-4096": "77"}.items():
            assert values in render(title(name, 77), language)


def test_a_worker_lists_what_it_has_and_what_it_lacks(worker, facts):
    listed = list_all(worker)
    assert {missing.name: missing.reason for missing in listed.not_measured} == {
        "protoc-gen-go": "no-plugin",
        "tanhf-c": "no-cgo",
        "cgo-call": "no-cgo",
    }
    assert [kernel.name for kernel in listed.kernels] == [n for n in without_cgo(KERNELS) if n != "protoc-gen-go"]
    assert {f"bench.missing.{missing.reason}" for missing in listed.not_measured} < set(catalogue(Language.CHINESE))
    by_name = {kernel.name: kernel for kernel in listed.kernels}
    assert by_name["fft-4096"].real_time_ns == 21_333_333
    assert by_name["stream-triad"].bytes_per_op == 24
    assert (by_name["chase"].points[0], by_name["chase"].points[-1]) == (4 << 10, 64 << 20)
    assert {name for name, kernel in by_name.items() if kernel.refused_translated} == {
        "chase", "tlb", "tlb-dense", "line-stride", "false-sharing", "page-faults",
    }  # fmt: skip
    assert by_name["grpc-echo-loopback"].needs_wall_time
    assert not by_name["fft-4096"].needs_wall_time
    given = list_all(worker, plugin=program(facts.toolchain, "protoc-gen-go"))
    assert "protoc-gen-go" in {kernel.name for kernel in given.kernels}
    assert "protoc-gen-go" not in {missing.name for missing in given.not_measured}


def test_the_quick_suite_is_what_is_measured_when_nothing_is_named(samples):
    assert tuple(sample.kernel for sample in samples) == suite("quick")
    for sample in samples:
        assert sample.wall.n == len(sample.processes) == 6
        assert 0 < sample.wall.low <= sample.wall.median <= sample.wall.high
        assert sample.wall.confidence == 0.96875
        assert sample.cpu.median > 0
        assert all(len(process.slices) == 4 for process in sample.processes)
        assert all(process.translated is None or process.translated is False for process in sample.processes)
        assert render(sample.title, Language.ENGLISH) != sample.title.id
        assert str(sample.payload_bytes) in render(sample.title, Language.CHINESE)


def test_what_does_not_depend_on_the_machine(samples):
    """Sizes and allocations follow from the code and its versions alone."""
    by_name = {sample.kernel: sample for sample in samples}
    assert {name: sample.payload_bytes for name, sample in by_name.items()} == {
        "protobuf-marshal-small": 37,
        "protobuf-unmarshal-small": 37,
        "protobuf-marshal-large": 8791,
        "protobuf-unmarshal-large": 8791,
        "vtprotobuf-marshal-large": 8791,
        "vtprotobuf-unmarshal-large": 8791,
        "grpc-echo-bufconn": 37,
        "fft-4096": 32768,
        "tanh-go": 16384,
    }
    for name, allocations in {"protobuf-marshal-small": 1, "protobuf-unmarshal-small": 2, "fft-4096": 0}.items():
        for process in by_name[name].processes:
            assert process.allocations_per_op == pytest.approx(allocations, abs=0.05)
    # A large message cannot cost less than a small one, on any machine and under any load that these survive.
    assert by_name["protobuf-marshal-large"].cpu.median > by_name["protobuf-marshal-small"].cpu.median


def test_a_wrong_use_of_the_worker_is_said(worker):
    done = proc.run([worker, "run", "--kernel", "none"], env=environment.base(), timeout_s=30, check=False)
    assert done.returncode == 2
    assert 'there is no kernel "none"' in done.stderr


def test_peak_memory_is_the_workers_own(worker):
    """On Linux ru_maxrss would be that of the large process that started the worker."""
    ballast = bytearray(b"\1") * (192 << 20)
    plan = Plan(kernels=("fft-4096",), processes=5, slices=3, slice_time_ms=2)
    (sample,) = bench.run(worker, plan, toolchain_digest="", worker_digest="")
    assert len(ballast) == 192 << 20
    assert all(process.peak_memory_bytes < 128 << 20 for process in sample.processes)


def test_a_point_is_measured_and_told(worker):
    plan = Plan(kernels=("chase@16384", "payload-encode"), processes=5, slices=3, slice_time_ms=2)
    chase, payload = bench.run(worker, plan, toolchain_digest="", worker_digest="")
    assert (chase.kernel, payload.kernel) == ("chase@16384", "payload-encode@48")
    assert "16384 bytes" in render(chase.title, Language.ENGLISH)
    assert "48 bytes apart" in render(payload.title, Language.ENGLISH)


def test_every_suite_names_kernels_that_there_are(worker):
    listed = list_all(worker)
    known = {kernel.name: kernel for kernel in listed.kernels}
    for name, each in suites().items():
        assert {kernel.partition("@")[0] for kernel in each.kernels} - {"*"} <= set(KERNELS), name
        chosen = choose(suite(name, lacking=listed.not_measured), listed.kernels)
        assert {kernel.name.partition("@")[0] for kernel in chosen} <= set(known)
        if name == "translation":
            assert not any(kernel.refused_translated for kernel in chosen)
        if name == "full":
            assert {kernel.name.partition("@")[0] for kernel in chosen} == set(known)
            assert {kernel.name for kernel in chosen if kernel.name.startswith("tlb@")} == {
                f"tlb@{point}" for point in known["tlb"].points
            }
    assert [kernel.name for kernel in choose(("chase", "chase@4096"), listed.kernels)] == ["chase@4096"]


@pytest.mark.parametrize(
    ("wanted", "what", "remedy"),
    [
        ("chas", "no benchmark kernel chas", "did you mean chase"),
        ("fft-4096@8", "fft-4096 takes no point", "name it alone"),
        ("chase@", "chase@ is no point", "chase@4096"),
        ("chase@04096", "is no point", "bytes"),
        ("chase@0", "is no point", "bytes"),
        ("tlb@many", "is no point", "pages"),
        ("tanhf-c", "not measured here: no-cgo", "C compiler"),
        ("protoc-gen-go", "not measured here: no-plugin", "path of a protoc-gen-go"),
    ],
)
def test_a_wrong_name_is_said(worker, wanted, what, remedy):
    listed = list_all(worker)
    with pytest.raises(UsageError) as caught:
        choose((wanted,), listed.kernels, lacking=listed.not_measured)
    assert what in caught.value.what
    assert remedy in caught.value.remedy


def test_a_suite_that_is_not_there_is_said():
    with pytest.raises(UsageError, match="no benchmark suite ful") as caught:
        suite("ful")
    assert "did you mean full?" in caught.value.remedy


@pytest.fixture(scope="module")
def translated(facts):
    """The worker for linux/arm64, and qemu-aarch64 to run it."""
    return need("qemu-aarch64"), Path(facts.worker_for("linux/arm64").path)


def test_what_may_run_translated_runs_under_qemu(translated, worker):
    emulator, program_ = translated
    done = proc.run([emulator, program_, "list", "--json"], env=environment.base(), timeout_s=60)
    assert '"name":"chase"' in done.stdout
    for kernel in ("protobuf-unmarshal-maps", "grpc-stream-loopback", "stream-triad@65536", "atomic-cas-contended"):
        done = proc.run(
            [emulator, program_, "run", "--kernel", kernel, "--slices", "1", "--slice-time", "1ms"],
            env=environment.base(), timeout_s=120,
        )  # fmt: skip
        assert f'"kernel":"{kernel}"' in done.stdout
        assert '"goarch":"arm64"' in done.stdout


def test_the_plugin_runs_as_a_process_whose_time_counts(worker, facts):
    plugin = program(facts.toolchain, "protoc-gen-go")
    done = proc.run(
        [worker, "run", "--kernel", "protoc-gen-go", "--slices", "1", "--slice-time", "1ms"],
        env=environment.base() | plugin_environment(plugin), timeout_s=120,
    )  # fmt: skip
    (slice_,) = msgspec.json.decode(done.stdout_bytes)["slices"]
    # Without its children's, the worker's own CPU time is a tenth of that: it only waits.
    assert slice_["cpu_time_ns"] / slice_["iterations"] > 4e6


def test_a_plan_gives_the_worker_its_plugin_and_keeps_the_faults(facts):
    plan = bench.Plan(kernels=("protoc-gen-go", "page-faults"), processes=5, slices=3, slice_time_ms=2)
    plugin, faults = facts.measure(plan)
    assert "protoc-gen-go" in {kernel.name for kernel in facts.kernels.kernels}
    assert plugin.cpu.median > 4e6
    for process in faults.processes:
        cycles = sum(slice_.iterations for slice_ in process.slices)
        # 16 MiB are 1024 pages where they are largest; a heap of huge pages of 2 MiB faults 8 times.
        assert process.minor_faults >= 8 * cycles


def test_with_a_c_compiler_there_are_the_kernels_of_cgo(facts):
    code = {f"pb/{file.path}": facts._kernels_folder / file.path for file in facts.kernels_generated.files}
    built = build_own(
        facts.toolchain, bench.MODULE, bench.PACKAGE, name="worker-cgo", generated=code, platform=None,
        options=Options(cgo=True, compiler=need("cc")),
    )  # fmt: skip
    listed = list_all(Path(built.path), plugin=program(facts.toolchain, "protoc-gen-go"))
    assert [kernel.name for kernel in listed.kernels] == list(KERNELS)
    assert listed.not_measured == ()
    for kernel in ("tanhf-c", "cgo-call"):
        arguments = ("run", "--kernel", kernel, "--slices", "1", "--slice-time", "1ms")
        proc.run([built.path, *arguments], env=environment.base(), timeout_s=60)


def test_the_committed_code_of_vtprotobuf_is_what_its_plugin_makes(facts, tmp_path):
    pin = PluginTool(
        name="protoc-gen-go-vtproto",
        version="0.6.0",
        released="2024-01-29",
        module="github.com/planetscale/vtprotobuf",
        package="github.com/planetscale/vtprotobuf/cmd/protoc-gen-go-vtproto",
        sum="h1:nBeETjudeJ5ZgBHUz1fVHvbqUKnYOXNhsIEabROxmNA=",
    )
    go = program(facts.toolchain, "go")
    version = next(tool.version for tool in facts.toolchain.tools if tool.name == "go")
    folder = golang.install(store.Store(), go, version, pin, facts.toolchain.platform)
    (plugin,) = (file for file in folder.rglob("protoc-gen-go-vtproto*") if file.is_file())
    options = "paths=source_relative,features=marshal+unmarshal+size"
    proc.run(
        [
            program(facts.toolchain, "protoc"), f"--plugin={plugin}", f"--proto_path={bench.PROTO_FOLDER}",
            f"--go-vtproto_out={tmp_path}", f"--go-vtproto_opt={options}", bench.PROTO,
        ],
        env=environment.base(), timeout_s=60,
    )  # fmt: skip
    committed = MODULE / "pb" / "bench_vtproto.pb.go"
    assert (tmp_path / committed.name).read_text("utf-8") == committed.read_text("utf-8")
