"""A Kafka cluster of librdkafka's own mock, in a process of its own: prints its address and stays until it is ended.

Run as a program. The mock speaks Kafka's protocol on 127.0.0.1, consumer groups with their timeouts included
(https://github.com/confluentinc/librdkafka/blob/master/src/rdkafka_mock.h).
"""

import sys
import threading


def main() -> None:
    """Make the topic and print the cluster's address."""
    from confluent_kafka import Producer

    topic = sys.argv[1]
    keeper = Producer({"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1})  # the mock replaces the address
    brokers = keeper.list_topics(topic, timeout=30).brokers  # asking for a topic makes it, with four partitions
    sys.stdout.write(",".join(f"{broker.host}:{broker.port}" for broker in brokers.values()) + "\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
