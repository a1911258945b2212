"""Asks the solver about public modules' own go.mod files, and does what it answers: generate, then build in that
go.mod.

``nice python -m benchmarks.compat_real_modules [MODULE@VERSION...]`` (half an hour at first; the network). Each
module is asked twice: freely, and with the current set's tools wished for. A solution must build; a conflict must
fail, and say a symptom of one of the bounds that it names. Results are kept in compat_real_modules.json beside this
file.
"""

import json
import re
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.compat_bench import Outcome, Trial, attempt, current_go
from benchmarks.compat_proofs import replace_part
from labkit.errors import LabError
from labkit.system import store
from labkit.toolchain import golang, pins
from labkit.toolchain.compat import CHOSEN, Conflict, Solution, Wish, catalogue, solve
from labkit.toolchain.compat.asking import wish_of
from labkit.toolchain.compat.gomod import RUNTIMES, read

RAW: Final = Path(__file__).with_suffix(".json")
MODULES: Final = [
    "go.etcd.io/etcd/client/v3@v3.5.0",
    "go.etcd.io/etcd/client/v3@v3.5.9",
    "go.etcd.io/etcd/client/v3@v3.6.0",
    "github.com/grpc-ecosystem/grpc-gateway/v2@v2.0.0",
    "github.com/grpc-ecosystem/grpc-gateway/v2@v2.7.0",
    "github.com/grpc-ecosystem/grpc-gateway/v2@v2.15.0",
    "github.com/grpc-ecosystem/grpc-gateway/v2@v2.20.0",
    "github.com/grpc-ecosystem/grpc-gateway/v2@v2.26.0",
    "github.com/grpc-ecosystem/grpc-gateway@v1.14.0",
    "github.com/grpc-ecosystem/go-grpc-middleware@v1.3.0",
    "github.com/grpc-ecosystem/go-grpc-middleware/v2@v2.1.0",
    "go.opentelemetry.io/proto/otlp@v0.7.0",
    "go.opentelemetry.io/proto/otlp@v1.0.0",
    "go.opentelemetry.io/proto/otlp@v1.5.0",
    "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc@v1.10.0",
    "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc@v1.30.0",
    "github.com/envoyproxy/go-control-plane@v0.9.4",
    "github.com/envoyproxy/go-control-plane@v0.11.0",
    "github.com/envoyproxy/go-control-plane@v0.13.0",
    "github.com/hashicorp/go-plugin@v1.4.0",
    "github.com/hashicorp/go-plugin@v1.6.0",
    "github.com/hashicorp/consul/proto-public@v0.5.0",
    "github.com/containerd/containerd@v1.6.0",
    "github.com/containerd/containerd@v1.7.0",
    "github.com/containerd/containerd/v2@v2.0.0",
    "github.com/containerd/ttrpc@v1.2.0",
    "go.temporal.io/api@v1.20.0",
    "go.temporal.io/api@v1.40.0",
    "go.temporal.io/sdk@v1.25.0",
    "k8s.io/cri-api@v0.25.0",
    "k8s.io/kubelet@v0.31.0",
    "cloud.google.com/go/pubsub@v1.30.0",
    "cloud.google.com/go/pubsub@v1.45.0",
    "google.golang.org/api@v0.30.0",
    "google.golang.org/api@v0.126.0",
    "google.golang.org/api@v0.200.0",
    "github.com/fullstorydev/grpcurl@v1.8.7",
    "github.com/jhump/protoreflect@v1.15.0",
    "github.com/googleapis/gax-go/v2@v2.12.0",
    "github.com/spiffe/go-spiffe/v2@v2.1.0",
    "github.com/openconfig/gnmi@v0.10.0",
    "connectrpc.com/connect@v1.16.0",
    "github.com/dapr/go-sdk@v1.8.0",
    "github.com/moby/buildkit@v0.11.0",
    "github.com/dgraph-io/dgo/v210@v210.3.0",
    "cloud.google.com/go/spanner@v1.60.0",
]
_LOCK: Final = threading.Lock()


class _Listed(msgspec.Struct):
    GoMod: str
    Time: str = ""


def look(module: str, folder: Path) -> dict[str, object]:
    """Ask and try one module, and return what was answered and seen."""
    listed = msgspec.json.decode(
        golang.run(current_go(), "list", "-m", "-json", module, cwd=folder).stdout, type=_Listed
    )
    text, dropped = _without_folders(Path(listed.GoMod), folder)
    wish = wish_of(read(Path(listed.GoMod), go=current_go()), machine="linux-amd64", features={}, versions={})
    pinned = pins.named("current")
    tools = {"go": pinned.go.version, "protoc": pinned.protoc.version}
    tools |= {plugin.name: plugin.version for plugin in pinned.plugins if plugin.name in CHOSEN}
    free = _try(wish, {}, text, folder / "free")
    return {
        "published": listed.Time[:10],
        "go": wish.values["go-directive"],
        "states": {axis: wish.values[axis] for axis in RUNTIMES.values() if axis in wish.values},
        "dropped": dropped,
        "free": free,
        "with_current": _try(wish, tools, text, folder / "current"),
        "seen_on": str(datetime.now(UTC).date()),
    }


def _try(wish: Wish, tools: dict[str, str], text: str, folder: Path) -> dict[str, object]:
    origins = {axis: wish.origins[axis] for axis in wish.values}
    answer = solve(Wish(values={**wish.values, **tools}, origins=origins), catalogue())
    versions = answer.versions if isinstance(answer, Solution) else _all_the_same(wish, tools)
    added = {
        axis: version for axis, version in versions.items() if axis in RUNTIMES.values() and axis not in wish.values
    }
    requirements = [f"require {module} v{added[axis]}" for module, axis in RUNTIMES.items() if axis in added]
    trial = Trial(
        protoc=versions["protoc"], plugin=versions["protoc-gen-go"], grpc_plugin=versions["protoc-gen-go-grpc"]
    )
    outcome = attempt(replace(trial, go_mod="\n".join([text, *requirements, ""])), folder)
    return {
        "answer": "solution" if isinstance(answer, Solution) else "conflict",
        "versions": versions,
        "added": added,
        "bounds": list(answer.bounds) if isinstance(answer, Conflict) else [],
        "given_up": list(answer.given_up) if isinstance(answer, Solution) else [],
        "unknown": list(answer.unknown),
        "outcome": outcome.plain(),
        "agrees": agrees(answer, outcome),
    }


def _all_the_same(wish: Wish, tools: dict[str, str]) -> dict[str, str]:
    """Return what to try where there is no answer: as if no runtime were stated, with the plugin that asks least."""
    freely = solve(wish, catalogue())
    if isinstance(freely, Solution):
        return {**freely.versions, **tools}
    values = {axis: value for axis, value in wish.values.items() if axis not in RUNTIMES.values()}
    relaxed = solve(Wish(values=values), catalogue())
    assert isinstance(relaxed, Solution)
    return {**relaxed.versions, "protoc-gen-go-grpc": catalogue().versions["protoc-gen-go-grpc"][-1], **tools}


def agrees(answer: Solution | Conflict, outcome: Outcome) -> bool:
    """Tell whether the build did what the answer said: a conflict must show the symptom of a bound that it names."""
    if isinstance(answer, Solution):
        return outcome.ok
    symptoms = [catalogue().bound(id_).symptom for id_ in answer.bounds]
    return not outcome.ok and any(symptom in outcome.said for symptom in symptoms)


def _without_folders(path: Path, folder: Path) -> tuple[str, list[str]]:
    """Return a go.mod without its replacements by folders, which are not published, and what was left out."""
    (folder / "go.mod").write_bytes(path.read_bytes())
    plain = golang.run(current_go(), "mod", "edit", "-json", "go.mod", cwd=folder).stdout
    dropped = [
        line["Old"]["Path"] + (f"@{line['Old']['Version']}" if "Version" in line["Old"] else "")
        for line in json.loads(plain).get("Replace") or []
        if line["New"]["Path"].startswith(".")
    ]
    if dropped:
        golang.run(current_go(), "mod", "edit", *(f"-dropreplace={name}" for name in dropped), "go.mod", cwd=folder)
    text = (folder / "go.mod").read_text("utf-8")
    (folder / "go.mod").unlink()
    return text, dropped


def main() -> int:
    """Try every module that is not yet known; 1 when an answer and what was seen disagree."""
    wanted = sys.argv[1:] or MODULES
    raw = json.loads(RAW.read_text("utf-8")) if RAW.is_file() else {}

    def one(module: str) -> None:
        if module in raw:
            return
        with tempfile.TemporaryDirectory() as folder:
            try:
                seen = look(module, Path(folder))
            except LabError as error:
                print(f"{module}: not tried: {re.sub(r'https?://[^ /]+', 'HOST', error.what)[:200]}", flush=True)
                return
        with _LOCK:
            raw[module] = seen
            store.write_atomically(RAW, json.dumps(raw, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        for name in ("free", "with_current"):
            found = seen[name]
            said = "agrees" if found["agrees"] else f"DISAGREES: {found['outcome']['said'][:300]}"
            print(f"{module} {name}: {found['answer']}, {said}", flush=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, wanted))
    write_table(raw)
    disagreeing = [
        name for name, seen in raw.items() if not (seen["free"]["agrees"] and seen["with_current"]["agrees"])
    ]
    print(f"{len(raw)} modules tried, {len(raw) - len(disagreeing)} agree; not: {disagreeing}")
    return int(bool(disagreeing))


_BEGIN, _END = "<!-- modules: made by benchmarks.compat_real_modules -->", "<!-- /modules -->"


def table(raw: dict[str, dict[str, object]]) -> str:
    """Return what was answered and seen as Markdown, one row a module."""
    rows = []
    for module, seen in sorted(raw.items(), key=lambda item: (item[1]["published"], item[0])):
        states = ", ".join(f"{axis} {version}" for axis, version in sorted(seen["states"].items())) or "neither"
        chosen = seen["free"]["versions"]
        plugins = f"protoc-gen-go {chosen['protoc-gen-go']}, -grpc {chosen['protoc-gen-go-grpc']}"
        cells = (
            module,
            seen["published"],
            seen["go"],
            states,
            plugins,
            _said(seen["free"]),
            _said(seen["with_current"]),
        )
        rows.append("| " + " | ".join(cells) + " |")
    attempts = [seen[name] for seen in raw.values() for name in ("free", "with_current")]
    conflicts = sum(found["answer"] == "conflict" for found in attempts)
    agreeing = sum(bool(found["agrees"]) for found in attempts)
    absent = [module for module in MODULES if module not in raw]
    untried = f"Not tried, for they could not be fetched: {', '.join(absent)}." if absent else "All listed were tried."
    return (
        f"{len(rows)} go.mod files of public modules, each asked freely and with the tools of the set `current` wished "
        f"for: {len(attempts)} answers, {conflicts} of them conflicts. {agreeing} were as answered: the helloworld "
        "service, generated with the chosen plugins, built in that go.mod, or failed with the symptom of a bound that "
        f"the conflict names (`python -m benchmarks.compat_real_modules`). {untried}\n\n"
        "| module | published | go | requires | chosen | freely | with `current` |\n|---|---|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def _said(found: dict[str, object]) -> str:
    if not found["agrees"]:
        return f"**not as answered** ({found['answer']})"
    return "builds" if found["answer"] == "solution" else f"conflict: {', '.join(found['bounds'])}; fails so"


def write_table(raw: dict[str, dict[str, object]]) -> None:
    """Put the table into docs/compatibility.md."""
    replace_part(_BEGIN, _END, table(raw))


if __name__ == "__main__":
    raise SystemExit(main())
