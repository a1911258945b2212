"""The trap ``helm``: an upgrade changes a Secret, keeps a new default out, and no pod starts anew."""

from labkit.traps.helm.trap import Helm

__all__ = ["Helm"]
