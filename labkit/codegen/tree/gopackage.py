"""Judges a go_package before protoc runs, and says which file protoc-gen-go would make of a source.

The rules are protoc-gen-go's own (compiler/protogen/protogen.go and cmd/protoc-gen-go of google.golang.org/protobuf
v1.36.12: ``New``, ``newFile``, ``splitImportPathAndPackageName``, ``Response``), and two that it lacks: a path that
leads out of the output folder is refused (protoc writes there), and so is a name after the semicolon that is no Go
identifier, where the plugin only says that it cannot parse what it made.
"""

import posixpath
import unicodedata
from typing import Final

from labkit.model.base import Text
from labkit.model.generation import Options, Paths

_KEYWORDS: Final = frozenset(
    {
        "break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for", "func", "go",
        "goto", "if", "import", "interface", "map", "package", "range", "return", "select", "struct", "switch", "type",
        "var",
    }
)  # fmt: skip


def split(source: str, go_package: str | None, options: Options) -> tuple[str, str]:
    """Return the Go import path and the package name given for a source; "" for one that is not given.

    An M option goes before the file's own go_package, each part for itself.
    """
    path, _, name = (go_package or "").partition(";")
    mapped_path, _, mapped_name = options.mappings.get(source, "").partition(";")
    return mapped_path or path, mapped_name or name


def fault(source: str, go_package: str | None, options: Options, *, generated: bool = True) -> tuple[Text, Text] | None:
    """Return what is wrong with a file's go_package and its remedy, or None.

    A file that is only imported (not ``generated``) may lie outside the module.
    """
    path, name = split(source, go_package, options)
    given = f"{path};{name}" if name else path
    if not path:
        id_ = "missing" if go_package is None else "empty"
        return _say(id_, source=source, value=go_package or "")
    if "." not in path and "/" not in path:
        return _say("bare", source=source, value=path)
    if path.startswith("/") or ".." in path.split("/") or "\\" in path or "\0" in path:
        return _say("escapes", source=source, value=path)
    if name and not _identifier(name):
        return _say("bad_name", source=source, value=given, name=name)
    if generated and options.module is not None and not f"{path}/".startswith(f"{options.module}/"):
        return _say("outside_module", source=source, value=path, module=options.module)
    return None


def prefix(source: str, path: str, options: Options) -> str:
    """Return a generated file's path without its ending (``.pb.go``), relative to the output folder."""
    stem = source.removesuffix(".proto") if source.endswith(".proto") else source.removesuffix(".protodevel")
    if options.paths is Paths.SOURCE_RELATIVE:
        return stem
    whole = posixpath.normpath(posixpath.join(path, posixpath.basename(stem)))
    return whole.removeprefix(f"{options.module}/") if options.module is not None else whole


def package_name(source: str, go_package: str | None, options: Options) -> str:
    """Return the Go package's name: the given one, else the import path's last part made an identifier."""
    path, name = split(source, go_package, options)
    if name:
        return name
    # Derived from the file's own go_package first, and from M only where it has none: protogen has this order.
    own = (go_package or "").partition(";")[0] or path
    base = posixpath.basename(own.rstrip("/"))
    if base.isascii() and base.isalnum() and base[0].isalpha() and base not in _KEYWORDS:
        return base
    cleaned = "".join(sign if _letter(sign) or _digit(sign) else "_" for sign in base)
    return f"_{cleaned}" if cleaned in _KEYWORDS or not _letter(cleaned[:1]) else cleaned


def _say(id_: str, **values: str) -> tuple[Text, Text]:
    return Text(id=f"generate.go_package.{id_}", values=values), Text(id=f"generate.remedy.{id_}", values=values)


def _identifier(name: str) -> bool:
    # https://go.dev/ref/spec#Identifiers; the blank identifier names no package.
    if name.isascii():
        return name.isidentifier() and name not in _KEYWORDS and name != "_"
    first, rest = name[0], name[1:]
    return (
        name not in _KEYWORDS
        and name != "_"
        and (first == "_" or _letter(first))
        and all(sign == "_" or _letter(sign) or _digit(sign) for sign in rest)
    )


def _letter(sign: str) -> bool:
    return bool(sign) and unicodedata.category(sign).startswith("L")


def _digit(sign: str) -> bool:
    return bool(sign) and unicodedata.category(sign) == "Nd"
