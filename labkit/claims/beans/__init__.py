"""A Spring application that reads one property in four ways, on a ConfigMap's volume that is updated once.

It is run twice in one process: with the refresh endpoint exposed, and as Spring Boot is without a word on it. What is
recorded are answers, logs and values; nothing is judged here.
"""

import contextlib
import functools
import http.client
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from labkit.claims import trap_cases
from labkit.claims.facts import ClaimFacts, probe
from labkit.model.base import Record
from labkit.system.store import file_digest
from labkit.traps import jars, jdk
from labkit.traps.configmap.service import Service
from labkit.traps.configmap.volume import FILE, ConfigMapVolume
from labkit.traps.fetch import get
from labkit.traps.rig import Rig

SOURCE: Final = Path(__file__).parent / "Beans.java"
JARS: Final = "configmap"
PACKAGE: Final = "labkit.traps.configmap"
#: Its metadata is read; on the class path it would want a cluster.
UNUSED_JAR: Final = "spring-cloud-kubernetes-commons"
REFRESH: Final = "/actuator/refresh"
#: Seconds that a watcher has to notice the update, and that the application has after it.
_PATIENCE_S: Final = 5.0
_AFTER_WITNESS_S: Final = 0.5


class Call(Record, frozen=True, kw_only=True):
    """One call of the refresh endpoint, and what the application's values were after it."""

    method: str
    exposed: bool
    status: int
    body: str
    values: Mapping[str, str]


class Refreshed(Record, frozen=True, kw_only=True):
    """What came of one update of the volume."""

    spring_boot: str
    first: str  # the value that was mounted
    second: str  # that of the update
    noticed: bool  # whether a process that watches the folder saw the update meanwhile
    stale: Mapping[str, str]  # the values after the update, before any call
    logged: str  # what the application logged between the update and the first call
    watcher_logged: str
    calls: tuple[Call, ...]  # in their order, the last of them with nothing changed since the one before


@probe(
    "spring-refresh",
    tools=("java",),
    recipe={"sources": trap_cases.sources("configmap"), "program": file_digest(SOURCE)},
)
def refreshed(facts: ClaimFacts) -> Refreshed:
    """Update the volume of a running application and call its endpoint; a test's own one under ``spring:program``."""
    libraries = jars.classpath(JARS, PACKAGE)
    source = facts.replaced_tool("spring:program") or SOURCE
    classes = trap_cases.java_classes("beans", source, libraries)
    facts.progress("Spring Boot: an application on a ConfigMap's volume")
    with trap_cases.rig("spring") as rig:
        return _update(rig, f"{classes}{os.pathsep}{_used(libraries)}")


def _used(libraries: str) -> str:
    return os.pathsep.join(path for path in libraries.split(os.pathsep) if UNUSED_JAR not in path)


def _update(rig: Rig, classpath: str) -> Refreshed:
    volume = ConfigMapVolume(rig.folder / "config")
    volume.write({FILE: _text("v1")})
    exposed, default = rig.port(), rig.port()
    at = f"--spring.config.additional-location=file:{volume.folder}/"
    words = [at, "--server.address=127.0.0.1"]
    application = rig.start(
        "the Spring application",
        [
            *(jdk.tool("java"), jdk.UNWATCHED, "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp", classpath, "labkit.Beans"),
            *(*words, f"--server.port={exposed}", "--management.endpoints.web.exposure.include=refresh", "and"),
            *(*words, f"--server.port={default}"),
        ],
    )
    witness = Service(rig, volume.file, "data")
    for port in (exposed, default):
        rig.until("the application's first answer", functools.partial(_values, port))
    begin = len(application.output()[0])
    volume.write({FILE: _text("v2")})
    noticed = witness.becomes(volume.line(), patience_s=_PATIENCE_S)
    witness.becomes("", patience_s=_AFTER_WITNESS_S)  # gives the application its chance: this text never comes
    stale = _values(exposed)
    logged = application.output()[0][begin:].decode("utf-8", "replace").strip()
    calls = tuple(
        _call(default if not reachable else exposed, method, exposed=reachable)
        for method, reachable in (("GET", True), ("POST", False), ("POST", True), ("POST", True))
    )
    log = application.output()[0].decode("utf-8", "replace")
    rig.end(application)
    return Refreshed(
        spring_boot=next((word.split(")")[0].strip(" (v") for word in log.split("::")[2:3]), ""),
        first="v1",
        second="v2",
        noticed=noticed,
        stale=stale,
        logged=logged,
        watcher_logged=witness.said(),
        calls=calls,
    )


def _text(value: str) -> str:
    return f"greeting={value}\nshop.greeting={value}\n"


def _call(port: int, method: str, *, exposed: bool) -> Call:
    status, body = get(port, REFRESH, method=method)
    return Call(method=method, exposed=exposed, status=status, body=body, values=_values(port))


def _values(port: int) -> dict[str, str]:
    with contextlib.suppress(OSError, http.client.HTTPException, msgspec.DecodeError):
        status, text = get(port, "/values")
        if status == http.HTTPStatus.OK:
            return msgspec.json.decode(text, type=dict[str, str])
    return {}
