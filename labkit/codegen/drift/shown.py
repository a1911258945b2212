"""What a reader sees of a comparison, in words, which the command's lines, Markdown and the notebook's table share."""

from labkit.model.drift import Difference, Drift, DriftFile, DriftKind, Era, Reason
from labkit.words import Language, say


def summary(drift: Drift, language: Language | None = None) -> str:
    """Return the one sentence that says how it went."""
    different = drift.looked_at - drift.counts[DriftKind.SAME]
    all_, set_ = drift.looked_at, drift.toolchain
    if different:
        said = say("drift.summary", language, different=different, all=all_, set=set_)
    else:
        said = say("drift.clean", language, all=all_, set=set_)
    if drift.refused:
        said += "; " + say("drift.and_refused", language, n=len(drift.refused))
    return said


def reasons(file: DriftFile, language: Language | None = None) -> str:
    """Return what a file's kind was decided by."""
    if file.reasons == (Reason.GENERATOR,):
        return say("drift.reason.generator_alone", language)
    said = ", ".join(say(f"drift.reason.{reason}", language) for reason in file.reasons)
    return f"{said}: {file.fault}" if file.fault and file.kind is DriftKind.SEMANTIC else said


def maker(file: DriftFile, language: Language | None = None) -> str:
    """Return which plugin made a file and which makes it now, and what its shape says where the header does not."""
    if file.made_by is None:
        return say("drift.would_be", language, generated_by=file.generated_by or "-")
    said = file.made_by
    if file.generated_by and file.generated_by != file.made_by:
        said = say("drift.made_by_and_now", language, made_by=file.made_by, generated_by=file.generated_by)
    if file.looks_like is not None and file.stamp_fits is not True:
        told = "drift.shape" if file.stamp_fits is False else "drift.shape_unknown"
        said += "; " + say(told, language, era=era(file.looks_like, language))
    return said


def era(of: Era, language: Language | None = None) -> str:
    """Return between which versions code was made."""
    if of.first is None:
        return say("drift.era.until", language, plugin=of.plugin, last=of.last or "")
    if of.last is None:
        return say("drift.era.since", language, plugin=of.plugin, first=of.first)
    return say("drift.era.between", language, plugin=of.plugin, first=of.first, last=of.last)


def difference(one: Difference, language: Language | None = None) -> str:
    """Return one place in which two files differ, on one line."""
    if one.what in {"func", "method", "type", "const", "var"}:
        change = "added" if one.committed is None else "removed" if one.generated is None else "changed"
        return say(f"drift.change.{change}", language, what=one.what, path=one.path)
    values = {"committed": one.committed or "-", "generated": one.generated or "-"}
    return say("drift.change.values", language, what=f"{one.what} {one.path}".rstrip(), **values)
