"""A binary's facts and verdicts as labelled lines, in the reader's language; neither terminal nor notebook."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from labkit.binary.reading import printable
from labkit.model.binary import Binary, Signature, SignatureKind, Slice, Verdict
from labkit.words import Language, preferred_language, render, say


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: a label and its value."""

    label: str
    value: str


def document(binary: Binary, language: Language | None = None) -> dict[str, object]:
    """Return a binary for ``--json``: the record, but each verdict's ``reasons`` as sentences.

    Their ids and values stand beside them as ``reason_texts``.
    """
    language = language or preferred_language()
    fields: dict[str, object] = msgspec.to_builtins(binary)
    fields["verdicts"] = [
        msgspec.to_builtins(verdict)
        | {
            "reasons": [printable(render(reason, language)) for reason in verdict.reasons],
            "reason_texts": msgspec.to_builtins(verdict.reasons),
        }
        for verdict in binary.verdicts
    ]
    return fields


def headline(binary: Binary, language: Language | None = None) -> str:
    """Return what a file is, in a few words."""
    if binary.error is not None and not binary.slices:
        return printable(binary.error)
    if not binary.slices:
        return say("binary.head.other", language, kind=binary.kind or "?")
    architectures = ", ".join(each.architecture for each in binary.slices)
    return say(f"binary.head.{binary.format}", language, architectures=architectures)


def fact_rows(binary: Binary, language: Language | None = None) -> tuple[Row, ...]:
    """Return what the bytes say: a block of lines a slice, then Go's build information."""
    rows: list[Row] = []
    if binary.error is not None and binary.slices:
        rows.append(_row("error", binary.error, language))
    if binary.sha256 is not None:
        rows.append(_row("sha256", binary.sha256, language))
    for slice_ in binary.slices:
        rows.extend(_slice_rows(slice_, language))
    if binary.go is not None:
        go = binary.go
        rows.append(_row("go", " ".join(each for each in (go.version, go.path) if each), language))
        settings = " ".join(f"{key}={value}" for key, value in go.settings.items())
        rows.append(_row("settings", settings, language))
    return tuple(row for row in rows if row.value)


def verdict_rows(verdicts: Iterable[Verdict], language: Language | None = None) -> tuple[Row, ...]:
    """Return what would happen where, and why; machines of which the same is to be said share a line."""
    grouped: dict[str, list[str]] = {}
    for verdict in verdicts:
        value = f"{verdict_word(verdict, language)}: {reasons(verdict, language)}"
        grouped.setdefault(value, []).append(verdict.machine)
    return tuple(Row(label=", ".join(machines), value=value) for value, machines in grouped.items())


def verdict_word(verdict: Verdict, language: Language | None = None) -> str:
    """Return what would happen, in a word or two."""
    return say(f"binary.runs.{verdict.runs}", language)


def reasons(verdict: Verdict, language: Language | None = None) -> str:
    """Return a verdict's reasons as one text, the rule in brackets, and whether a machine has confirmed it."""
    texts = "; ".join(printable(render(reason, language)) for reason in verdict.reasons)
    confirmed = "confirmed" if verdict.confirmed_on_hardware else "not_confirmed"
    return f"{texts} [{verdict.rule}, {say(f'binary.{confirmed}', language)}]"


def signature_words(signature: Signature, language: Language | None = None) -> str:
    """Return a signature in a few words: its kind, team, pages, and what it has or lacks."""
    parts = [say(f"binary.signature.{signature.kind}", language, team=signature.team or "-")]
    if signature.kind is SignatureKind.NONE:
        return parts[0]
    if signature.identifier is not None:
        parts.append(signature.identifier)
    if signature.hardened_runtime:
        parts.append(say("binary.signature.hardened", language))
    if signature.bad_pages is not None:
        state = "pages_bad" if signature.bad_pages else "pages_good"
        values = {"bad": signature.bad_pages, "pages": signature.pages or 0}
        parts.append(say(f"binary.signature.{state}", language, **values))
    if signature.bad_slots:
        parts.append(say("binary.signature.slots_bad", language, slots=", ".join(signature.bad_slots)))
    if signature.signed_directory is False:
        parts.append(say("binary.signature.not_by_key", language))
    return printable(", ".join(parts))


def _slice_rows(slice_: Slice, language: Language | None) -> list[Row]:
    system = " ".join(each for each in (slice_.platform, slice_.minimum_os) if each)
    if slice_.sdk is not None:
        system += f" (SDK {slice_.sdk})"
    kind = say(f"binary.linkage.{slice_.linkage}", language)
    present = [name for name, there in (("symbols", slice_.symbols), ("DWARF", slice_.dwarf)) if there]
    weak = frozenset(slice_.weak_libraries)
    libraries = [f"{each} (weak)" if each in weak else each for each in slice_.libraries]
    values = {
        "slice": f"{slice_.architecture}, {slice_.bits}-bit {slice_.endian}-endian {slice_.file_type}, {kind}",
        "system": " ".join(each for each in (system, slice_.minimum_libc) if each),
        "interpreter": slice_.interpreter or "",
        "install_name": slice_.install_name or "",
        "libraries": ", ".join(libraries),
        "rpaths": ", ".join(slice_.rpaths),
        "uuid": slice_.uuid or slice_.build_id or "",
        "hardening": ", ".join(f"{'' if on else 'no '}{name}" for name, on in slice_.hardening.items()),
        "present": ", ".join(present),
        "signature": signature_words(slice_.signature, language) if slice_.platform or slice_.signature.pages else "",
        "signers": ", ".join(slice_.signature.signers),
        "entitlements": ", ".join(f"{key}={value}" for key, value in slice_.signature.entitlements.items()),
        "unknown": "; ".join((*slice_.unknown, *slice_.signature.unknown)),
    }
    return [_row(name, value, language) for name, value in values.items()]


def _row(name: str, value: str, language: Language | None) -> Row:
    return Row(label=say(f"binary.label.{name}", language), value=printable(value))
