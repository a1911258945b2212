"""Generates all of google-proto-files that can be, lists what is refused, and builds a sample of its Go packages.

    python -m benchmarks.generate_compiles [--packages 20] [--work FOLDER]

Needs the npm package that benchmarks/generate_vs_buf.py fetches. The packages lie by their import paths, so they are
built in a GOPATH of their own, with the set's runtime modules beside them; those are fetched by the set's own Go. The
sample is the same every time: every n-th package by name.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from labkit import machine
from labkit.codegen.tree import generate_tree, options
from labkit.model.generation import Inputs, Paths
from labkit.system import store
from labkit.toolchain import golang, host_platform, program, provision
from labkit.words import render

_HELLO = Path("labkit/codegen/hello")


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--packages", type=int, default=20)
    arguments.add_argument("--work", type=Path, default=store.home() / "bench-generate")
    given = arguments.parse_args()
    work = given.work.absolute()
    tools = provision("current", host_platform(machine.read()))
    package = work / "node_modules" / "google-proto-files"
    sources = tuple(str(package / name) for name in ("gapic", "google", "grafeas"))
    gopath = work / "gopath"
    src = gopath / "src"
    wanted = Inputs(sources=sources, proto_path=(str(package),), options=options(paths=Paths.IMPORT))
    made = generate_tree(tools, wanted, src)
    peak = (made.peak_memory_bytes or 0) / 2**20
    print(f"{made.source_count} sources: {len(made.files)} Go files in {made.wall_time_s:.1f} s, peak {peak:.0f} MiB")
    print(f"{len(made.refused)} refused:")
    for refusal in made.refused:
        print(f"  {refusal.source}:{refusal.line or ''} {refusal.kind}: {render(refusal.reason)}")
    _runtime(program(tools, "go"), src)
    packages = sorted(
        {file.import_path for file in made.files if not file.import_path.startswith("google.golang.org/protobuf")}
    )
    sample = packages[:: max(1, len(packages) // given.packages)][: given.packages]
    environ = golang.environment(program(tools, "go"), GO111MODULE="off", GOPATH=str(gopath), GOFLAGS="")
    failed = 0
    for name in sample:
        done = subprocess.run(
            [str(program(tools, "go")), "build", "-trimpath", name],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        failed += done.returncode != 0
        print(f"{'compiles' if done.returncode == 0 else 'FAILS'}  {name}  {done.stderr.strip()[:300]}")
    print(f"{len(sample) - failed} of a sample of {len(sample)} packages compile ({len(packages)} in all)")
    return 1 if failed else 0


def _runtime(go: Path, src: Path) -> None:
    # The modules that generated code needs, from the module cache; what was generated of the same packages stays.
    golang.run(go, "mod", "download", cwd=_HELLO.absolute())
    listed = golang.run(go, "list", "-m", "-f", "{{.Path}} {{.Dir}}", "all", cwd=_HELLO.absolute()).stdout
    for line in listed.splitlines():
        path, _, folder = line.partition(" ")
        if not folder or path == "labkit/hello" or "genproto" in path or Path(folder).resolve() == _HELLO.resolve():
            continue
        target = src / path
        for directory, _, files in os.walk(folder):
            place = target / Path(directory).relative_to(folder)
            place.mkdir(parents=True, exist_ok=True)
            for file in files:
                if (
                    file.endswith((".go", ".s", ".binpb"))
                    and not file.endswith("_test.go")
                    and not (place / file).exists()
                ):
                    shutil.copyfile(Path(directory) / file, place / file)


if __name__ == "__main__":
    sys.exit(main())
