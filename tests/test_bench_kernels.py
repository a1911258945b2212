"""The Go module of the kernels, and the real worker that is built from it."""

import re
import shutil
from pathlib import Path

import pytest

from labkit import bench, codegen
from labkit.bench import MODULE, Plan
from labkit.bench.worker import list_kernels
from labkit.system import environment, proc
from labkit.toolchain import golang
from labkit.words import Language, catalogue, render
from tests.support import need


@pytest.fixture(scope="module")
def module(tmp_path_factory, facts):
    """The module with what the current set generates."""
    copy = tmp_path_factory.mktemp("worker") / "kernels"
    shutil.copytree(MODULE, copy)
    codegen.generate(facts.toolchain, [bench.PROTO], proto_path=bench.PROTO_FOLDER, out=copy / "pb")
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
    return bench.run(
        worker, Plan(processes=6, slices=4, slice_time_ms=2), toolchain_digest="set", worker_digest="program"
    )


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
    # The one package that differs by system; all else is portable Go.
    goos, goarch = platform.split("/")
    go("vet", "./usage", GOOS=goos, GOARCH=goarch)


def test_every_kernel_runs_for_go_test_too(go):
    done = go("test", "-run", "^$", "-bench", ".", "-benchtime", "1x", "./kernel")
    lines = re.findall(
        r"^BenchmarkKernel/(\S+?)(?:-\d+)?\s+1\s+.* ns/op.* MB/s.* B/op.* allocs/op$", done.stdout, re.MULTILINE
    )
    assert lines == [
        "protobuf-marshal-small",
        "protobuf-unmarshal-small",
        "protobuf-marshal-large",
        "protobuf-unmarshal-large",
        "grpc-echo-bufconn",
        "fft-4096",
    ]


def test_every_kernel_has_its_texts_and_stands_in_the_docs(worker):
    page = (Path(__file__).parent.parent / "docs" / "benchmarks.md").read_text("utf-8")
    names = [kernel.name for kernel in list_kernels(worker)]
    assert names == re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE)
    for language in Language:
        ids = {id_.split(".")[2] for id_ in catalogue(language) if id_.startswith("bench.kernel.")}
        assert ids == set(names)


def test_every_kernel_is_measured(samples):
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
        "grpc-echo-bufconn": 37,
        "fft-4096": 32768,
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
