"""Applies the rules about the host to its facts."""

from labkit.doctor.host_rules import HOST_RULES
from labkit.model.check import Finding
from labkit.model.host import HostFacts


def examine_host(facts: HostFacts) -> tuple[Finding, ...]:
    """Return one finding a rule, by id. What the facts cannot decide is skipped with the reason."""
    return tuple(rule.check(facts) for rule in HOST_RULES)
