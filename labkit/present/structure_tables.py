"""The structure probes as tables: points, knees and what the machine says, layouts, doubts, the verdict on quiet."""

from labkit.model.structure import Curve, Knee, LayoutDifference, Quiet, Structure
from labkit.present.structure import curve_of, size_text
from labkit.present.table import Table, text_frame
from labkit.words import Language, render, say

_TOPIC = "structure.column"


def curve_points(structure: Structure, *probes: str, language: Language | None = None) -> Table:
    """Show the points of probes (all str): median, interval, processes, whether they agree."""
    if structure.refused is not None:
        return _refused(structure, language)
    rows = [
        {
            "probe": say(f"structure.probe.{curve.probe}", language),
            "at": _at(curve, point.at, language),
            "time": f"{point.time_ns.median:.2f}",
            "interval": _range(point.time_ns.low, point.time_ns.high, "{:.2f}"),
            "n": str(point.time_ns.n),
            "stable": say(f"structure.answer.{'stable' if point.stable else 'unstable'}", language),
        }
        for curve in (curve_of(structure, probe) for probe in probes)
        if curve is not None
        for point in curve.points
    ]
    return Table(text_frame(rows, ("probe", "at", "time", "interval", "n", "stable"), _TOPIC, language))


def knees(structure: Structure, language: Language | None = None) -> Table:
    """Show every knee that was found (all str), the unstable ones called so."""
    if structure.refused is not None:
        return _refused(structure, language)
    rows = [
        {
            "probe": say(f"structure.probe.{curve.probe}", language),
            "found": _at(curve, knee.at, language),
            "from": f"{knee.before_ns:.2f}",
            "to": f"{knee.after_ns:.2f}",
            "agreement": f"{knee.agreement:.0%}",
            "sound": _stable(knee, language),
        }
        for curve in structure.curves
        for knee in curve.knees
        if curve.probe in {"chase", "tlb-cost", "line-stride"}
    ]
    return Table(text_frame(rows, ("probe", "found", "from", "to", "agreement", "sound"), _TOPIC, language))


def beside(structure: Structure, language: Language | None = None) -> Table:
    """Show what the machine says of its caches and its line beside what was found (all str)."""
    if structure.refused is not None:
        return _refused(structure, language)
    rows = []
    for said in structure.said:
        within = None if said.within_a_factor_of_2 is None else "within" if said.within_a_factor_of_2 else "beyond"
        rows.append(
            {
                "what": say(f"structure.said.{said.name}", language),
                "said": size_text(said.said_bytes),
                "found": say("structure.answer.none", language) if within is None else size_text(said.found_bytes or 0),
                "within": "-" if within is None else say(f"structure.answer.{within}", language),
            }
        )
    return Table(text_frame(rows, ("what", "said", "found", "within"), _TOPIC, language))


def doubts(structure: Structure, language: Language | None = None) -> Table:
    """Show where curves may not be what they look like, and by which rule (all str)."""
    rows = [
        {
            "doubt": render(doubt.reason, language),
            "source": doubt.source,
            "confirmed": say(f"structure.answer.{'within' if doubt.confirmed_on_hardware else 'beyond'}", language),
        }
        for doubt in structure.doubts
    ]
    return Table(text_frame(rows, ("doubt", "source", "confirmed"), _TOPIC, language))


def fields(structure: Structure, language: Language | None = None) -> Table:
    """Show where Go puts the struct's fields, and which crosses a line if the struct begins on one (all str)."""
    line = structure.cache_line_bytes
    rows = []
    for field in structure.fields:
        last = field.offset_bytes + field.size_bytes - 1
        crosses = None if line is None else field.offset_bytes // line != last // line
        rows.append(
            {
                "field": field.name,
                "offset": str(field.offset_bytes),
                "claimed": "-" if field.claimed_offset_bytes is None else str(field.claimed_offset_bytes),
                "size": str(field.size_bytes),
                "crosses": _yes(crosses, language),
            }
        )
    return Table(text_frame(rows, ("field", "offset", "claimed", "size", "crosses"), _TOPIC, language))


def layouts(structure: Structure, language: Language | None = None) -> Table:
    """Show what padding and distance do to the time of the same work (all str), with what could have been seen."""
    if structure.refused is not None:
        return _refused(structure, language)
    rows = [
        {
            "kernel": say(f"structure.kernel.{each.kernel}", language),
            "apart": say("structure.answer.apart", language, other=each.other, base=each.base),
            "ratio": f"{each.ratio.ratio:.3f}",
            "low_high": _range(each.ratio.low, each.ratio.high, "{:.3f}"),
            "clock": f"{say(f'structure.clock.{each.clock}', language)}, n = {each.ratio.n}",
            "answer": answer(each, language),
            "doubts": ", ".join(
                say(doubt.id.replace(".warning.", ".short."), language, **doubt.values) for doubt in each.warnings
            )
            or "-",
        }
        for each in structure.differences
    ]
    heads = ("kernel", "apart", "ratio", "low_high", "clock", "answer", "doubts")
    return Table(text_frame(rows, heads, _TOPIC, language))


def answer(difference: LayoutDifference, language: Language | None = None) -> str:
    """Return a difference in words: how much, or that none was shown and what could have been seen."""
    said = difference.ratio
    if difference.too_noisy:
        return say("structure.answer.noisy", language)
    if said.low is None or said.high is None or said.could_see_percent is None:
        return say("structure.answer.blind", language)
    if not said.shown:
        return say("structure.answer.hidden", language, percent=f"{said.could_see_percent:.1f}")
    return say(
        "structure.answer.shown",
        language,
        percent=f"{100 * abs(said.ratio - 1):.1f}",
        direction=say(f"structure.answer.{'slower' if said.ratio > 1 else 'faster'}", language),
        low=f"{100 * (said.low - 1):+.1f}",
        high=f"{100 * (said.high - 1):+.1f}",
    )


def quiet(verdict: Quiet, language: Language | None = None) -> Table:
    """Show whether the machine is quiet enough, and why (all str)."""
    row = {
        "verdict": say(f"structure.quietness.{verdict.verdict}", language),
        "reasons": " ".join(render(reason, language) for reason in verdict.reasons),
    }
    return Table(text_frame([row], ("verdict", "reasons"), _TOPIC, language))


def _refused(structure: Structure, language: Language | None) -> Table:
    reason = "-" if structure.refused is None else render(structure.refused, language)
    return Table(text_frame([{"missing": reason}], ("missing",), _TOPIC, language))


def _stable(knee: Knee, language: Language | None) -> str:
    return say(f"structure.answer.{'knee' if knee.stable else 'unstable'}", language)


def _at(curve: Curve, at: float, language: Language | None) -> str:
    if curve.unit == "bytes":
        return size_text(at)
    return f"{at:,.0f} {say(f'structure.unit.{curve.unit}', language)}"


def _range(low: float | None, high: float | None, form: str) -> str:
    return "-" if low is None or high is None else f"{form.format(low)} \u2013 {form.format(high)}"


def _yes(crosses: bool | None, language: Language | None) -> str:
    return "-" if crosses is None else say(f"structure.answer.{'crosses' if crosses else 'inside'}", language)
