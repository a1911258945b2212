"""Sees both sides of each bound of ``labkit.toolchain.compat`` with real tools, and writes docs/compatibility.md's
table.

``nice python -m benchmarks.compat_proofs [ID...]`` (ten minutes at first, the network for what was not fetched before).
What was seen is kept in compat_proofs.json beside this file, by the digest of what was tried, and not tried again.
"""

import json
import platform
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.compat_bench import Outcome, Trial, attempt, current_go, other_go, protoc_artefact
from labkit.binary import inspect
from labkit.system import proc, store
from labkit.toolchain import golang
from labkit.toolchain.compat import catalogue

RAW: Final = Path(__file__).with_suffix(".json")
OUT: Final = Path(__file__).parents[1] / "docs/compatibility.md"
_TIMEOUT_S: Final = 900.0
_GRPC = "google.golang.org/grpc"
_PROTOBUF = "google.golang.org/protobuf"


@dataclass(frozen=True, kw_only=True)
class GoMod:
    """A go.mod that a Go of some version (empty: the set's) loads with everything it requires."""

    text: str
    go: str = ""
    command: tuple[str, ...] = ("list", "-m", "all")


@dataclass(frozen=True, kw_only=True)
class Linked:
    """An empty program for macOS, linked by a Go of some version: are these its LC_UUID and least macOS?"""

    go: str
    architecture: str  # as Go names it
    uuid: bool
    macos: str


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """The published protoc for osx-aarch_64: is it arm64?"""

    version: str


Side = Trial | GoMod | Linked | Artefact


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What must succeed, what must fail, and what the failure must say (a regular expression)."""

    good: tuple[Side, ...]
    bad: tuple[Side, ...]
    says: str
    mark: str = ""  # what good code holds and bad code does not, where the tools say nothing
    quick: bool = False  # also run by the tests


def _module(directive: str, *lines: str) -> str:
    return "\n".join(["module example.test/trial", "", f"go {directive}", "", *lines]) + "\n"


def _line(text: str, *, bad: str, good: str, says: str) -> Proof:
    return Proof(
        good=(GoMod(text=text, go=good, command=("list", "-m")),),
        bad=(GoMod(text=text, go=bad, command=("list", "-m")),),
        says=says,
    )


def _service(
    version: str, grpc: str, *, protobuf: str = "1.33.0", directive: str = "1.19", streams: bool = True
) -> Trial:
    return Trial(
        plugin="1.28.1", grpc_plugin=version, grpc=grpc, protobuf=protobuf, go_directive=directive, streams=streams
    )


def _needs_go(module: str, *, old: str, new: str, less: str, enough: str) -> Proof:
    """``new`` of a module asks for a Go that ``old`` did not ask for; each go line is that of the Go at hand."""
    of_old, of_new = less, enough
    lines = {version: f"require {module} v{version}" for version in (old, new)}
    return Proof(
        good=(GoMod(text=_module(of_old, lines[old]), go=less), GoMod(text=_module(of_new, lines[new]), go=enough)),
        bad=(GoMod(text=_module(of_old, lines[new]), go=less),),
        says=r"requires go >= 1\.",
    )


def _needs_line(module: str, version: str, *, less: str, enough: str) -> Proof:
    requirement = f"require {module} v{version}"
    return Proof(
        good=(GoMod(text=_module(enough, requirement)),),
        bad=(GoMod(text=_module(less, requirement)),),
        says="updates to go.mod needed",
        quick=module == _PROTOBUF and version != "1.35.0",
    )


_FLAG = ("--experimental_allow_proto3_optional",)
_OPTIONAL_1_36 = _needs_go(_PROTOBUF, old="1.36.5", new="1.36.6", less="1.21.13", enough="1.22.12")
_OPTIONAL_1_36_8 = _needs_go(_PROTOBUF, old="1.36.7", new="1.36.8", less="1.22.12", enough="1.23.12")

PROOFS: Final[dict[str, Proof]] = {
    "go-line": Proof(
        good=(GoMod(text=_module("1.22"), go="1.22.12", command=("list", "-m")),),
        bad=(GoMod(text=_module("1.22"), go="1.21.13", command=("list", "-m")),),
        says=r"requires go >= 1\.22",
    ),
    "go-line-three-parts": _line(_module("1.21.0"), bad="1.20.14", good="1.21.13", says="invalid go version '1.21.0'"),
    "toolchain-line": _line(
        _module("1.20", "toolchain go1.21.13"), bad="1.20.14", good="1.21.13", says="unknown directive: toolchain"
    ),
    "godebug-line": _line(
        _module("1.21", "godebug default=go1.21"), bad="1.22.12", good="1.23.12", says="unknown directive: godebug"
    ),
    "tool-line": _line(
        _module("1.21", "tool example.test/trial/x"), bad="1.23.12", good="1.24.9", says="unknown directive: tool"
    ),
    "ignore-line": _line(_module("1.21", "ignore ./x"), bad="1.24.9", good="1.25.3", says="unknown directive: ignore"),
    "any-in-messages": Proof(
        good=(
            Trial(plugin="1.34.2", protobuf="1.33.0", go_directive="1.18"),
            Trial(plugin="1.34.0", protobuf="1.33.0", go_directive="1.17"),
        ),
        bad=(Trial(plugin="1.34.2", protobuf="1.33.0", go_directive="1.17"),),
        says="predeclared any requires go1.18",
    ),
    "stringdata-in-messages": Proof(
        good=(
            Trial(plugin="1.36.4", protobuf="1.33.0", go_directive="1.20"),
            Trial(plugin="1.36.3", protobuf="1.33.0", go_directive="1.19"),
        ),
        bad=(Trial(plugin="1.36.4", protobuf="1.33.0", go_directive="1.19"),),
        says="unsafe.StringData requires go1.20",
    ),
    "generic-streams": Proof(
        good=(_service("1.5.1", "1.64.0", directive="1.18"), _service("1.3.0", "1.64.0", directive="1.17")),
        bad=(_service("1.5.1", "1.64.0", directive="1.17"),),
        says="type instantiation requires go1.18",
    ),
    "grpc-version-7": Proof(
        good=(_service("1.3.0", "1.32.0", protobuf="1.28.1"), _service("1.0.0", "1.32.0", protobuf="1.28.1")),
        bad=(_service("1.3.0", "1.31.1", protobuf="1.28.1"), _service("1.0.0", "1.31.1", protobuf="1.28.1")),
        says="undefined: grpc.SupportPackageIsVersion7",
    ),
    "grpc-version-8": Proof(
        good=(_service("1.4.0", "1.62.0"), _service("1.3.0", "1.61.2")),
        bad=(_service("1.4.0", "1.61.2"),),
        says="undefined: grpc.SupportPackageIsVersion8",
    ),
    "grpc-version-9": Proof(
        good=(_service("1.5.1", "1.64.0"), _service("1.6.2", "1.64.0"), _service("1.4.0", "1.63.2")),
        bad=(_service("1.5.1", "1.63.2"), _service("1.6.2", "1.63.2")),
        says="undefined: grpc.SupportPackageIsVersion9",
    ),
    "grpc-plugin-own-versions": Proof(
        good=(Trial(grpc_plugin="1.6.2"),),
        bad=(GoMod(text=_module("1.21"), command=("install", f"{_GRPC}/cmd/protoc-gen-go-grpc@v1.32.0")),),
        says="found, but does not contain package",
    ),
    "optional-protoc": Proof(
        good=(Trial(protoc="3.15.0", proto="optional"),),
        bad=(Trial(protoc="3.14.0", proto="optional"),),
        says="--experimental_allow_proto3_optional was not set",
    ),
    "optional-protoc-with-flag": Proof(
        good=(Trial(protoc="3.12.0", proto="optional", flags=_FLAG),),
        bad=(Trial(protoc="3.11.4", proto="optional", flags=_FLAG),),
        says="Missing value for flag: --experimental_allow_proto3_optional",
    ),
    "optional-plugin": Proof(
        good=(Trial(plugin="1.22.0", proto="optional"),),
        bad=(Trial(plugin="1.21.0", proto="optional"),),
        says="hasn't been updated to support optional fields",
        quick=True,
    ),
    "edition-2023-protoc": Proof(
        good=(Trial(protoc="27.0", proto="edition-2023"),),
        bad=(Trial(protoc="26.1", proto="edition-2023"),),
        says="--experimental_editions has not been enabled",
    ),
    "edition-2023-plugin": Proof(
        good=(Trial(plugin="1.34.0", proto="edition-2023"),),
        bad=(Trial(plugin="1.33.0", proto="edition-2023"),),
        says="protoc-gen-go hasn't been updated to support editions",
        quick=True,
    ),
    "edition-2023-grpc-plugin": Proof(
        good=(Trial(grpc_plugin="1.5.1", proto="edition-2023"),),
        bad=(Trial(grpc_plugin="1.4.0", proto="edition-2023"),),
        says="protoc-gen-go-grpc hasn't been updated to support editions",
    ),
    "edition-2024-protoc": Proof(
        good=(Trial(protoc="32.0", proto="edition-2024"),),
        bad=(Trial(protoc="31.1", proto="edition-2024"),),
        says="later than the protoc maximum supported edition 2023|unstable",
    ),
    "edition-2024-plugin": Proof(
        good=(Trial(protoc="32.0", plugin="1.36.9", proto="edition-2024"),),
        bad=(Trial(protoc="32.0", plugin="1.36.8", proto="edition-2024"),),
        says=r"protoc-gen-go: .*\n?.*use of edition EDITION_2024 not yet supported",
    ),
    "edition-2024-grpc-plugin": Proof(
        good=(Trial(protoc="32.0", grpc_plugin="1.6.0", proto="edition-2024"),),
        bad=(Trial(protoc="32.0", grpc_plugin="1.5.1", proto="edition-2024"),),
        says=r"protoc-gen-go-grpc: .*\n?.*use of edition EDITION_2024 not yet supported",
    ),
    "opaque-plugin": Proof(
        good=(Trial(plugin="1.36.0", proto="opaque"),),
        bad=(Trial(plugin="1.35.2", proto="opaque"),),
        says="",
        mark="SetText(",
        quick=True,
    ),
    "opaque-runtime": Proof(
        good=(Trial(proto="opaque", protobuf="1.36.0"), Trial(protobuf="1.35.2")),
        bad=(Trial(proto="opaque", protobuf="1.35.2"),),
        says=r"protoimpl\.X\.Present undefined",
    ),
    "macos-26-uuid": Proof(
        good=(Linked(go="1.24.9", architecture="arm64", uuid=True, macos="11.0"),),
        bad=(Linked(go="1.23.12", architecture="arm64", uuid=True, macos="11.0"),),
        says="uuid False",
    ),
    "go-1-23-macos": Proof(
        good=(Linked(go="1.22.12", architecture="amd64", uuid=False, macos="10.13"),),
        bad=(Linked(go="1.23.12", architecture="amd64", uuid=False, macos="10.13"),),
        says=r"macos 11\.0",
    ),
    "go-1-25-macos": Proof(
        good=(Linked(go="1.24.9", architecture="arm64", uuid=True, macos="11.0"),),
        bad=(Linked(go="1.25.3", architecture="arm64", uuid=True, macos="11.0"),),
        says=r"macos 12\.0",
    ),
    "go-1-27-macos": Proof(
        good=(Linked(go="1.26.6", architecture="arm64", uuid=True, macos="12.0"),),
        bad=(Linked(go="", architecture="arm64", uuid=True, macos="12.0"),),
        says=r"macos 13\.0",
    ),
    "protoc-arm64": Proof(good=(Artefact(version="3.21.12"),), bad=(Artefact(version="3.20.1"),), says="x86_64"),
    "protobuf-1-36-6-go": _OPTIONAL_1_36,
    "protobuf-1-36-8-go": _OPTIONAL_1_36_8,
    "protoc-gen-go-1-36-6-go": _OPTIONAL_1_36,
    "protoc-gen-go-1-36-8-go": _OPTIONAL_1_36_8,
    "grpc-1-68-0-go": _needs_go(_GRPC, old="1.67.3", new="1.68.0", less="1.21.13", enough="1.22.12"),
    "grpc-1-68-1-go": _needs_go(_GRPC, old="1.67.3", new="1.68.1", less="1.21.13", enough="1.22.12"),
    "grpc-1-72-0-go": _needs_go(_GRPC, old="1.71.3", new="1.72.0", less="1.22.12", enough="1.23.12"),
    "grpc-1-76-0-go": _needs_go(_GRPC, old="1.75.1", new="1.76.0", less="1.23.12", enough="1.24.9"),
    "grpc-1-81-0-go": _needs_go(_GRPC, old="1.80.0", new="1.81.0", less="1.24.9", enough="1.25.3"),
    "grpc-1-85-0-go": _needs_go(_GRPC, old="1.84.0", new="1.85.0", less="1.25.3", enough="1.26.6"),
    "protobuf-1-35-0-go-line": _needs_line(_PROTOBUF, "1.35.0", less="1.20", enough="1.21"),
    "protobuf-1-36-6-go-line": _needs_line(_PROTOBUF, "1.36.6", less="1.21", enough="1.22"),
    "protobuf-1-36-8-go-line": _needs_line(_PROTOBUF, "1.36.8", less="1.22", enough="1.23"),
    "grpc-1-65-0-go-line": _needs_line(_GRPC, "1.65.0", less="1.20", enough="1.21"),
    "grpc-1-68-0-go-line": _needs_line(_GRPC, "1.68.0", less="1.22.6", enough="1.22.7"),
    "grpc-1-68-1-go-line": _needs_line(_GRPC, "1.68.1", less="1.21", enough="1.22"),
    "grpc-1-72-0-go-line": _needs_line(_GRPC, "1.72.0", less="1.22.0", enough="1.23"),
    "grpc-1-76-0-go-line": _needs_line(_GRPC, "1.76.0", less="1.23.0", enough="1.24.0"),
    "grpc-1-81-0-go-line": _needs_line(_GRPC, "1.81.0", less="1.24.0", enough="1.25.0"),
    "grpc-1-85-0-go-line": _needs_line(_GRPC, "1.85.0", less="1.25.0", enough="1.26.0"),
}


def see(side: Side, folder: Path) -> Outcome:
    """Try one side and return what was seen."""
    match side:
        case Trial():
            return attempt(side, folder)
        case GoMod():
            return _load(side, folder)
        case Linked():
            return _link(side, folder)
        case Artefact():
            found = inspect(protoc_artefact(side.version, "osx-aarch_64"))
            architectures = [str(part.architecture) for part in found.slices]
            return Outcome(ok="arm64" in architectures, step="inspect", said=f"it holds {', '.join(architectures)}")


def _load(side: GoMod, folder: Path) -> Outcome:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(side.text)
    go = other_go(side.go) if side.go else current_go()
    if side.command == ("list", "-m", "all"):  # go.sum first, for a go.mod whose go line asks for nothing
        (folder / "go.mod").write_text(re.sub(r"(?m)^go .*", "go 1.27", side.text))
        env = golang.environment(current_go()) | {"GOFLAGS": "-mod=mod"}
        proc.run([current_go(), *side.command], env=env, timeout_s=_TIMEOUT_S, cwd=folder)
        (folder / "go.mod").write_text(side.text)
    env = golang.environment(go) | {"GOFLAGS": "-mod=readonly"}
    done = proc.run([go, *side.command], env=env, timeout_s=_TIMEOUT_S, cwd=folder, check=False)
    return Outcome(
        ok=done.returncode == 0,
        step="load",
        said=_hidden(done.stderr.replace(f"{folder}/", "")) if done.returncode else "",
    )


def _link(side: Linked, folder: Path) -> Outcome:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(_module("1.20"))
    (folder / "main.go").write_text("package main\n\nfunc main() {}\n")
    go = other_go(side.go) if side.go else current_go()
    env = golang.environment(go, GOOS="darwin", GOARCH=side.architecture)
    proc.run([go, "build", "-trimpath", "-o", "program", "."], env=env, timeout_s=_TIMEOUT_S, cwd=folder)
    part = inspect(folder / "program").slices[0]
    has_uuid = part.uuid is not None
    said = f"uuid {has_uuid}, macos {part.minimum_os}"
    return Outcome(ok=(has_uuid, part.minimum_os) == (side.uuid, side.macos), step="link", said=said)


def _hidden(text: str) -> str:
    shown = re.sub(r"(https?://)[^/\s\"')]+", r"\1HOST", store.shown(text))
    return "\n".join(line for line in shown.splitlines() if not line.startswith("go: downloading"))[:600]


def judge(proof: Proof, good: list[Outcome], bad: list[Outcome]) -> list[str]:
    """Return what speaks against a proof; nothing when it holds."""
    if proof.mark:
        wrong = [outcome for outcome in good if not outcome.ok or proof.mark not in outcome.marks]
        wrong += [outcome for outcome in bad if not outcome.ok or proof.mark in outcome.marks]
        return [f"not as marked: {outcome.marks} {outcome.said}" for outcome in wrong]
    against = [f"should have worked: {outcome.said}" for outcome in good if not outcome.ok]
    against += [f"should have failed: {outcome.said}" for outcome in bad if outcome.ok]
    return against + [
        f"failed for another reason: {outcome.said}"
        for outcome in bad
        if not outcome.ok and not re.search(proof.says, outcome.said)
    ]


def run_proof(proof: Proof, seen: Callable[[Side], Outcome]) -> list[str]:
    """Try both sides; return what speaks against the proof."""
    return judge(proof, [seen(side) for side in proof.good], [seen(side) for side in proof.bad])


def _key(side: Side) -> str:
    return f"{type(side).__name__} {json.dumps(asdict(side), sort_keys=True)}"


def main() -> int:
    """Try what is not yet known, keep it, and write the table; 1 when a proof does not hold."""
    wanted = set(sys.argv[1:])
    raw = json.loads(RAW.read_text("utf-8")) if RAW.is_file() else {}

    def seen(side: Side) -> Outcome:
        key = _key(side)
        if key not in raw:
            with tempfile.TemporaryDirectory() as folder:
                outcome = see(side, Path(folder) / "trial")
            raw[key] = outcome.plain() | {"seen_on": str(datetime.now(UTC).date()), "machine": _machine()}
            store.write_atomically(RAW, json.dumps(raw, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        kept = {name: value for name, value in raw[key].items() if name not in {"seen_on", "machine"}}
        return Outcome(**kept | {"marks": tuple(kept.get("marks", ()))})

    faults = 0
    for id_, proof in PROOFS.items():
        if wanted and id_ not in wanted:
            continue
        against = run_proof(proof, seen)
        faults += bool(against)
        print(f"{id_}: {'holds' if not against else '; '.join(against)}", flush=True)
    print(f"{len(PROOFS) - faults} of {len(PROOFS)} proofs hold; {len(catalogue().bounds)} bounds")
    if not wanted and not faults:
        write_table(raw)
    return int(faults > 0)


def _machine() -> str:
    return f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}"


_BEGIN, _END = "<!-- bounds: made by benchmarks.compat_proofs -->", "<!-- /bounds -->"


def table(raw: dict[str, dict[str, object]]) -> str:
    """Return the bounds as Markdown, with where and when each was seen."""
    rows = []
    for bound in catalogue().bounds:
        proof = PROOFS.get(bound.id)
        keys = [_key(side) for side in (*proof.good, *proof.bad)] if proof else []
        days = sorted({f"{raw[key]['machine']}, {raw[key]['seen_on']}" for key in keys if key in raw})
        condition = "; ".join(f"{axis} {text}" for axis, text in bound.when.items()) or "always"
        needs = "; ".join(f"{axis} {text}" for axis, text in bound.needs.items())
        proved = f"{bound.proved} ({'; '.join(days)})" if bound.proved else "no"
        mac = {None: "-", True: "yes", False: "no"}[bound.confirmed_on_hardware]
        symptom = f"`{bound.symptom}`" + (f" ({bound.failure_mode})" if bound.failure_mode else "")
        cells = (bound.id, condition, needs, symptom, proved, mac, f"[source]({bound.source})")
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    proved = sum(bool(bound.proved) for bound in catalogue().bounds)
    head = (
        f"{len(rows)} bounds, {proved} of them seen on both sides.\n\n"
        "| bound | when | needs | otherwise | seen | on a Mac | source |\n|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def write_table(raw: dict[str, dict[str, object]]) -> None:
    """Put the table into docs/compatibility.md."""
    replace_part(_BEGIN, _END, table(raw))


def replace_part(begin: str, end: str, text: str) -> None:
    """Replace what stands between two marks of docs/compatibility.md."""
    page = OUT.read_text("utf-8")
    before, rest = page.split(begin, 1)
    after = rest.split(end, 1)[1]
    store.write_atomically(OUT, f"{before}{begin}\n{text}{end}{after}")


if __name__ == "__main__":
    raise SystemExit(main())
