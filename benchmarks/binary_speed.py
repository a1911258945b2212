"""CPU time of ``labkit inspect`` over 1,000 files, against one call of another program a file, in one run.

    python -m benchmarks.binary_speed [--files 1000]

The files are those of tests/binary_corpus.py and this machine's own programs and libraries, repeated up to the number.
Ours is one process that reads all of them, its start included. Theirs is one process a file: llvm-objdump with all
private headers for Mach-O, readelf with headers, segments, sections, dynamic, notes and versions for ELF. With page
hashes, the raw hashing of the same pages (hashlib over the file, nothing else) is measured beside it. Writes
docs/binary-speed.md.
"""

import argparse
import hashlib
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

from labkit.binary import inspect
from labkit.model.binary import Format
from tests.binary_corpus import ALL, fetch
from tests.binary_oracles import program

_FOLDERS = ("/usr/bin", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu")


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--files", type=int, default=1000)
    count = arguments.parse_args().files
    third = [fetch(entry) for entry in ALL]
    own = [
        path for folder in _FOLDERS if Path(folder).is_dir() for path in sorted(Path(folder).iterdir()) if _is_elf(path)
    ]
    macho = [path for path in third if inspect(path, pages=False).format is Format.MACHO]
    elf = [path for path in third if path not in macho] + own
    files = [*islice(cycle(macho), count // 2), *islice(cycle(elf), count - count // 2)]
    for path in set(files):
        with path.open("rb") as file:  # the page cache is warm for all
            while file.read(1024 * 1024):
                pass
    with tempfile.NamedTemporaryFile() as out:
        ours = _children(lambda: _labkit(files, out.name, "--no-pages"))
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (
            1024 if sys.platform == "linux" else 1024 * 1024
        )
        ours_pages = _children(lambda: _labkit(files, out.name))
    memory_pages = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (
        1024 if sys.platform == "linux" else 1024 * 1024
    )
    theirs = _children(lambda: _tools(files, set(macho)))
    pages, hashing = _raw_hashing(files)
    allowed = 0.1 * theirs + 1.2 * hashing
    rows = [
        (
            "labkit, without page hashes",
            ours,
            ours / theirs,
            "at most 0.1 of the tools' CPU time",
            ours <= 0.1 * theirs,
        ),
        ("llvm-objdump or readelf, one call a file", theirs, 1.0, "", True),
        (
            "labkit, with page hashes",
            ours_pages,
            ours_pages / theirs,
            f"at most {allowed:.2f} s",
            ours_pages <= allowed,
        ),
        (f"raw hashing of {pages / 1e9:.1f} GB of signed pages", hashing, hashing / theirs, "", True),
    ]
    total = sum(each.stat().st_size for each in files)
    lines = [
        "# Speed of `labkit inspect`",
        "",
        f"{len(files):,} files ({len(set(files)):,} different ones, {total / 1e9:.1f} GB), in one run on",
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores,",
        f"Python {platform.python_version()}: `python -m benchmarks.binary_speed`. CPU time is user and system.",
        "",
        "| | CPU time | ms a file | of the tools' | wanted | kept |",
        "|---|---|---|---|---|---|",
        *(
            f"| {name} | {seconds:.2f} s | {seconds / len(files) * 1e3:.2f} | {share:.3f} | {wanted} | {_KEPT[ok]} |"
            for name, seconds, share, wanted, ok in rows
        ),
        "",
        f"Peak memory of labkit's process: {memory:.0f} MiB without page hashes, {memory_pages:.0f} MiB with them.",
        "",
    ]
    Path("docs/binary-speed.md").write_text("\n".join(lines), "utf-8")
    print("\n".join(lines))
    return 0 if all(ok for *_, ok in rows) else 1


_KEPT = {True: "yes", False: "NO"}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)


def _is_elf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return path.is_file() and file.read(4) == b"\x7fELF"
    except OSError:
        return False


def _children(work: Callable[[], None]) -> float:
    """Return the CPU seconds of the processes that some work starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _labkit(files: list[Path], out: str, *options: str) -> None:
    with Path(out).open("wb") as file:
        subprocess.run([sys.executable, "-m", "labkit", "inspect", "--json", *options, *files], stdout=file, check=True)


def _tools(files: list[Path], macho: set[Path]) -> None:
    objdump, readelf = program("llvm-objdump"), program("readelf")
    for path in files:
        if path in macho:
            argv = [objdump, "--macho", "--arch=all", "--private-headers", path]
        else:
            argv = [readelf, "-h", "-l", "-S", "-d", "-n", "-V", "-W", path]
        subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def _raw_hashing(files: list[Path]) -> tuple[int, float]:
    """Return the bytes and CPU seconds of hashing every signed page of every directory, and nothing else."""
    work: list[tuple[Path, int, int, str]] = []
    for path in files:
        for slice_ in inspect(path, pages=False).slices:
            signed = slice_.signature
            if signed.pages and signed.page_size_bytes:
                for kind in signed.hashes:
                    size = signed.pages * signed.page_size_bytes
                    work.append((path, slice_.offset_bytes, size, "sha1" if kind == "sha1" else "sha256"))
    total = 0
    before = resource.getrusage(resource.RUSAGE_SELF)
    for path, offset, size, algorithm in work:
        new = getattr(hashlib, algorithm)
        with path.open("rb") as file:
            for at in range(offset, offset + size, 1024 * 1024):
                data = memoryview(os.pread(file.fileno(), min(1024 * 1024, offset + size - at), at))
                total += len(data)
                for start in range(0, len(data), 4096):
                    new(data[start : start + 4096]).digest()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return total, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
