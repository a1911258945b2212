"""What a diagnosis returns: one possible cause of an error text, with the evidence for and against it.

Not a finding: a finding is about this machine and was looked at; a cause is a hypothesis about a text.
"""

from labkit.model.base import Record, Text
from labkit.model.check import Evidence, Remedy


class Cause(Record, frozen=True, kw_only=True):
    """One possible cause of a text.

    ``confidence`` (0 to 1) is this cause's share of the belief that the rules give out for this text: its own score
    divided by the scores of all causes that matched plus a fixed one for "something that labkit does not know". It
    ranks causes of one text; it is no measured frequency, and values of two texts are not comparable.
    """

    rule: str  # F01 to F48, or L and a number where no F-rule covers the cause
    confidence: float
    title: Text
    evidence: tuple[Evidence, ...]  # what speaks for it
    against: tuple[Evidence, ...]  # what speaks against it
    remedy: Remedy
    link: str  # the source of the rule: a public thread or documentation
    confirmed_on_hardware: bool  # False until this project has seen it on the kind of machine that it is about
    settles: Text  # what would settle it where no probe here can
