"""Wall time of a warm ``labkit doctor`` beside ``go env`` and ``protoc --version``, in one run.

    python -m benchmarks.doctor_speed [--rounds 15]

The set's tools are on PATH, so that every question is asked. The commands take turns, a fresh process each; the first
round warms caches and is left out. Writes the table in docs/doctor.md.
"""

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from labkit import machine
from labkit.toolchain import host_platform, program, provision

_DOC = Path("docs/doctor.md")


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=15)
    rounds = arguments.parse_args().rounds
    tools = provision("current", host_platform(machine.read()))
    folders = [str(program(tools, tool.name).parent) for tool in tools.tools]
    environ = os.environ | {"PATH": os.pathsep.join([*folders, "/usr/bin", "/bin"])}
    doctor = [sys.executable, "-m", "labkit", "doctor", "--json"]
    commands = {
        "`labkit doctor`": doctor,
        "`labkit doctor --symptom TEXT`": [*doctor, "--symptom", "zsh: killed  protoc-gen-go"],
        "`go env`": [str(program(tools, "go")), "env"],
        "`protoc --version`": [str(program(tools, "protoc")), "--version"],
        "Python alone": [sys.executable, "-c", "pass"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    cpu: dict[str, list[float]] = {name: [] for name in commands}
    for round_ in range(rounds + 1):
        for name, command in commands.items():
            used, started = os.times(), time.perf_counter()
            subprocess.run(command, env=environ, cwd="/", check=False, capture_output=True)
            if round_:
                times[name].append(time.perf_counter() - started)
                now = os.times()
                before = used.children_user + used.children_system
                cpu[name].append(now.children_user + now.children_system - before)
    base = statistics.median(times["`go env`"])
    load = f"load average {os.getloadavg()[0]:.1f} at the end"
    python = f"Python {platform.python_version()}"
    here = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {python}, {load}"
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, {here}; {rounds} rounds of `python -m benchmarks.doctor_speed`.",
        "",
        "| command | median | quickest | slowest | CPU time, median | median over `go env` |",
        "|---|---|---|---|---|---|",
    ]
    for name, values in times.items():
        median = statistics.median(values)
        used_cpu = statistics.median(cpu[name])
        cells = (
            name,
            *(f"{each:.3f} s" for each in (median, min(values), max(values), used_cpu)),
            f"{median / base:.1f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    table = "\n".join(lines)
    text = _DOC.read_text("utf-8")
    marked = f"<!-- speed -->\n{table}\n<!-- end -->"
    # a function, for in a replacement text a digit after a group's number would belong to the number
    _DOC.write_text(re.sub(r"<!-- speed -->\n.*?<!-- end -->", lambda _: marked, text, flags=re.DOTALL), "utf-8")
    print(table)
    return 0 if statistics.median(times["`labkit doctor`"]) < 1 else 1


if __name__ == "__main__":
    sys.exit(main())
