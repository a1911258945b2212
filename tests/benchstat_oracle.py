"""benchstat and golang.org/x/perf's reader themselves, and files for them: drawn from a seed, or their own tests'."""

import json
import platform
import random
import re
import shutil
import struct
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from labkit import gobuild
from labkit.bench import benchfmt, benchstat
from labkit.facts import Facts
from labkit.model.benchfmt import BrokenLine, GoResult, GoUnit
from labkit.system import proc
from labkit.system.environment import base
from labkit.system.store import Store
from labkit.toolchain import find, golang, program
from labkit.toolchain.pins import PluginTool

DATA = Path(__file__).parent / "data/benchstat"
PIN = PluginTool(**tomllib.loads((DATA / "pin.toml").read_text("utf-8")))

#: What benchstat's own tests run it on (cmd/benchstat/main_test.go), but for its filters and projections of names.
OWN = {
    "old-new": (("old.txt", "new.txt"), {}),
    "crc": (("crc-old.txt", "crc-new.txt"), {}),
    "crc-ignore-note": (("crc-old.txt", "crc-new.txt"), {"ignore": ("note",)}),
    "units": (("units.txt",), {"column": "note"}),
    "zero": (("zero.txt",), {"column": "note"}),
    "small-sample": (("smallSample.txt",), {"column": "note"}),
    "issue19565": (("issue19565.txt",), {"column": "note"}),
    "issue19634": (("issue19634.txt",), {"column": "note"}),
    "old-new-crc": (("old.txt", "new.txt", "crc-new.txt"), {}),
}

_UNITS = ("ns/op", "B/op", "allocs/op", "MB/s", "widgets/op", "p99-ns/op", "disk-MB")


@cache
def benchstat_program() -> Path:
    """Return benchstat, built once from the pinned module by the current set's Go."""
    chain = Facts("current").toolchain
    return golang.install(Store(), program(chain, "go"), str(find(chain, "go").version), PIN, chain.platform) / PIN.name


@cache
def own_data() -> Path:
    """Return the folder of the pinned module's sources, with its test data."""
    benchstat_program()
    go = program(Facts("current").toolchain, "go")
    said = golang.run(go, "mod", "download", "-json", f"{PIN.module}@v{PIN.version}", cwd=Path("/")).stdout
    return Path(json.loads(said)["Dir"])


@cache
def dump_program() -> Path:
    """Return the program that prints what golang.org/x/perf/benchfmt reads."""
    return Path(gobuild.build(Facts("current").toolchain, DATA / "dump", ".", name="benchfmt_dump").path)


def theirs(
    folder: Path, names: tuple[str, ...], form: str, *, column: str = ".file", ignore: tuple[str, ...] = ()
) -> str:
    """Return what benchstat prints of files in a folder."""
    words = [benchstat_program(), "-format", form, "-col", column, "-ignore", ",".join(ignore), *names]
    return proc.run(words, env=base(), timeout_s=120, cwd=folder).stdout


def ours(
    folder: Path, names: tuple[str, ...], form: str, *, column: str = ".file", ignore: tuple[str, ...] = ()
) -> str:
    """Return what labkit prints of them."""
    units: dict[tuple[str, str], str] = {}
    files = [(name, benchfmt.read(folder / name, units=units)) for name in names]
    tables = benchstat.tables(files, column=column, ignore=ignore)
    return benchstat.as_text(tables) if form == "text" else benchstat.as_csv(tables)


def differences(got: str, wanted: str, form: str) -> list[str]:
    """Return the lines that differ.

    In the CSV, which has up to 17 digits, a geomean may differ after the 14th: Go's own logarithm and exponential
    differ so between processors (math/exp_amd64.s asks for FMA). On arm64 any number may, for Go's compiler fuses
    multiplications with additions there.
    """
    pairs = list(zip(got.splitlines(), wanted.splitlines(), strict=False))
    missing = [f"{len(got.splitlines())} lines, wanted {len(wanted.splitlines())}"]
    wrong = [f"got {a!r}\nwanted {b!r}" for a, b in pairs if a != b and not (form == "csv" and _close(a, b))]
    return wrong + (missing if len(got.splitlines()) != len(wanted.splitlines()) else [])


def last_digits(got: str, wanted: str) -> int:
    """Return how many lines of two CSVs that agree are not equal byte for byte."""
    return sum(a != b for a, b in zip(got.splitlines(), wanted.splitlines(), strict=True))


def _close(got: str, wanted: str) -> bool:
    ours, wants = got.split(","), wanted.split(",")
    fused = platform.machine() in {"arm64", "aarch64"}
    if len(ours) != len(wants) or not (ours[0] == "geomean" or fused):
        return False
    return all(a == b or _near(a, b) for a, b in zip(ours, wants, strict=True))


def _near(got: str, wanted: str) -> bool:
    try:
        a, b = float(got), float(wanted)
    except ValueError:
        return False
    return abs(a - b) <= 1e-14 * abs(b)


def read_by_go(*paths: Path) -> list[list[dict[str, Any]]]:
    """Return the records of each file as golang.org/x/perf/benchfmt reads it."""
    said = proc.run([dump_program(), *paths], env=base(), timeout_s=60, most_bytes=1 << 28).stdout
    files: list[list[dict[str, Any]]] = [[]]
    for line in said.splitlines():
        record = json.loads(line)
        if record["kind"] == "end":
            files.append([])
        else:
            files[-1].append(record)
    return files[:-1]


def read_by_us(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file as labkit reads it, in the same shape; bytes that are no text as in Go's JSON."""
    told = json.dumps([_plain(record) for record in benchfmt.read(path).records], ensure_ascii=False)
    records: list[dict[str, Any]] = json.loads(re.sub("[\udc80-\udcff]", "\ufffd", told))
    return records


def _plain(record: GoResult | GoUnit | BrokenLine) -> dict[str, Any]:
    match record:
        case GoResult():
            plain = {"name": record.name, "iters": record.iterations, "config": [list(pair) for pair in record.config]}
            values = [{"bits": _bits(each.value), "unit": each.unit} for each in record.values]
            return {"kind": "result", "line": record.line, "values": values} | {k: v for k, v in plain.items() if v}
        case GoUnit():
            said = {"unit": record.unit, "key": record.key, "value": record.value}
            return {"kind": "unit", "line": record.line} | {k: v for k, v in said.items() if v}
        case BrokenLine():
            return {"kind": "broken", "line": record.line, "why": record.why}


def _bits(value: float) -> str:
    return "NaN" if value != value else f"{struct.unpack('>Q', struct.pack('>d', value))[0]:x}"  # noqa: PLR0124


def draw(folder: Path, seed: int) -> tuple[str, ...]:
    """Write one to three files of benchmarks drawn from a seed, and return their names.

    1 to 60 values each, with ties, zeros, single values, benchmarks that a file lacks, several units, tables split by
    configuration, exact units, negative values, and magnitudes from 1e-13 to 1e15.
    """
    random_ = random.Random(seed)
    names = tuple(f"{label}.txt" for label in ("old", "new", "third")[: random_.choice((1, 2, 2, 2, 3))])
    benchmarks = [(f"B{i}/size={10**i}", random_.uniform(-6, 12), _kind(random_)) for i in range(random_.randint(1, 6))]
    units = random_.sample(_UNITS, k=random_.randint(1, 4))
    exact = [unit for unit in units if random_.random() < 0.15]
    counts = {file: random_.choice((1, 2, 5, 6, 10, 25, 26, 50, 51, random_.randint(1, 60))) for file in names}
    for file in names:
        lines = [
            "goos: linux",
            "goarch: arm64",
            f"pkg: example.com/{random_.choice('ab')}" if seed % 3 == 0 else "pkg: x",
        ]
        lines += [f"Unit {unit} assume=exact" for unit in exact]
        shift = random_.choice((1.0, 1.0, 1.01, 1.2, 0.5))
        for name, magnitude, kind in benchmarks:
            if len(names) > 1 and random_.random() < 0.15:
                continue
            own = counts[file] if random_.random() < 0.8 else random_.randint(1, 12)
            for _ in range(own):
                measured = " ".join(f"{_draw(random_, kind, magnitude, shift)} {unit}" for unit in units)
                lines.append(f"Benchmark{name}-8 \t {random_.randint(1, 10**6)}\t{measured}")
        (folder / file).write_text("\n".join([*lines, "PASS", ""]), "utf-8")
    return names


def _kind(random_: random.Random) -> str:
    return random_.choice(("wide", "narrow", "ties", "constant", "zeros", "signs"))


def _draw(random_: random.Random, kind: str, magnitude: float, shift: float) -> str:
    around = 10**magnitude * shift
    match kind:
        case "wide":
            return f"{around * random_.lognormvariate(0, 0.5):.6g}"
        case "narrow":
            return f"{around * random_.gauss(1, 0.01):.5g}"
        case "ties":
            return f"{around * (1 + random_.randint(0, 3) / 100):.3g}"
        case "constant":
            return f"{around:.4g}"
        case "zeros":
            return random_.choice(("0", "0", f"{around:.3g}"))
        case _:
            return f"{around * random_.gauss(0, 1):.4g}"


def copy_own(folder: Path) -> Path:
    """Return a folder with copies of benchstat's own test data."""
    for file in (own_data() / "cmd/benchstat/testdata").glob("*.txt"):
        shutil.copyfile(file, folder / file.name)
    return folder
