"""The trap ``kafka``: a consumer that pauses for longer than its session lasts is put out of its group."""

from labkit.traps.kafka.trap import Kafka

__all__ = ["Kafka"]
