"""Whether this machine has what a check needs; what is missing becomes a reason, never a verdict."""

from collections.abc import Iterable
from pathlib import Path

from labkit import toolchain
from labkit.claims.facts import ClaimFacts
from labkit.errors import ImpossibleHereError, LabError, ProvisionError
from labkit.model.base import Text
from labkit.model.check import Need, NeedKind
from labkit.model.claims import ClaimVerdict, PartVerdict, Untested
from labkit.model.machine import System


def unmet(needs: Iterable[Need], facts: ClaimFacts) -> tuple[Text, Text] | None:
    """Return why the first need that is not met is not, and what would meet it; None when all are met."""
    for need in needs:
        reason = _missing(need, facts)
        if reason is not None:
            return reason
    return None


def untested(part: str, reason: Text, would_test: Text, tried: tuple[str, ...] = ()) -> PartVerdict:
    """Return a part that cannot be judged here."""
    return PartVerdict(
        part=part,
        verdict=ClaimVerdict.UNTESTED,
        evidence=(),
        instead=None,
        untested=Untested(reason=reason, would_test=would_test, tried=tried),
        confirmed_on_hardware=False,
    )


def obtain(need: Need, facts: ClaimFacts) -> None:
    """Fetch what a need names, where it is something that is fetched.

    Raises:
        ProvisionError: It cannot be had.

    """
    if need.kind is not NeedKind.TOOLCHAIN:
        return
    if need.name.startswith("go1."):
        facts.go(need.name.removeprefix("go"))
        return
    name, _, optional = need.name.partition("+")
    used = facts.set_facts(name).toolchain
    if optional:
        toolchain.provision(name, used.platform, optional=optional.split(","), progress=facts.progress)


def _missing(need: Need, facts: ClaimFacts) -> tuple[Text, Text] | None:
    here = facts.machine
    match need.kind:
        case NeedKind.TOOL if facts.has_tool(need.name) is None:
            return _text("tool", name=need.name)
        case NeedKind.SYSTEM if here.system != need.name:
            return _text("system", name=need.name, here=here.system_name)
        case NeedKind.ARCHITECTURE if here.architecture != need.name:
            return _text("architecture", name=need.name, here=str(here.architecture))
        case NeedKind.HARDWARE if not _has_hardware(need.name, facts):
            return _text(f"hardware_{need.name.replace('-', '_')}", here=here.chip or here.system_name)
        case NeedKind.TOOLCHAIN:
            try:
                obtain(need, facts)
            except (ProvisionError, ImpossibleHereError) as error:
                return _text("toolchain", name=need.name, why=error.what)
        case _:
            pass
    return None


def _has_hardware(name: str, facts: ClaimFacts) -> bool:
    here = facts.machine
    match name:
        case "apple-silicon":
            return here.system is System.MACOS and (here.chip or "").startswith("Apple ")
        case "counters":
            return Path("/proc/sys/kernel/perf_event_paranoid").exists() and facts.has_tool("perf") is not None
        case _:
            raise LabError(f"labkit knows no hardware {name!r}", remedy="this is a fault in labkit: please report it")


def _text(what: str, **values: str) -> tuple[Text, Text]:
    return Text(id=f"claims.unmet.{what}", values=values), Text(id=f"claims.would.{what}", values=values)
