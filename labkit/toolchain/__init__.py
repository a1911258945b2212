"""One named, pinned set of tools: obtained, verified, and asked their versions back.

Go comes from the host when the host's own is exactly the pinned version for this hardware, else from a wheel; protoc
likewise; the plugins are built by that Go with ``go install``. Everything lies in labkit's own store
(:mod:`labkit.system.store`), never in the user's GOBIN.
"""

from labkit.toolchain.provision import find, host_platform, newer, program, provision

__all__ = ["find", "host_platform", "newer", "program", "provision"]
