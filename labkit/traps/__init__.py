"""Eight faults that production systems run into, each reproduced on real parts, diagnosed, mended and verified.

A trap is one subclass of :class:`labkit.traps.trap.Trap` in a module of its own, found by its id in :data:`TRAPS`.
"""

from typing import Final

#: The traps by id, in the order they are shown: the module that holds each, and its class.
TRAPS: Final = {
    "configmap": ("labkit.traps.configmap", "ConfigMap"),
    "pool": ("labkit.traps.pool", "Pool"),
    "mtls": ("labkit.traps.mtls", "MutualTls"),
    "scrape": ("labkit.traps.scrape", "Scrape"),
    "kafka": ("labkit.traps.kafka", "Kafka"),
    "http502": ("labkit.traps.http502", "Http502"),
    "helm": ("labkit.traps.helm", "Helm"),
    "timezone": ("labkit.traps.timezone", "TimeZone"),
}
