"""The same .proto through generators of different days, side by side; compares nothing with committed code."""

from labkit.codegen.generators.survey import survey

__all__ = ["survey"]
