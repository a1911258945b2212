"""Chapter 5.1: each verdict turns when the listing, the service, the application or the jar is another one."""

import json
import zipfile
from pathlib import Path

import pytest

from labkit.claims import ClaimFacts, beans
from labkit.claims.checks import chapter_5_1
from labkit.model.claims import ClaimVerdict
from labkit.traps import jars, jdk
from labkit.traps.configmap import service
from labkit.words import Language
from tests.claims_support import result, sentences, turned
from tests.support import missing

CONFIRMED, REFUTED, CONDITIONAL, UNTESTED = ClaimVerdict

#: An application that reads its file for every answer, writes an error to its log each time, and has an endpoint of its
#: own in the place of Spring's.
OTHER = """package labkit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.core.env.Environment;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

@SpringBootApplication
public class Beans {
    public static void main(String[] arguments) {
        for (String each : String.join("\\n", arguments).split("\\nand\\n")) {
            SpringApplication.run(Beans.class, (each + "\\n--management.endpoints.web.base-path=/own").split("\\n"));
        }
    }

    @RestController
    public static class Answers {
        private final Path file;

        public Answers(Environment environment) {
            String folder = environment.getProperty("spring.config.additional-location").substring("file:".length());
            file = Path.of(folder, "application.properties");
        }

        @GetMapping("/values")
        public Map<String, String> values() throws Exception {
            System.out.println("ERROR the configuration is not what it was");
            String value = Files.readAllLines(file).get(0).split("=")[1];
            Map<String, String> all = new HashMap<>();
            for (String way : new String[] {"plain", "scoped", "bound", "environment"}) {
                all.put(way, value);
            }
            return all;
        }

        @RequestMapping("/actuator/refresh")
        public Map<String, String> refresh() {
            return Map.of("configmap", "read");
        }
    }
}
"""


@pytest.fixture(scope="module")
def plain(facts):
    return ClaimFacts(facts)


@pytest.fixture(scope="module")
def other(plain, tmp_path_factory):
    """Facts whose Spring application is the one above; it is run once."""
    needed()
    program = tmp_path_factory.mktemp("spring") / "Beans.java"
    program.write_text(OTHER, "utf-8")
    altered = ClaimFacts(plain.lab, own_tools={"spring:program": program})
    return {"spring-refresh": altered.get(beans.refreshed)}


def needed():
    if jdk.folder() is None:
        missing("JDK", "apt-get install default-jdk-headless")
    if not jars.part("Spring", beans.PACKAGE).present():
        missing("Maven", "apt-get install maven")


@pytest.mark.parametrize(
    ("id_", "was", "becomes"),
    [
        ("5.1.03", REFUTED, CONFIRMED),
        ("5.1.05", CONDITIONAL, REFUTED),
        ("5.1.06", CONDITIONAL, CONFIRMED),
        ("5.1.07", CONFIRMED, REFUTED),
    ],
)
def test_another_application(plain, other, id_, was, becomes):
    turned(id_, plain, was, becomes, own_facts=other)


def test_5_1_01_a_listing_that_follows_links(plain, executable):
    turned("5.1.01", plain, REFUTED, CONFIRMED, own_tools={"ls": executable("ls", 'exec /bin/ls -L "$@"')})


def test_5_1_01_a_listing_that_shows_nothing_says_nothing(plain, executable):
    turned("5.1.01", plain, REFUTED, UNTESTED, own_tools={"ls": executable("ls", "exit 0")})


def test_5_1_02_a_service_that_watches_with_its_rights_only(plain, tmp_path, monkeypatch):
    if plain.machine.system != "linux":
        pytest.skip("impossible here: it needs Linux")
    text = Path(service.__file__).with_name("reader.py").read_text("utf-8")
    reader = tmp_path / "reader.py"
    reader.write_text(
        text.replace('if mode in {"file", "data"}:', 'if mode in {"file", "data"} and not more:'), "utf-8"
    )
    before = result("5.1.02", plain)
    monkeypatch.setattr(service, "_READER", reader)
    after = result("5.1.02", ClaimFacts(plain.lab, own_tools={"configmap:reader": reader}))
    assert [each.verdict for each in (before, after)] == [REFUTED, CONFIRMED]
    for language in Language:
        assert sentences(before, language=language) != sentences(after, language=language)


def test_5_1_04_a_jar_that_declares_it(plain, tmp_path):
    needed()
    whole = next(path for path in jars.classpath(beans.JARS, beans.PACKAGE).split(":") if beans.UNUSED_JAR in path)
    jar = tmp_path / "other.jar"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(jar, "w") as new:
        for name in (chapter_5_1._METADATA, chapter_5_1._CLASS):
            new.writestr(
                name, old.read(name).replace(b"kubernetes.reload.enabled", b"kubernetes.config.reload.enabled")
            )
        assert json.loads(new.read(chapter_5_1._METADATA))
    turned("5.1.04", plain, REFUTED, CONFIRMED, own_tools={"jar:spring-cloud-kubernetes-commons": jar})


def test_without_a_jdk_it_is_said_how_to_get_one(plain, monkeypatch):
    monkeypatch.setattr(jdk, "folder", lambda: None)
    found = result("5.1.05", plain)
    assert found.verdict is UNTESTED
    assert "default-jdk-headless" in sentences(found)
