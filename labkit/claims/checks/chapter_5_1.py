"""Chapter 5.1, the ConfigMap's volume: what a listing shows of an update, whether a watch needs rights, a property."""

import os
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from labkit.claims import beans, ledgers, trap_cases
from labkit.claims.base import LINUX, ClaimCheck, output, read_bytes
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.model.claims import PartVerdict
from labkit.traps import jars
from labkit.traps.configmap import ConfigMap
from labkit.traps.configmap.service import Service
from labkit.traps.configmap.volume import DATA, FILE, ConfigMapVolume

_TRAP: Final = "configmap"
_OLD_S: Final = 7200  # how long ago the volume was mounted, as its files' times say
_PATIENCE_S: Final = 3.0
_AFTER_WITNESS_S: Final = 0.5
_METADATA: Final = "META-INF/spring-configuration-metadata.json"
_CLASS: Final = "org/springframework/cloud/kubernetes/commons/config/reload/ConfigReloadProperties.class"


class Listed(Record, frozen=True, kw_only=True):
    """What one listing said before an update and after it."""

    command: str
    before: str
    after: str

    @property
    def tells(self) -> bool:
        """Whether it changed."""
        return self.before != self.after


class Watched(Record, frozen=True, kw_only=True):
    """Which services on one volume noticed two updates: as they are, without any right, and watching the file."""

    rights: str  # of the one without, as the kernel says them
    noticed: tuple[bool, ...]
    noticed_without: tuple[bool, ...]
    noticed_by_file: tuple[bool, ...]


@probe("configmap-listings", tools=("ls",), recipe={"sources": trap_cases.sources(_TRAP)})
def listings(facts: ClaimFacts) -> tuple[Listed, ...]:
    """List a volume that was mounted two hours ago, update it by the kubelet's rename, and list it again."""
    ls = facts.tool("ls")
    with trap_cases.rig("listing") as rig:
        volume = ConfigMapVolume.fresh(rig.folder)
        then = time.time() - _OLD_S
        generation = volume.folder / volume.generation()
        for path in (generation / FILE, generation, volume.file, volume.folder / DATA, volume.folder):
            os.utime(path, (then, then), follow_symlinks=False)

        def listed(flag: str, shown: str) -> str:
            said = rig.run([ls, flag, volume.folder]).stdout
            return "\n".join(line for line in said.splitlines() if shown in line.split())

        flags = {"-l": FILE, "-lL": FILE, "-lA": DATA}
        before = [listed(flag, shown) for flag, shown in flags.items()]
        volume.next()
        after = [listed(flag, shown) for flag, shown in flags.items()]
    return tuple(
        Listed(command=f"ls {flag} config/", before=was, after=now)
        for flag, was, now in zip(flags, before, after, strict=True)
    )


@probe("configmap-watches", recipe={"sources": trap_cases.sources(_TRAP)})
def watches(facts: ClaimFacts) -> Watched:
    """Update a volume twice under three services; a test's own service is asked for under ``configmap:reader``."""
    facts.replaced_tool("configmap:reader")  # the trap's service starts it
    with trap_cases.rig("watch") as rig:
        volume = ConfigMapVolume.fresh(rig.folder)
        plain, without, file = (Service(rig, volume.file, *words) for words in (("data",), ("data", "drop"), ("file",)))
        waits = {plain: _PATIENCE_S, without: _PATIENCE_S, file: _AFTER_WITNESS_S}
        line = volume.next()
        first = [each.becomes(line, patience_s=wait_s) for each, wait_s in waits.items()]
        line = volume.next()
        second = [each.becomes(line, patience_s=wait_s) for each, wait_s in waits.items()]
        noticed = tuple(zip(first, second, strict=True))
        return Watched(
            rights=without.rights(), noticed=noticed[0], noticed_without=noticed[1], noticed_by_file=noticed[2]
        )


class ListingTime(ClaimCheck):
    """List a mounted volume by time, replace its contents as the kubelet does, and compare the same listing.

    The mount is made two hours old beforehand, so that a listing that shows minutes cannot miss the update. The control
    is the listing that follows links.
    """

    id = "5.1.01"
    turned_by = "an ls that follows links"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether the listing has changed."""
        plain, following, hidden = found = facts.get(listings)
        evidence = [output(each.command, f"before: {each.before}; after: {each.after}") for each in found]
        if not following.tells:
            yield self.untested("untested", would_test="would_test", evidence=evidence)
            return
        others = [each.command.split()[1] for each in (following, hidden) if each.tells]
        yield self.judged(plain.tells, evidence, shown=" ".join(plain.after.split()), others=", ".join(others))


class InotifyRights(trap_cases.CaseCheck):
    """Let two services watch one volume, one of them without any capability, and update it twice.

    The kernel's own words on the second's rights are part of the evidence; a third service watches the file's name.
    """

    id = "5.1.02"
    needs = (LINUX,)
    trap = _TRAP
    wants = ConfigMap.needs
    turned_by = "a service that watches with its rights only"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by what the service without rights noticed, where the other did."""
        seen = facts.get(watches)
        capabilities = {
            name: int(value, 16)
            for name, _, value in (line.partition(":\t") for line in seen.rights.splitlines())
            if name in {"CapEff", "CapBnd"}
        }
        evidence = [
            output("grep -E '^(Uid|Cap(Eff|Bnd)|NoNewPrivs):' /proc/self/status", seen.rights),
            output("two updates, the folder watched", f"noticed: {_words(seen.noticed)}"),
            output("two updates, the folder watched without rights", f"noticed: {_words(seen.noticed_without)}"),
            output("two updates, the file watched", f"noticed: {_words(seen.noticed_by_file)}"),
        ]
        if not all(seen.noticed) or capabilities.get("CapEff", 1):
            yield self.untested("untested", would_test="would_test", evidence=evidence)
            return
        missed = seen.noticed_by_file.count(False)
        yield self.judged(not any(seen.noticed_without), evidence, missed=missed, of=len(seen.noticed_by_file))


def _words(noticed: Iterable[bool]) -> str:
    return ", ".join("yes" if each else "no" for each in noticed)


class _Property(msgspec.Struct):
    name: str
    defaultValue: object = None  # noqa: N815 - Spring's name


class _Metadata(msgspec.Struct):
    properties: list[_Property]


class ReloadProperty(trap_cases.CaseCheck):
    """Read the properties that Spring Cloud Kubernetes declares in its jar, and the prefix that its class takes."""

    id = "5.1.04"
    trap = _TRAP
    wants = (jars.part("Spring Cloud Kubernetes", beans.PACKAGE),)
    turned_by = "another jar"

    def shown(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by the names in the metadata."""
        stated = str(ledgers.own().find(self.id).quoted["property"])
        libraries = jars.classpath(beans.JARS, beans.PACKAGE).split(os.pathsep)
        jar = facts.replaced_tool("jar:spring-cloud-kubernetes-commons") or next(
            Path(path) for path in libraries if beans.UNUSED_JAR in path
        )
        with zipfile.ZipFile(jar) as archive:
            declared = msgspec.json.decode(archive.read(_METADATA), type=_Metadata).properties
            prefix = archive.read(_CLASS)
        reloads = {each.name: each.defaultValue for each in declared if ".reload." in each.name}
        switch = next((name for name in sorted(reloads) if name.endswith(".enabled")), "-")
        own_prefix = switch.removesuffix(".enabled")
        evidence = [
            read_bytes(f"{jar.name}, {_METADATA}", ", ".join(sorted(reloads)) or "no property of a reload"),
            read_bytes(
                f"{jar.name}, {_CLASS.rpartition('/')[2]}",
                f"{own_prefix}: {'named' if own_prefix.encode() in prefix else 'not named'}; "
                f"{stated.removesuffix('.enabled')}: "
                f"{'named' if stated.removesuffix('.enabled').encode() in prefix else 'not named'}",
            ),
        ]
        default = msgspec.json.encode(reloads.get(stated if stated in reloads else switch)).decode()
        yield self.judged(stated in reloads, evidence, stated=stated, right=switch, default=default)
