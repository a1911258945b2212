"""Literal facts of made-up hosts: a Mac and a Linux machine on which all is well, for tests to break."""

from pathlib import Path

import msgspec

from labkit.model.base import Text
from labkit.model.binary import Format, SignatureKind
from labkit.model.host import GeneratedHeader, HostFacts, HostTool, Place, Project, ProjectLine, ProtoFile
from labkit.model.machine import Architecture, Machine, System, Translation

replace = msgspec.structs.replace
VERSIONS = {
    "go": ("go version go1.26.8 {go}", "1.26.8"),
    "protoc": ("libprotoc 30.2", "30.2"),
    "protoc-gen-go": ("protoc-gen-go v1.36.12", "1.36.12"),
    "protoc-gen-go-grpc": ("protoc-gen-go-grpc 1.6.2", "1.6.2"),
}
MODULES = {
    "protoc-gen-go": "google.golang.org/protobuf@v1.36.12",
    "protoc-gen-go-grpc": "google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2",
}


def machine(system="macos", version="15.5", **more):
    """Return a made-up machine."""
    mac = system == "macos"
    known = {
        "id": "made-up",
        "system": System(system),
        "system_version": version,
        "system_name": "macOS" if mac else "Debian GNU/Linux 12 (bookworm)",
        "kernel": "Darwin 24.5.0" if mac else "Linux 6.1.0",
        "chip": "Apple M2" if mac else None,
        "chip_family": None,
        "model": None,
        "architecture": Architecture.ARM64 if mac else Architecture.X86_64,
        "process_architecture": Architecture.ARM64 if mac else Architecture.X86_64,
        "translation": Translation.NATIVE,
        "virtual": False,
        "hypervisor": None,
        "physical_core_count": 8,
        "logical_core_count": 8,
        "performance_levels": (),
        "memory_bytes": 8 << 30,
        "page_size_bytes": 16384,
        "cache_line_bytes": 128,
        "sources": {},
        "missing": {},
    }
    return Machine(**known | more)


def tool(name, mac=True, **changes):
    """Return a tool of a made-up host, as it should be."""
    reported, version = VERSIONS.get(name, (f"{name} 1.0", "1.0"))
    go_built = name != "protoc"
    known = {
        "name": name,
        "path": f"/opt/homebrew/bin/{name}" if mac else f"/usr/local/bin/{name}",
        "real_path": f"/opt/homebrew/bin/{name}" if mac else f"/usr/local/bin/{name}",
        "place": Place.HOMEBREW_ARM if mac else Place.USUAL,
        "wins": True,
        "shadows": (),
        "format": Format.MACHO if mac else Format.ELF,
        "architectures": ("arm64",) if mac else ("x86_64",),
        "signature": "linker" if mac else None,
        "bad_pages": 0 if mac else None,
        "has_uuid": True if mac else None,
        "missing_libraries": (),
        "missing_interpreter": None,
        "quarantined": False if mac else None,
        "reported": reported.format(go="darwin/arm64" if mac else "linux/amd64"),
        "version": version,
        "go_version": "go1.26.8" if go_built else None,
        "module": MODULES.get(name),
        "error": None,
        "include": "/opt/homebrew/include" if name == "protoc" else None,
        "missing": {},
    }
    known |= changes
    known["format"] = Format(known["format"])
    known["signature"] = SignatureKind(known["signature"]) if known["signature"] else None
    return HostTool(**known)


def host(mac=True, *, tools=None, without=(), **changes):
    """Return a made-up host's facts; ``tools`` are put beside or in place of those that are as they should be."""
    named = {name: tool(name, mac) for name in VERSIONS if name not in without}
    extra = []
    for each in tools or ():
        if each.wins or each.name not in named:
            named[each.name] = each
        else:
            extra.append(each)
    known = {
        "machine": machine() if mac else machine("linux", "12"),
        "path": ("/opt/homebrew/bin", "/usr/bin"),
        "tools": (*named.values(), *extra),
        "environment": {},
        "go_env": {"CGO_ENABLED": "1", "GOHOSTARCH": "arm64" if mac else "amd64", "GOPROXY": "direct"},
        "go_env_file": "/home/x/.config/go/env",
        "go_env_written": {},
        "developer_folder": "/Library/Developer/CommandLineTools" if mac else None,
        "homebrew_prefixes": ("/opt/homebrew",) if mac else (),
        "conda_prefix": None,
        "missing": {},
        "clang_path": "/Library/Developer/CommandLineTools/usr/bin/clang" if mac else None,
        "clang_exit_code": 0 if mac else None,
    }
    return HostFacts(**known | changes)


def linux(**changes):
    """Return a made-up Linux host's facts."""
    return host(False, **changes)


def project(*lines, file="Makefile", **changes):
    """Return a made-up project with lines of a build file."""
    known = {
        "folder": "/p",
        "go_mod": None,
        "go_version": None,
        "toolchain": None,
        "requires": {},
        "lines": tuple(ProjectLine(file=file, number=number, text=text) for number, text in enumerate(lines, 1)),
        "protos": (),
        "generated": (),
    }
    return Project(**known | changes)


def proto(path, go_package):
    """Return a made-up .proto file."""
    return ProtoFile(path=path, go_package=go_package)


def generated(path, source, **made_by):
    """Return a made-up generated file; the makers' names have underscores for hyphens."""
    return GeneratedHeader(path=path, source=source, made_by={k.replace("_", "-"): v for k, v in made_by.items()})


def because(what):
    """Return a reason such as the inventory gives."""
    return Text(id="host.why.said", values={"tool": "x", "what": what})


def lay(root, path, *answers):
    """Make a small executable that answers by its arguments: (shell pattern, standard output, error, exit code)."""
    program = root / path
    program.parent.mkdir(parents=True, exist_ok=True)
    lines = ["#!/bin/sh", 'case "$*" in']
    for number, (pattern, out, err, code) in enumerate(answers):
        texts = program.parent / f".{program.name}-{number}"
        Path(f"{texts}.out").write_text(out)
        Path(f"{texts}.err").write_text(err)
        lines.append(f'{pattern}) /bin/cat "{texts}.out"; /bin/cat "{texts}.err" >&2; exit {code};;')
    program.write_text("\n".join([*lines, "esac", "exit 64", ""]))
    program.chmod(0o755)
    return program
