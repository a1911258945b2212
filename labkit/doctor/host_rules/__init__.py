"""Rules about the host: one small class a failure mode, on literal facts. An id, once given, keeps its meaning."""

from typing import Final

from labkit.doctor.host_rules.apple import APPLE_RULES
from labkit.doctor.host_rules.architecture import ARCHITECTURE_RULES
from labkit.doctor.host_rules.base import HostRule
from labkit.doctor.host_rules.presence import PRESENCE_RULES
from labkit.doctor.host_rules.projects import PROJECT_RULES
from labkit.doctor.host_rules.settings import SETTINGS_RULES
from labkit.doctor.host_rules.signing import SIGNING_RULES
from labkit.doctor.host_rules.versions import VERSION_RULES

#: By id: F01 to F48, then labkit's own.
HOST_RULES: Final[tuple[HostRule, ...]] = tuple(
    sorted(
        (
            *ARCHITECTURE_RULES,
            *SIGNING_RULES,
            *PRESENCE_RULES,
            *SETTINGS_RULES,
            *APPLE_RULES,
            *VERSION_RULES,
            *PROJECT_RULES,
        ),
        key=lambda rule: rule.id,
    )
)

__all__ = ["HOST_RULES", "HostRule"]
