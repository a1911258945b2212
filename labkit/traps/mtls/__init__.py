"""The trap of mutual TLS: a client that sends its certificate without the intermediate one."""

from labkit.traps.mtls.trap import MutualTls

__all__ = ["MutualTls"]
