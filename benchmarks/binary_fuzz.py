"""A coverage-guided fuzz run of labkit.binary, recorded in docs/binary-fuzz.md.

    pip install atheris            # not among labkit's own dependencies
    python -m benchmarks.binary_fuzz [--executions 100000]

Each execution writes the input to a file in memory and calls ``inspect`` on it. It fails on any exception, on a result
that is no JSON or says ``error`` without an offset, on 2 s, and on 256 MiB of memory. The run is a child process; its
parent writes the record.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

_MEMORY_MIB = 256
_SECONDS = 2
_CHILD = "LABKIT_FUZZ_CORPUS"


def fuzz(corpus: str, executions: int) -> None:
    """Run the fuzzer in this process; it ends the process."""
    import atheris

    with atheris.instrument_imports(include=["labkit.binary", "elftools"]):
        import msgspec

        from labkit.binary import inspect
        from labkit.model.binary import Binary

    descriptor = os.memfd_create("fuzz")
    path = Path(f"/proc/self/fd/{descriptor}")

    def one(data: bytes) -> None:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, data, 0)
        started = time.process_time()
        binary = inspect(path)
        took = time.process_time() - started
        assert took < _SECONDS, f"{took:.1f} s of CPU time"
        assert binary.error is None or re.search(r"^malformed: .+, at offset 0x|^an empty file$", binary.error), (
            binary.error
        )
        msgspec.json.decode(msgspec.json.encode(binary), type=Binary)

    options = [f"-atheris_runs={executions}", f"-rss_limit_mb={_MEMORY_MIB}", "-timeout=10", "-max_len=65536"]
    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", corpus], one)
    atheris.Fuzz()


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--executions", type=int, default=100_000)
    executions = arguments.parse_args().executions
    if corpus := os.environ.get(_CHILD):
        fuzz(corpus, executions)
        return 0
    from tests.binary_seeds import seeds

    with tempfile.TemporaryDirectory() as folder:
        for name, data in seeds().items():
            (Path(folder) / name).write_bytes(data)
        _add_certificates(Path(folder))
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.binary_fuzz", f"--executions={executions}"],
            env=dict(os.environ) | {_CHILD: folder},
            capture_output=True,
            check=False,
        )
        took = time.monotonic() - started
        found = len(list(Path(folder).iterdir()))
    said = done.stderr.decode("utf-8", "replace") + done.stdout.decode("utf-8", "replace")
    log = Path(tempfile.gettempdir()) / "binary-fuzz.log"
    log.write_text(said, "utf-8")
    ran = re.search(r"Done (\d+) in", said)
    peaks = [int(each) for each in re.findall(r"rss: (\d+)Mb", said)]
    covered = re.findall(r"cov: (\d+) ft: (\d+)", said)
    _record(
        executions=int(ran[1]) if ran else 0,
        failed=done.returncode != 0,
        took=took,
        peak=str(max(peaks, default=0)),
        covered=covered[-1] if covered else ("?", "?"),
        found=found,
    )
    print(f"{said[-1000:]}\nthe whole log: {log}")
    return done.returncode


def _add_certificates(folder: Path) -> None:
    """Add a file with a real signature's certificates, when one was fetched before."""
    from tests.binary_corpus import folder as fetched
    from tests.binary_synthetic import Macho

    real = fetched() / "protoc-4.29.3-osx-aarch_64"
    if real.is_file():
        data = real.read_bytes()
        at = data.find(b"\xfa\xde\x0b\x01", len(data) - 200_000)
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        (folder / "macho-certificates").write_bytes(Macho(sign="other", cms=data[at + 8 : at + size]).data())


def _record(*, executions: int, failed: bool, took: float, peak: str, covered: tuple[str, str], found: int) -> None:
    outcome = "a failure" if failed else "no exception, no hang over 2 s, no result that is not as it should be"
    lines = [
        "# The fuzz run of `labkit inspect`",
        "",
        "A coverage-guided run (atheris, libFuzzer) of `labkit.binary.inspect` with labkit's readers and pyelftools",
        "instrumented, from a seed file of every shape: `python -m benchmarks.binary_fuzz`.",
        "",
        "| | |",
        "|---|---|",
        f"| date | {datetime.now(UTC):%Y-%m-%d} |",
        f"| machine | {platform.system()} {platform.machine()}, {os.cpu_count()} cores |",
        f"| Python | {platform.python_version()} |",
        f"| executions | {executions:,} |",
        f"| wall time | {took:,.0f} s |",
        f"| outcome | {outcome} |",
        f"| peak memory | {peak} MiB (limit {_MEMORY_MIB}) |",
        f"| edges covered | {covered[0]}, features {covered[1]} |",
        f"| inputs kept for new coverage | {found} |",
        "",
        "Every execution also checks that `error` is either absent or `malformed: what, at offset`, that the result is",
        "valid JSON of the record's type, and that it took less than 2 s of CPU time.",
        "",
    ]
    Path("docs/binary-fuzz.md").write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
