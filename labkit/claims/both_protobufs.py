"""What the two protobuf modules of Go say of themselves, and what is built of them: shared by statements on versions.

Modules come from the proxy that is set; a test puts a folder before it (``proxy``). Nothing is judged here.
"""

import json
import re
import tempfile
from pathlib import Path
from typing import Final

from labkit import binary
from labkit.claims import ledgers, trying
from labkit.claims.facts import ClaimFacts, probe
from labkit.errors import NetworkError
from labkit.gobuild.resolution import modules
from labkit.model.base import Record
from labkit.toolchain import golang

NEW: Final = "google.golang.org/protobuf"
OLD: Final = "github.com/golang/protobuf"
GRPC: Final = "google.golang.org/grpc"
#: One of each day of the older module: its own runtime, the first on the newer one's, and its last.
OLD_VERSIONS: Final = ("v1.3.5", "v1.4.3", "v1.5.4")
#: Runtimes that are tried with code of the handbook's generator, the oldest first.
RUNTIMES: Final = ("v1.20.0", "v1.26.0", "v1.30.0", "v1.31.0", "v1.32.0")
_TRIAL: Final = "labkit.dev/only"
_GO_MOD: Final = "module {module}\n\ngo 1.20\n"
#: The second of the two lines in a header: the runtime is not older than this.
_ENFORCED: Final = re.compile(r"EnforceVersion\(protoimpl\.MaxVersion - (\d+)\)")
_MAIN: Final = """package main

import (
	{old}"github.com/golang/protobuf/proto"
	{new}"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {{
	data, err := {new_name}.Marshal(wrapperspb.String("x"))
	if err != nil {{
		panic(err)
	}}
	println("both", len(data), {old_name}.Int32(1) != nil)
}}
"""
_HELLO: Final = """package main

import (
	"labkit.dev/trial/hello"

	"google.golang.org/protobuf/proto"
)

func main() {
	data, err := proto.Marshal(&hello.HelloRequest{Name: "x"})
	if err != nil {
		panic(err)
	}
	println("marshalled", len(data))
}
"""


class ModuleTold(Record, frozen=True, kw_only=True):
    """What the go command is told of a module: its newest version, when it was made, and its notice."""

    module: str
    asked: str
    version: str  # "-" when there is none
    date: str
    deprecated: str  # "-" without a notice
    said: str  # the first line of an error


class BuiltWith(Record, frozen=True, kw_only=True):
    """A program that was built with a version of a module, and what it said when it was run."""

    version: str
    same_name: bool  # one file imports both packages named proto without a name of its own
    built: trying.Tried
    ran: trying.Tried | None

    @property
    def works(self) -> bool:
        """Whether it was built and ended as it should."""
        return self.ran is not None and self.ran.code == 0

    def first(self) -> str:
        """Return the first line of what went wrong, or of what it printed."""
        told = self.built if self.ran is None else self.ran
        lines = [line.strip() for line in told.said.splitlines() if line.strip() and not line.startswith("#")]
        return lines[0] if lines else told.ended


class Generated(Record, frozen=True, kw_only=True):
    """Code of one generator, built with older runtimes."""

    generator: str
    enforced: str  # the least runtime that the code asks for in its header; "-" when it asks for none
    built: tuple[BuiltWith, ...]


class PluginModules(Record, frozen=True, kw_only=True):
    """The modules that one plugin is built of, and those that its module's go.mod names."""

    version: str
    linked: tuple[str, ...]
    required: tuple[str, ...]


def variables(facts: ClaimFacts, scratch: Path) -> dict[str, str]:
    """Return what is set for the go command: nothing, or a test's proxy before the modules that are there."""
    proxy = facts.replaced_tool("proxy")
    if proxy is None:
        return {}
    cache = Path(golang.environment(facts.go())["GOMODCACHE"]) / "cache/download"
    uris = f"{proxy.as_uri()},{cache.as_uri()}"
    return {"GOPROXY": uris, "GOMODCACHE": str(scratch / "mod"), "GOSUMDB": "off", "GONOSUMDB": "*"}


@probe("protobuf-modules-told")
def told(facts: ClaimFacts) -> tuple[ModuleTold, ...]:
    """Ask for both modules at @latest, for the newer one's v2, and for a module with and without a release."""
    facts.progress("what @latest is")
    with tempfile.TemporaryDirectory(prefix="labkit-") as name:
        scratch = Path(name).resolve()
        # a proxy alone: asking further would be asking for a repository
        proxies = golang.environment(facts.go())["GOPROXY"].removesuffix(",direct")
        given = variables(facts, scratch) or {"GOPROXY": proxies}
        found = [_ask(facts, scratch, f"{module}@latest", given) for module in (NEW, OLD)]
        if "-" in {each.version for each in found}:
            raise NetworkError(
                f"the go command learns nothing of {found[0].module}: {found[0].said}",
                remedy="let it reach its module proxy",
            )
        found.append(_ask(facts, scratch, f"{NEW}/v2@latest", given))
        proxy = scratch / "proxy"
        for module, versions in {
            f"{_TRIAL}/both": ("v1.0.0", "v1.1.0-alpha.1"),
            f"{_TRIAL}/pre": ("v1.1.0-alpha.1",),
        }.items():
            for version in versions:
                modules.write(proxy, module, version, {"go.mod": _GO_MOD.format(module=module)})
            (modules.folder_of(proxy, module) / "list").write_text("\n".join(versions) + "\n", "ascii")
            own = {"GOPROXY": proxy.as_uri(), "GOSUMDB": "off", "GOMODCACHE": str(scratch / "own")}
            found.append(_ask(facts, scratch, f"{module}@latest", own))
    return tuple(found)


def _ask(facts: ClaimFacts, scratch: Path, asked: str, given: dict[str, str]) -> ModuleTold:
    module, _, _version = asked.partition("@")
    tried = trying.go(facts, "list", "-m", "-u", "-json", asked, cwd=scratch, **given)
    start = tried.said.find("{")
    answer = json.JSONDecoder().raw_decode(tried.said[start:])[0] if tried.code == 0 and start >= 0 else {}
    return ModuleTold(
        module=module,
        asked=asked,
        version=answer.get("Version", "-"),
        date=answer.get("Time", "-")[:10],
        deprecated=" ".join(answer.get("Deprecated", "-").split()),
        said=tried.first().rpartition(": ")[2] if tried.code else "-",
    )


@probe("both-protobufs-in-one-program")
def together(facts: ClaimFacts) -> tuple[BuiltWith, ...]:
    """Build and run a program that uses both, with names of their own for the packages, and once without."""
    return (
        *(_both(facts, version, same_name=False) for version in OLD_VERSIONS),
        _both(facts, OLD_VERSIONS[-1], same_name=True),
    )


def _both(facts: ClaimFacts, version: str, *, same_name: bool) -> BuiltWith:
    facts.progress(f"{OLD} {version} and {NEW} in one program")
    names = ("", "", "proto", "proto") if same_name else ("old ", "new ", "old", "new")
    text = _MAIN.format(**dict(zip(("old", "new", "old_name", "new_name"), names, strict=True)))
    required = {OLD: version, NEW: "v1.33.0"}
    # replaced, for the newer module asks for v1.5.0 of the older one, and the newest that is asked for is taken
    replaced = f"\nreplace {OLD} => {OLD} {version}\n"
    return _build(facts, {"main.go": text}, required, version, same_name=same_name, replaced=replaced)


def _build(
    facts: ClaimFacts,
    files: dict[str, str],
    required: dict[str, str],
    version: str,
    *,
    same_name: bool = False,
    replaced: str = "",
) -> BuiltWith:
    with tempfile.TemporaryDirectory(prefix="labkit-") as name:
        scratch = Path(name).resolve()
        tree = scratch / "trial"
        lines = "".join(f"\t{module} {wanted}\n" for module, wanted in required.items())
        named = files | {"go.mod": f"module labkit.dev/trial\n\ngo 1.20\n\nrequire (\n{lines})\n{replaced}"}
        for path, text in named.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text, "utf-8")
        given = variables(facts, scratch)
        built = trying.go(facts, "build", "-mod=mod", "-o", "trial", ".", cwd=tree, **given)
        ran = trying.asked(tree / "trial") if built.code == 0 else None
    return BuiltWith(version=version, same_name=same_name, built=built, ran=ran)


@probe("runtimes-below-the-generator")
def runtimes(facts: ClaimFacts) -> Generated:
    """Build and run code of the stated generator with older runtimes."""
    version = str(ledgers.own().find("3.3.04").quoted["generator"])
    with tempfile.TemporaryDirectory(prefix="labkit-") as name:
        folder = Path(name).resolve()
        (folder / "bin").mkdir()
        (folder / "bin/protoc-gen-go").symlink_to(trying.generator(facts, version))
        words = ["--go_out=.", "--go_opt=paths=source_relative", "hello.proto"]
        files = {"hello.proto": trying.proto("labkit.dev/trial/hello")}
        trying.protoc(facts, words, files, folder / "work", path=[folder / "bin"])
        code = (folder / "work/hello.pb.go").read_text("utf-8")
    found = []
    for runtime in RUNTIMES:
        facts.progress(f"code of protoc-gen-go {version} with {NEW} {runtime}")
        found.append(_build(facts, {"main.go": _HELLO, "hello/hello.pb.go": code}, {NEW: runtime}, runtime))
    asked = _ENFORCED.search(code)
    enforced = "-" if asked is None else f"v1.{asked[1]}.0"
    return Generated(generator=version, enforced=enforced, built=tuple(found))


@probe("plugin-modules")
def plugin_modules(facts: ClaimFacts) -> tuple[PluginModules, ...]:
    """Read the build information of two sets' plugins, and the go.mod of the module that each is of."""
    found = []
    for set_name in ("handbook", "current"):
        info = binary.inspect(trying.tool_of_set(facts, "protoc-gen-go", set_name), machines=()).go
        if info is None or info.main is None:
            continue
        main = info.main
        linked = (main.path, *(each.path for each in info.dependencies))
        required = _required(facts, f"{main.path}@{main.version}")
        found.append(PluginModules(version=f"{main.version}", linked=linked, required=required))
    return tuple(found)


def _required(facts: ClaimFacts, what: str) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory(prefix="labkit-") as name:
        tried = trying.go(facts, "mod", "download", "-json", what, cwd=Path(name).resolve())
    start = tried.said.find("{")
    answer = json.JSONDecoder().raw_decode(tried.said[start:])[0] if tried.code == 0 and start >= 0 else {}
    if "GoMod" not in answer:
        raise NetworkError(f"{what} cannot be had: {tried.first()}", remedy="let the go command reach its module proxy")
    lines = Path(answer["GoMod"]).read_text("utf-8").splitlines()
    words = [line.removeprefix("require ").split() for line in lines]
    return tuple(each[0] for each in words if len(each) > 1 and re.fullmatch(r"[\w.-]+\.[a-z]+/\S+", each[0]))


class OldPath(Record, frozen=True, kw_only=True):
    """What came of installing the plugin by its former path."""

    go: str
    tried: trying.Tried
    installed: bool


@probe("plugin-by-its-old-path")
def by_old_path(facts: ClaimFacts) -> tuple[OldPath, ...]:
    """Install the former path's last version with the oldest, the middle and the newest Go at hand."""
    stated = ledgers.own().find("3.3.02").quoted
    versions = facts.go_versions()
    found = []
    for version in dict.fromkeys((versions[0], versions[len(versions) // 2], versions[-1])):
        facts.progress(f"{OLD}/protoc-gen-go with Go {version}")
        with tempfile.TemporaryDirectory(prefix="labkit-") as name:
            what = f"{stated['old']}@{OLD_VERSIONS[-1]}"
            tried, program = trying.install(facts, what, Path(name).resolve(), version=version)
        found.append(OldPath(go=version, tried=tried, installed=program is not None))
    return tuple(found)
