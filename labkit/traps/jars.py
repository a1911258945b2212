"""Java libraries at pinned versions, fetched by Maven and verified by their sha256, in labkit's store. Runs none."""

import os
import tempfile
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

import msgspec

from labkit.errors import NetworkError, ProvisionError
from labkit.system import environment, proc
from labkit.system.store import Store, file_digest, write_atomically
from labkit.traps.parts import Part, find, path_of

_PLUGIN: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
#: How the user reaches a Maven repository, beside ~/.m2, and which Java runs Maven.
_SETTINGS: Final = ("JAVA_HOME", "MAVEN_OPTS", "MAVEN_ARGS")
_TIMEOUT_S: Final = 900.0


class Jar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One library; a pin without its sha256 is refused."""

    group: str
    artifact: str
    version: str
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.artifact}-{self.version}.jar"


class _Pins(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sources: tuple[str, ...]
    pinned_on: str
    jars: tuple[Jar, ...]


def pinned(package: str) -> tuple[Jar, ...]:
    """Return the libraries that a trap's ``jars.toml`` names.

    Raises:
        ProvisionError: A pin lacks its version or hash.

    """
    text = resources.files(package).joinpath("jars.toml").read_text("utf-8")
    try:
        return msgspec.convert(tomllib.loads(text), _Pins).jars
    except msgspec.ValidationError as error:
        raise ProvisionError(f"the pins of {package} are not usable: {error}", remedy="mend jars.toml") from error


def part(name: str, package: str) -> Part:
    """Return libraries as what a trap needs: there already, or a Maven that can fetch them."""
    return Part(name=name, present=lambda: there(name, package) or find("mvn") is not None, apt="maven", brew="maven")


def there(name: str, package: str) -> bool:
    """Return whether the libraries are in the store."""
    return Store().has(f"jars-{name}", _recipe(pinned(package)))


def classpath(name: str, package: str) -> str:
    """Return the libraries as a class path, fetched when the store lacks them.

    Raises:
        NetworkError: They could not be fetched.
        ProvisionError: What came is not what the pins say.

    """
    wanted = pinned(package)
    store = Store()
    folder = store.obtain(f"jars-{name}", _recipe(wanted), lambda folder: _fetch(folder, wanted), held=True)
    return os.pathsep.join(str(folder / jar.file) for jar in wanted)


def _recipe(wanted: tuple[Jar, ...]) -> dict[str, object]:
    return {"kind": "maven", "jars": [msgspec.to_builtins(jar) for jar in wanted]}


def _fetch(folder: Path, wanted: tuple[Jar, ...]) -> Path:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        pom = Path(scratch) / "pom.xml"
        pom.write_text(_pom(wanted), "utf-8")
        passed = {name: os.environ[name] for name in _SETTINGS if name in os.environ}
        done = proc.run(
            [path_of("mvn"), "-B", "-q", "-f", pom, f"{_PLUGIN}:copy-dependencies", f"-DoutputDirectory={folder}"],
            env=environment.base(path=f"{path_of('mvn').parent}:{environment.SYSTEM_PATH}", **passed),
            timeout_s=_TIMEOUT_S,
            cwd=Path(scratch),
            check=False,
        )
    if done.returncode != 0:
        raise NetworkError(
            f"Maven could not fetch {wanted[0].artifact} and its like: {done.first_words()}",
            remedy="connect to the network, or name your mirror in ~/.m2/settings.xml",
        )
    for jar in wanted:
        got = file_digest(folder / jar.file) if (folder / jar.file).is_file() else "no file"
        if got != jar.sha256:
            raise ProvisionError(
                f"{jar.file} has the sha256 {got}, the pin wants {jar.sha256}; nothing was installed",
                remedy="do not use this Maven repository: its file is not the one that was pinned",
            )
    about = folder / "jars.txt"
    write_atomically(about, "".join(f"{jar.sha256}  {jar.file}\n" for jar in wanted))
    return about


def _pom(wanted: tuple[Jar, ...]) -> str:
    # Each library is pinned by itself, so what it would bring along is left out: a newer slf4j, for one.
    every = "".join(
        f"<dependency><groupId>{jar.group}</groupId><artifactId>{jar.artifact}</artifactId>"
        f"<version>{jar.version}</version><exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId>"
        "</exclusion></exclusions></dependency>"
        for jar in wanted
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion>"
        "<groupId>labkit</groupId><artifactId>traps</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies>{every}</dependencies></project>\n"
    )
