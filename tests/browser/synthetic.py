"""Runs that were never run: a record and small notebooks, really executed, for what makes pages of them.

Everything here is synthetic and says so; the names are no machine's. The notebooks hold what pages must stand: figures,
a table, an error, coloured streams, and HTML, Markdown and JavaScript that try to run.
"""

import contextlib
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from labkit.model.base import Provenance
from labkit.model.bench import Interval, Sample
from labkit.model.binary import Binary, Format, Runs, SignatureKind, Slice, Verdict
from labkit.model.check import Finding, Status
from labkit.model.codegen import Served
from labkit.model.machine import Architecture, Condition, Machine, Translation
from labkit.model.run import (
    BinariesSection,
    CodegenSection,
    InstallSection,
    NotebookRun,
    NotebookStatus,
    PerformanceSection,
    RunRecord,
)
from labkit.model.toolchain import Newer, Tool
from labkit.system import records

SYNTHETIC = Provenance.SYNTHETIC
#: What a payload does when it runs: it says so in the page's title and in a global name.
RAN = "document.title='injected';window.injected=true"
WRONG = f'<script>{RAN}</script><img src=x onerror="{RAN}"><b>still here</b>'

FIGURE = """import plotly.graph_objects as go
names = ["protobuf marshal", "protobuf unmarshal", "gRPC echo", "FFT of 4096 points"]
bar = go.Bar(y=names, x=[1.2, 2.3, 30.1, 55.0], orientation="h",
    error_x={"type": "data", "array": [0.1, 0.2, 2.5, 3.0], "color": "#222222"})
figure = go.Figure(bar)
figure.update_layout(title="How long does each kernel take?<br><sup>median of 5 processes, µs, lower is better</sup>",
    xaxis_title="wall time (µs/op)", template="plotly_white", width=1400)
figure.add_annotation(x=20, y=0, text="not measured: why", showarrow=False, font={"color": "#333333"})
figure"""
SCATTER = """import plotly.graph_objects as go
figure = go.Figure()
for core in ("first", "second", "third"):
    figure.add_trace(go.Scattergl(x=list(range(40)), y=[n % 7 for n in range(40)], name=f"the {core} kind of core"))
figure.update_layout(title={"text": "Is it </script><script>alert(1)</script> steady?"}, yaxis_title="ns/op")
figure"""
TABLE = """import pandas
pandas.DataFrame({
    "tool": ["go", "protoc", "protoc-gen-go", "protoc-gen-go-grpc"],
    "wanted": ["1.27.3", "36.2", "1.36.12", "1.7.0"],
    "found": ["1.27.3", "36.2", "1.36.11", "<img src=x onerror=alert(1)>"],
    "path": ["/a/rather/long/path/to/the/store/of/tools/go-0123456789abcdef/bin/" + n for n in "abcd"],
    "digest": ["0123456789abcdef" * 4] * 4,
    "built": ["2026-11-23T14:00:00Z"] * 4,
})"""
STREAMS = r"""import sys
print("\x1b[1;32mgreen and bold\x1b[0m, then plain <b>not bold</b>")
for percent in range(0, 101, 10):
    print(f"\rprogress {percent} %", end="", file=sys.stderr)
print("\n\x1b[31mred on stderr\x1b[0m", file=sys.stderr)
print("x" * 300)"""
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="{RAN}"><script>{RAN}</script></svg>'
FRAMES = (
    '<iframe src="https://example.org"></iframe><form action="https://example.org"><input></form>'
    '<img src="https://example.org/pixel.png" alt="a pixel"><a href="&#106;avascript:alert(1)">entity</a>'
    '<style>body {{ display: none }}</style><p class="lk-banner" id="error" style="position: fixed">dressed up</p>'
)
LINKS = "[press](javascript:alert(1)) and [read](https://example.org/page)"
PAYLOADS = f"""from IPython.display import HTML, Javascript, Markdown, display
display(HTML({WRONG!r}))
display(Markdown({WRONG!r} + "\\n\\n" + {LINKS!r}))
display(Javascript({RAN!r}))
display({{"image/svg+xml": {SVG!r}}}, raw=True)
display(HTML({FRAMES!r}))"""
PROSE = f"""# Is everything where it should be?

Look for the **first** tool that differs; `go` comes first. It costs $5 or $6, no formula.

| column | meaning |
|---|---|
| wanted | what the pin says |
| found | what the tool answers |

{WRONG}

> A quotation, and a [link](https://example.org/).
"""
ERROR = 'raise RuntimeError("the \\x1b[31mplug-in\\x1b[0m <i>is</i> not there")'


def execute(path: Path, *sources: str) -> None:
    """Write a notebook with its outputs, up to a cell that fails; a source that starts with # is Markdown."""
    book = nbformat.v4.new_notebook()
    for source in sources:
        new = nbformat.v4.new_markdown_cell if source.startswith("# ") else nbformat.v4.new_code_cell
        book.cells.append(new(source))
    with contextlib.suppress(CellExecutionError):
        NotebookClient(book, timeout=120, kernel_name="python3").execute()
    nbformat.write(book, path)


def _empty(wanted: object) -> object:
    """Return the plainest value of a field's type: None where it may be, no text, zero, nothing."""
    origin = typing.get_origin(wanted)
    if origin in {types.UnionType, typing.Union}:
        return None
    if origin in {tuple, list}:
        return []
    if origin is Mapping:
        return {}
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return next(iter(wanted))
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return made(wanted)
    return {str: "", int: 0, float: 0.0, bool: False}[wanted]


def made(kind, **known):
    """Return a record of a kind with these fields; those left out are synthetic and as empty as their types allow."""
    hints = typing.get_type_hints(kind)
    fields = {
        field.name: _empty(hints[field.name])
        for field in msgspec.structs.fields(kind)
        if field.required and field.name not in known
    }
    if "provenance" in kind.__struct_fields__:
        fields["provenance"] = SYNTHETIC
    return msgspec.convert(msgspec.to_builtins(fields | known), kind)


def machine(**changed: object) -> Machine:
    fields: dict[str, object] = {
        "id": "synthetic-8c-16g-linux",
        "system": "linux",
        "system_version": "12",
        "system_name": "A Linux of the tests 12 (bookworm)",
        "kernel": "Linux 6.1.0",
        "chip": "Synthetic chip <b>of the tests</b>",
        "architecture": Architecture.ARM64,
        "process_architecture": Architecture.X86_64,
        "translation": Translation.QEMU,
        "virtual": True,
        "hypervisor": "kvm",
        "physical_core_count": 8,
        "logical_core_count": 8,
        "performance_levels": [
            {"name": name, "physical_core_count": 4, "logical_core_count": 4}
            | dict.fromkeys(("l1i_cache_bytes", "l1d_cache_bytes", "l2_cache_bytes", "cores_per_l2"))
            for name in ("Performance", None)
        ],
        "memory_bytes": 16 << 30,
        "page_size_bytes": 16384,
        "cache_line_bytes": 128,
        "missing": {"model": {"id": "reason.of.the.tests", "values": {"file": "/sys/<script>"}}},
    }
    return made(Machine, **(fields | changed))


def finding(id_: str, status: Status, **more: object) -> Finding:
    looked = {
        "what": f"{id_} --version",
        "found": "1.36.11 <img src=x onerror=alert(1)>",
        "wanted": "1.36.12",
        "provenance": SYNTHETIC,
    }
    title = {"id": f"synthetic.{id_}", "values": {"tool": "<script>alert(1)</script>"}}
    return made(Finding, id=id_, status=status, title=title, evidence=[looked], **more)


def sample(title: str, median_ns: float, *, n: int = 5, **more: object) -> Sample:
    known = {"low": median_ns * 0.97, "high": median_ns * 1.04, "confidence": 0.9375} if n >= 5 else {}
    wall = made(Interval, median=median_ns, n=n, **known)
    return made(Sample, kernel=title, title={"id": title}, unit="ns/op", wall=wall, cpu=wall, cpu_share=wall, **more)


def binary(path: str, format_: Format, *architectures: str, error: str | None = None) -> Binary:
    macho = format_ is Format.MACHO
    signature = {"kind": SignatureKind.LINKER if macho else SignatureKind.NONE}
    slices = [
        made(Slice, architecture=one, bits=64, minimum_os="macos 12.0" if macho else None, signature=signature)
        for one in architectures
    ]
    verdicts = [
        made(Verdict, machine="m1-macos14", runs=Runs.YES, rule="of-the-tests"),
        made(Verdict, machine="linux-amd64", runs=Runs.NO, rule="of-the-tests"),
    ]
    return made(Binary, path=path, size_bytes=4_321_987, format=format_, error=error, slices=slices, verdicts=verdicts)


def record(run: str = "20261123-140000-0123abcd", **changed: object) -> RunRecord:
    install = made(
        InstallSection,
        toolchain={
            "name": "current",
            "digest": "0" * 16,
            "platform": "linux/arm64",
            "tools": [
                made(
                    Tool,
                    name="go",
                    version="1.2.3",
                    pinned_version="1.2.3",
                    pinned_on="2026-11-01",
                    source="go (wheel)",
                ),
                made(Tool, name="protoc", pinned_version="36.2", pinned_on="2026-11-01", problem="it answered nothing"),
            ],
            "modules": [],
            "protoc_include": "/store/include",
        },
        newer=[made(Newer, name="go", pinned_version="1.2.3", newest_version="1.2.4")],
        findings=[
            finding("tool.go", Status.PASS, link="https://go.dev/doc/"),
            finding(
                "tool.protoc-gen-go",
                Status.FAIL,
                confirmed_on_hardware=False,
                link="javascript:alert(1)",
                remedy={"text": {"id": "synthetic.remedy"}, "commands": ["labkit setup", "hash -r"]},
            ),
            finding("tool.dlv", Status.SKIP, reason={"id": "synthetic.reason", "values": {"need": "codesign"}}),
        ],
    )
    served = made(
        Served,
        request="you",
        reply="Hello you",
        expected_reply="Hello you",
        method="helloworld.Greeter/SayHello",
        call_time_s=0.0012,
    )
    binaries = made(
        BinariesSection,
        tools=[
            binary("/store/bin/protoc", Format.ELF, "x86_64"),
            binary("/store/bin/broken", Format.OTHER, error="no executable"),
        ],
        servers=[binary("/store/server-darwin", Format.MACHO, "arm64", "x86_64")],
        findings=[finding("binary.architecture", Status.PASS)],
    )
    performance = made(
        PerformanceSection,
        condition_before=made(Condition, load_1min=0.5),
        condition_after=made(Condition, load_1min=1.25),
        samples=[
            sample("protobuf marshal", 812.0),
            sample("gRPC echo", 48_123.0, warnings=[{"id": "synthetic.warning", "values": {"load": 3.1}}]),
            sample("FFT of 4096 points", 55_120_000.0, n=3),
        ],
    )
    fields: dict[str, object] = {
        "run": run,
        "labkit_version": "0.1.0",
        "python_version": "3.11.7",
        "params_name": "quick",
        "parameters": {"processes": 5, "title": "</script><script>alert(1)</script>", "native": True, "none": None},
        "started_at": "2026-11-23T14:00:00+00:00",
        "ended_at": "2026-11-23T14:02:05+00:00",
        "machine": machine(),
        "notebooks": [
            made(NotebookRun, name="01_install", file="01_install.ipynb", status="done", wall_time_s=12.3),
            made(
                NotebookRun,
                name="02_codegen",
                file="02_codegen.ipynb",
                status=NotebookStatus.FAILED,
                wall_time_s=71.0,
                cause="RuntimeError: the plug-in is not there",
                remedy="run `labkit setup`",
            ),
        ],
        "install": install,
        "codegen": made(CodegenSection, served=served, findings=[finding("codegen.serves", Status.PASS)]),
        "binaries": binaries,
        "performance": performance,
    }
    return made(RunRecord, **(fields | changed))


def run_folder(runs: Path, written: RunRecord | None = None) -> Path:
    """Write a run's folder: its record, and the two executed notebooks that it names."""
    written = written or record()
    folder = runs / written.machine.id / written.run
    folder.mkdir(parents=True)
    records.write(folder / "record.json", written)
    (folder / "log.txt").write_text("of the tests\n")
    execute(folder / "01_install.ipynb", PROSE, FIGURE, TABLE, SCATTER, STREAMS, PAYLOADS)
    execute(folder / "02_codegen.ipynb", "# Does code generation work?\n\nIt does not.", "1 + 1", ERROR, "'not run'")
    return folder
