"""One consumer of a group, in a process of its own, for it is to be paused: says what happens to it as JSON lines.

Run as a program with the cluster's address, the topic, the group and the session's timeout in ms. Each line has
``at_s`` (the system's monotonic clock, the same for all processes), ``event`` and ``partitions`` or ``error``. A commit
is the sign of life: the cluster takes it from a member only, and refuses one that it has put out. SIGTERM makes it
leave the group, as a service does that is restarted.
"""

import json
import signal
import sys
import time
from typing import Any, Final

_COMMIT_EVERY_S: Final = 0.2
_HEARTBEAT_MS: Final = 500


def say(event: str, **more: object) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps({"at_s": time.monotonic(), "event": event, **more}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Join the group and stay."""
    from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

    address, topic, group, session_ms = sys.argv[1:]
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": group,
            "session.timeout.ms": int(session_ms),
            "heartbeat.interval.ms": _HEARTBEAT_MS,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )

    def tell(event: str) -> Any:  # noqa: ANN401 - confluent_kafka names no type for it
        return lambda _consumer, partitions: say(event, partitions=sorted(one.partition for one in partitions))

    consumer.subscribe([topic], on_assign=tell("assign"), on_revoke=tell("revoke"), on_lost=tell("lost"))
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    due_s = 0.0
    while not asked:
        consumer.poll(0.05)
        mine = consumer.assignment()
        if not mine or time.monotonic() < due_s:
            continue
        due_s = time.monotonic() + _COMMIT_EVERY_S
        try:
            consumer.commit(offsets=[TopicPartition(topic, one.partition, 0) for one in mine], asynchronous=False)
        except KafkaException as error:
            fault: KafkaError = error.args[0]
            say("refused", error=fault.name())
        else:
            say("commit", partitions=sorted(one.partition for one in mine))
    consumer.close()
    say("left")


if __name__ == "__main__":
    main()
