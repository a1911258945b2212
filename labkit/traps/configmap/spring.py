"""The half of the trap that is Spring's: what the refresh endpoint takes and answers, which beans change.

A real Spring Boot application on the volume. Optional: without a JDK, or before ``labkit traps configmap --prepare``
has fetched its libraries, the cases are skipped.
"""

import contextlib
import http.client
import os
import zipfile
from pathlib import Path
from typing import Final

import msgspec

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case
from labkit.system import environment, proc
from labkit.system.store import Store, file_digest
from labkit.traps import jars, jdk, parts
from labkit.traps.configmap.volume import ConfigMapVolume
from labkit.traps.fetch import get
from labkit.traps.rig import Rig

_NAME: Final = "configmap"
_PACKAGE: Final = "labkit.traps.configmap"
_SOURCE: Final = Path(__file__).parent / "App.java"
#: Spring Boot 3 runs on Java 17 or later.
_RELEASE: Final = "17"
_METADATA_JAR: Final = "spring-cloud-kubernetes-commons"
_METADATA: Final = "META-INF/spring-configuration-metadata.json"
_RIGHT: Final = "spring.cloud.kubernetes.reload.enabled"
_WRONG: Final = "spring.cloud.kubernetes.config.reload.enabled"
_HOW: Final = "labkit traps configmap --prepare"

_LIBRARIES: Final = parts.Part(
    name="Spring Boot's libraries", present=lambda: jars.there(_NAME, _PACKAGE), apt="maven", brew="maven", other=_HOW
)


class _Property(msgspec.Struct):
    name: str
    defaultValue: object = None  # noqa: N815 - Spring's name


class _Metadata(msgspec.Struct):
    properties: list[_Property]


def prepare() -> None:
    """Fetch the libraries and compile the application, where a JDK and Maven are; nothing where they are not."""
    if jdk.folder() is not None and jars.part("Spring", _PACKAGE).present():
        _classes(jars.classpath(_NAME, _PACKAGE))


def cases(rig: Rig) -> tuple[Case, ...]:
    """Return Spring's cases, skipped with the reason where a JDK or the libraries are missing."""
    lacking = next((part for part in (jdk.part(), _LIBRARIES) if not part.present()), None)
    if lacking is not None:
        return tuple(
            Case(
                id=id_,
                status=Status.SKIP,
                text=Text(id=f"trap_configmap.case.{id_}", values=values),
                reason=lacking.reason(),
            )
            for id_, values in (("refresh", {"get": "-", "post": "-"}), ("property", {"default": "-"}))
        )
    classpath = jars.classpath(_NAME, _PACKAGE)
    return _refresh(rig, classpath), _property(classpath)


def _classes(classpath: str) -> Path:
    recipe = {"kind": "java", "source": file_digest(_SOURCE), "libraries": classpath, "release": _RELEASE}

    def make(folder: Path) -> Path:
        javac: list[str | Path] = [
            jdk.tool("javac"),
            "-proc:none",
            "-parameters",
            "--release",
            _RELEASE,
            "-cp",
            classpath,
        ]
        proc.run([*javac, "-d", folder, _SOURCE], env=environment.base(), timeout_s=300)
        return folder / "labkit" / "App.class"

    return Store().obtain("configmap-app", recipe, make, held=True)


def _refresh(rig: Rig, classpath: str) -> Case:
    """Ask before the update, after it, after GET and after POST; the volume is written once."""
    volume, port = ConfigMapVolume.fresh(rig.folder), rig.port()
    libraries = [path for path in classpath.split(os.pathsep) if _METADATA_JAR not in path]
    words: list[str | Path] = [
        *(jdk.tool("java"), "-XX:TieredStopAtLevel=1", "-Xmx192m", "-cp"),
        os.pathsep.join([str(_classes(classpath)), *libraries]),
        *("labkit.App", f"--spring.config.additional-location=file:{volume.folder}/", f"--server.port={port}"),
        *("--server.address=127.0.0.1", "--management.endpoints.web.exposure.include=refresh"),
    ]
    application = rig.start("the Spring application", words)
    rig.until("the application's first answer", lambda: _answers(port, "/scoped"))
    log_before = len(application.output()[0])
    volume.next()
    stale = [_answers(port, "/plain"), _answers(port, "/scoped")]
    log_grew = len(application.output()[0]) > log_before
    got, _ = get(port, "/actuator/refresh")
    posted, first = get(port, "/actuator/refresh", method="POST")
    fresh = [_answers(port, "/plain"), _answers(port, "/scoped")]
    _, second = get(port, "/actuator/refresh", method="POST")
    log = application.output()[0].decode("utf-8", "replace")
    rig.end(application)
    passed = (stale, got, posted, first, fresh, second) == (["v1", "v1"], 405, 200, '["greeting"]', ["v1", "v2"], "[]")
    return Case(
        id="refresh",
        status=Status.PASS if passed else Status.FAIL,
        text=Text(id="trap_configmap.case.refresh", values={"get": got, "post": posted}),
        command=f"curl -X POST http://127.0.0.1:{port}/actuator/refresh",
        output=f"plain, scoped: {stale}\nGET: {got}\nPOST: {posted} {first}\nplain, scoped: {fresh}\nPOST: {second}",
        facts={
            "get_status": got,
            "post_status": posted,
            "post_body": first,
            "second_post_body": second,
            "answer_is_array": first.startswith("["),
            "has_key_configmap": '"configmap"' in first,
            "without_scope": fresh[0],
            "with_scope": fresh[1],
            "before_refresh": stale[1],
            "logged_at_update": log_grew,
            "spring_boot": next((word.split(")")[0].strip(" (v") for word in log.split("::")[2:3]), ""),
        },
    )


def _answers(port: int, path: str) -> str:
    with contextlib.suppress(OSError, http.client.HTTPException):
        status, text = get(port, path)
        return text if status == http.HTTPStatus.OK else ""
    return ""


def _property(classpath: str) -> Case:
    jar = next(path for path in classpath.split(os.pathsep) if _METADATA_JAR in path)
    with zipfile.ZipFile(jar) as archive:
        known = msgspec.json.decode(archive.read(_METADATA), type=_Metadata).properties
    named = {each.name: each.defaultValue for each in known}
    default = msgspec.json.encode(named.get(_RIGHT)).decode()
    return Case(
        id="property",
        status=Status.PASS if _RIGHT in named and _WRONG not in named else Status.FAIL,
        text=Text(id="trap_configmap.case.property", values={"default": default}),
        command=f"unzip -p {Path(jar).name} {_METADATA}",
        output="\n".join(name for name in sorted(named) if "reload" in name),
        facts={"reload_enabled": _RIGHT in named, "config_reload_enabled": _WRONG in named, "default": default},
    )
