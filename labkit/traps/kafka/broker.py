"""The large form of the trap, when asked for: the same two pauses on Apache Kafka's own broker, a KRaft node of one."""

import os
from pathlib import Path
from typing import Final

from labkit.model.base import Text
from labkit.model.check import Status
from labkit.model.traps import Case
from labkit.traps import jars, jdk
from labkit.traps.kafka.group import PARTITIONS, TOPIC, Group
from labkit.traps.rig import Rig

#: Names the traps whose large form is wanted, separated by commas.
VARIABLE: Final = "LABKIT_TRAPS_LARGE"
JARS: Final = "kafka"
PACKAGE: Final = "labkit.traps.kafka"
_ID: Final = "MkU3OEVBNTcwNTJENDM2Qk"  # any 16 bytes will do, in base64
_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={data}
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.min.session.timeout.ms=1000
group.initial.rebalance.delay.ms=1000
"""


def asked() -> bool:
    """Return whether the large form is wanted."""
    return "kafka" in os.environ.get(VARIABLE, "").split(",")


def prepare() -> None:
    """Fetch the broker's libraries when the large form is wanted."""
    if asked():
        jars.classpath(JARS, PACKAGE)


def case(rig: Rig, session_ms: int, mended_ms: int, pause_s: float) -> Case:
    """Return what the real broker does with a pause longer than the session, and with one shorter."""
    wanted = Text(id="trap_kafka.case.broker_wanted")
    if not asked():
        reason = Text(id="trap_kafka.case.broker_not_asked", values={"variable": VARIABLE})
        return Case(id="broker", status=Status.SKIP, text=wanted, reason=reason)
    for part in (jdk.part(), jars.part("Apache Kafka", PACKAGE)):
        if not part.present():
            return Case(id="broker", status=Status.SKIP, text=wanted, reason=part.reason())
    group = Group(rig, session_ms, address=_broker(rig))
    pauses = []
    for session in (session_ms, mended_ms):
        if session != session_ms:
            group.settled()
            group.restart(session)
        group.settled()
        group.stop_first()
        group.wait(pause_s)
        pauses.append(group.resume_first())
    long, mended = pauses
    return Case(
        id="broker",
        status=Status.PASS if long.taken_over_s and not mended.rebalanced else Status.FAIL,
        text=Text(
            id="trap_kafka.case.broker",
            values={"pause_ms": long.length_ms, "session_ms": session_ms, "mended_ms": mended_ms},
        ),
        command="java -cp ... kafka.Kafka server.properties",
        output=f"{long.timeline()}\n\n{mended.timeline()}",
        facts={
            "rebalanced": long.rebalanced,
            "pause_ms": long.length_ms,
            "rebalanced_mended": mended.rebalanced,
            "pause_mended_ms": mended.length_ms,
        },
    )


def _broker(rig: Rig) -> str:
    path = jars.classpath(JARS, PACKAGE)
    port, control = rig.port(), rig.port()
    folder = rig.folder / "broker"
    folder.mkdir()
    properties = folder / "server.properties"
    properties.write_text(_PROPERTIES.format(port=port, control=control, data=folder / "data"))
    java: list[str | Path] = [jdk.tool("java"), jdk.UNWATCHED, "-Xmx384m"]
    java += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", path]
    rig.run([*java, "kafka.tools.StorageTool", "format", "-t", _ID, "-c", properties], timeout_s=180)
    rig.start("the broker", [*java, "kafka.Kafka", properties])
    rig.until("the broker's topic", lambda: _topic_made(f"127.0.0.1:{port}"), timeout_s=180)
    return f"127.0.0.1:{port}"


def _topic_made(address: str) -> bool:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic

    client = AdminClient({"bootstrap.servers": address, "socket.timeout.ms": 5000, "log_level": 0})
    try:
        made = client.create_topics([NewTopic(TOPIC, num_partitions=PARTITIONS, replication_factor=1)])
        made[TOPIC].result(timeout=30)
    except KafkaException as error:
        return bool(error.args[0].name() == "TOPIC_ALREADY_EXISTS")
    return True
