"""The trap of nginx's 502: an nginx before a faulty upstream, and the decision tree that names a fault by its log."""

from labkit.traps.http502.drawing import outline, svg
from labkit.traps.http502.trap import Http502
from labkit.traps.http502.tree import Leaf, Tree, classify, tree

__all__ = ["Http502", "Leaf", "Tree", "classify", "outline", "svg", "tree"]
