"""Wall time and memory of ``labkit generate`` beside ``buf generate`` and one protoc call, in turns, in one run.

    python -m benchmarks.generate_vs_buf [--short] [--rounds 5] [--work FOLDER]

The input is the npm package google-proto-files 5.0.3, got by npm, in two slices whose file lists lie in
benchmarks/data/google_proto_files: aiplatform (351 files) and slice (5,279). Each slice is copied to a folder of its
own, with what it imports. All three use the same protoc-gen-go and protoc-gen-go-grpc with ``paths=source_relative``;
each run writes into a folder that is not there; the first round warms caches and is left out; the order turns every
round. Memory is the resident memory of the whole process tree, summed every 10 ms, so pages that two processes share
count twice. labkit forgets between cold runs what it knew of the folder. The outputs are compared: labkit's bytes with
protoc's, buf's without the line that names protoc. Writes docs/codegen-speed.md, unless --short (aiplatform alone,
three rounds).
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from labkit import machine
from labkit.codegen.tree import generate_tree, options
from labkit.codegen.tree.heads import read_head
from labkit.model.generation import Generation, Inputs
from labkit.model.toolchain import Toolchain
from labkit.system import store
from labkit.toolchain import host_platform, program, provision

_PROTOS = "google-proto-files@5.0.3"
_BUF = "@bufbuild/buf@1.75.0"
_LISTS = Path(__file__).parent / "data" / "google_proto_files"
_DOC = Path("docs/codegen-speed.md")
_PLUGINS = ("protoc-gen-go", "protoc-gen-go-grpc")
_HEADER = re.compile(rb"^//\s+(?:- )?protoc +(?:v\S+|\(unknown\))$", re.MULTILINE)


class Taken(NamedTuple):
    """One run of one command."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--short", action="store_true")
    arguments.add_argument("--rounds", type=int, default=0)
    arguments.add_argument("--work", type=Path, default=store.home() / "bench-generate")
    given = arguments.parse_args()
    work = given.work.absolute()
    package, buf = _peers(work)
    tools = provision("current", host_platform(machine.read()))
    lines: list[str] = []
    for name in ("aiplatform",) if given.short else ("aiplatform", "slice"):
        lines += _slice(name, work, package, buf, tools, rounds=given.rounds or (3 if given.short else 5))
    here = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    load = f"load average {os.getloadavg()[0]:.1f} at the end"
    text = f"{datetime.now(UTC):%Y-%m-%d}, {here}, {load}; `python -m benchmarks.generate_vs_buf`.\n\n" + "\n".join(
        lines
    )
    print(text)
    if not given.short:
        _DOC.write_text(
            f"# How fast code generation is\n\nWritten by `benchmarks/generate_vs_buf.py`, which says how.\n\n{text}\n"
        )
    return 0


def _peers(work: Path) -> tuple[Path, Path]:
    work.mkdir(parents=True, exist_ok=True)
    buf = work / "node_modules" / "@bufbuild" / "buf" / "package.json"
    if not buf.is_file():
        (work / "package.json").write_text('{"private": true}')
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", _BUF, _PROTOS], cwd=work, check=True
        )
    package = work / "node_modules" / "google-proto-files"
    version = json.loads((package / "package.json").read_text())["version"]
    assert _PROTOS.endswith(version), f"npm gave {version}"
    found = sorted((work / "node_modules" / "@bufbuild").glob("buf-*/bin/buf"))
    assert found, "npm gave no buf for this platform"
    return package, found[0]


def _slice(name: str, work: Path, package: Path, buf: Path, tools: Toolchain, *, rounds: int) -> list[str]:
    names = (_LISTS / f"{name}.txt").read_text().split()
    protos = _copied(names, package, work / name)
    whole = len(names) == sum(1 for _ in protos.rglob("*.proto"))
    runs = {
        "labkit": _labkit(work, protos, names, whole=whole),
        "buf": _buf(work, protos, names, buf, tools, whole=whole),
        "protoc": _protoc(work, protos, names, tools),
    }
    taken: dict[str, list[Taken]] = {tool: [] for tool in runs}
    for round_ in range(rounds + 1):
        order = list(runs) if round_ % 2 else list(reversed(runs))
        for tool in order:
            one = runs[tool](work / f"out-{tool}")
            print(f"{name} {tool}: {one.wall_s:.2f} s, {one.peak_bytes / 2**20:.0f} MiB", file=sys.stderr)
            if round_:
                taken[tool].append(one)
    same = _compare(work)
    lines = [
        f"## {name}: {len(names)} files",
        "",
        "| | wall time, median | quickest | CPU time, median | peak memory | of buf's wall time |",
    ]
    lines += ["|---|---|---|---|---|---|"]
    base = statistics.median(one.wall_s for one in taken["buf"])
    for tool, all_ in taken.items():
        pairs = [mine.wall_s / other.wall_s for mine, other in zip(all_, taken["buf"], strict=True)]
        wall = statistics.median(one.wall_s for one in all_)
        cpu = statistics.median(one.cpu_s for one in all_)
        peak = max(one.peak_bytes for one in all_) / 2**20
        ratio = f"{wall / base:.2f} (pairs {min(pairs):.2f} to {max(pairs):.2f})"
        quickest = min(one.wall_s for one in all_)
        lines.append(f"| {tool} | {wall:.2f} s | {quickest:.2f} s | {cpu:.2f} s | {peak:.0f} MiB | {ratio} |")
    lines += ["", same, "", *_incremental(work, protos, names, tools, whole=whole, rounds=rounds), ""]
    return lines


def _copied(names: Iterable[str], package: Path, folder: Path) -> Path:
    pending, done = list(names), set(names)
    while pending:
        name = pending.pop()
        target = folder / name
        data = (package / name).read_bytes()
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or target.read_bytes() != data:
            target.write_bytes(data)
        for place in read_head(data).imports:
            # google/protobuf/*.proto are those of protoc and of buf itself
            if place.text not in done and not place.text.startswith("google/protobuf/"):
                done.add(place.text)
                pending.append(place.text)
    (folder / "buf.yaml").write_text("version: v2\nmodules:\n  - path: .\n")
    return folder


def _labkit(work: Path, protos: Path, names: list[str], *, whole: bool) -> Callable[[Path], Taken]:
    def run(out: Path, *, cold: bool = True) -> Taken:
        if cold:
            shutil.rmtree(out, ignore_errors=True)
            _forget(work)
        command = [
            sys.executable,
            "-m",
            "labkit",
            "-q",
            "generate",
            *_sources(protos, names, whole=whole),
            "-I",
            ".",
            "--out",
            str(out),
        ]
        return _take(command, protos, {"LABKIT_HOME": str(_home(work)), "PYTHONPATH": str(Path.cwd())})

    return run


def _sources(protos: Path, names: list[str], *, whole: bool) -> list[str]:
    if whole:
        return ["."]
    common = os.path.commonpath(names)
    assert len(names) == sum(1 for _ in (protos / common).rglob("*.proto")), "the list is no folder"
    return [common]


def _home(work: Path) -> Path:
    home = work / "home"
    home.mkdir(exist_ok=True)
    for name in ("store", "go"):
        if not (home / name).exists():
            (home / name).symlink_to(store.home() / name)
    return home


def _forget(work: Path) -> None:
    for folder in (_home(work) / "generate").glob("*/"):
        shutil.rmtree(folder)


def _buf(
    work: Path, protos: Path, names: list[str], buf: Path, tools: Toolchain, *, whole: bool
) -> Callable[[Path], Taken]:
    def run(out: Path) -> Taken:
        shutil.rmtree(out, ignore_errors=True)
        rest = f"    out: {json.dumps(str(out))}\n    opt: paths=source_relative\n"
        plugins = [f"  - local: {json.dumps(str(program(tools, each)))}\n{rest}" for each in _PLUGINS]
        template = work / "buf.gen.yaml"
        template.write_text("version: v2\nplugins:\n" + "".join(plugins))
        some = [] if whole else ["--path", *_sources(protos, names, whole=whole)]
        return _take(
            [str(buf), "generate", ".", "--template", str(template), *some],
            protos,
            {"BUF_CACHE_DIR": str(work / "buf-cache")},
        )

    return run


def _protoc(work: Path, protos: Path, names: list[str], tools: Toolchain) -> Callable[[Path], Taken]:
    def run(out: Path) -> Taken:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        listed = work / "names.txt"
        listed.write_text("\n".join(names))
        plugins = [f"--plugin={program(tools, each)}" for each in _PLUGINS]
        asked = [f"--{each.removeprefix('protoc-gen-')}_out=paths=source_relative:{out}" for each in _PLUGINS]
        command = [str(program(tools, "protoc")), "-I.", f"-I{tools.protoc_include}", *plugins, *asked, f"@{listed}"]
        return _take(command, protos, {})

    return run


def _take(command: list[str], cwd: Path, environ: dict[str, str]) -> Taken:
    used, started = os.times(), time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env=os.environ | environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            peak[0] = max(peak[0], _resident(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, said = process.communicate()
    wall = time.perf_counter() - started
    ended.set()
    watcher.join()
    assert process.returncode == 0, said.decode()[-2000:]
    now = os.times()
    return Taken(wall, now.children_user + now.children_system - used.children_user - used.children_system, peak[0])


def _resident(pid: int) -> int:
    try:
        total = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - a hundred times a second
            total += sum(map(_resident, map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())))
    except (OSError, IndexError):
        return 0
    return total


def _compare(work: Path) -> str:
    def contents(tool: str) -> dict[str, bytes]:
        out = work / f"out-{tool}"
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}

    protoc, ours, theirs = contents("protoc"), contents("labkit"), contents("buf")
    assert ours == protoc, "labkit's bytes are not protoc's"
    bare = {path: _HEADER.sub(b"", data) for path, data in protoc.items()}
    same = {path: _HEADER.sub(b"", data) for path, data in theirs.items()} == bare
    said = "the same but for the line that names protoc" if same else "not the same"
    size = sum(map(len, protoc.values())) / 1e6
    return f"{len(protoc)} Go files, {size:.0f} MB: labkit's bytes are protoc's; buf's are {said}."


def _incremental(
    work: Path, protos: Path, names: list[str], tools: Toolchain, *, whole: bool, rounds: int
) -> list[str]:
    out = work / "out-incremental"
    given = Inputs(
        sources=tuple(str(protos / each) for each in _sources(protos, names, whole=whole)),
        proto_path=(str(protos),),
        options=options(),
    )
    os.environ["LABKIT_HOME"] = str(_home(work))
    leaf = protos / _leaf(protos, names)
    before = leaf.read_bytes()
    command = _labkit(work, protos, names, whole=whole)

    def inside() -> tuple[float, Generation]:
        started = time.perf_counter()
        made = generate_tree(tools, given, out)
        return time.perf_counter() - started, made

    times: dict[str, list[float]] = {key: [] for key in ("cold", "unchanged", "changed", "all", "nothing", "one")}
    made: Generation | None = None
    for round_ in range(rounds):
        shutil.rmtree(out, ignore_errors=True)
        _forget(work)
        seconds, made = inside()
        times["cold"].append(seconds)
        times["unchanged"].append(inside()[0])
        leaf.write_bytes(before + b"// %d\n" % round_)
        times["changed"].append(inside()[0])
        times["all"].append(command(out).wall_s)
        times["nothing"].append(command(out, cold=False).wall_s)  # type: ignore[call-arg]
        leaf.write_bytes(before + b"// again %d\n" % round_)
        times["one"].append(command(out, cold=False).wall_s)  # type: ignore[call-arg]
        leaf.write_bytes(before)
    assert made is not None
    middle = {key: statistics.median(values) for key, values in times.items()}
    protoc = sum(each.protoc_time_s for each in made.batches)
    plugins = {key: sum(each.plugin_time_s[key] for each in made.batches) for key in _PLUGINS}
    floor = (protoc + sum(plugins.values())) / made.jobs
    by_plugin = ", ".join(f"{key} {value:.2f} s" for key, value in plugins.items())
    said = (
        f"Of the last run in process ({made.wall_time_s:.2f} s, {len(made.batches)} batches, {made.jobs} at a time), "
        f"summed over batches: protoc {protoc:.2f} s, {by_plugin}. "
        f"These programs alone fill {floor:.2f} s; labkit takes {made.wall_time_s / floor:.2f} times that."
    )
    return [
        "| | all | nothing changed | one leaf changed |",
        "|---|---|---|---|",
        _row("in process", middle["cold"], middle["unchanged"], middle["changed"]),
        _row("as a command", middle["all"], middle["nothing"], middle["one"]),
        "",
        said,
    ]


def _row(how: str, everything: float, nothing: float, one: float) -> str:
    shares = [f"{value:.3f} s = {100 * value / everything:.1f} %" for value in (nothing, one)]
    return f"| {how} | {everything:.2f} s | {shares[0]} | {shares[1]} |"


def _leaf(protos: Path, names: list[str]) -> str:
    imported = {place.text for name in names for place in read_head((protos / name).read_bytes()).imports}
    return next(name for name in sorted(names) if name not in imported)


if __name__ == "__main__":
    sys.exit(main())
