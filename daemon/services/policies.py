"""What holds for a service as the settings are now: rules by tag, read anew when they change, and their defaults.

Built by `daemon.services.services`; its `of` is handed on to `daemon.services.recorder` and `.attending`.
"""

import sys

from daemon.services.rules import policies
from daemon.services.rules.policies import Policy, TagRule
from daemon.settings.live import LiveSettings
from schema.definitions import Definition


class Policies:
    """The settings as rules. Registers the check of CLAUDEOPS_SERVICE_RULES with them."""

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        self._read: tuple[str, list[TagRule]] = ("", [])  # a text, and what it says
        settings.checks["service_rules"] = policies.by_tag

    def of(self, definition: Definition) -> Policy:
        """Called on the store's thread too."""
        current = self._settings.current
        text, rules = self._read
        if current.service_rules != text:
            text, rules = current.service_rules, self._rules(current.service_rules)
            self._read = (text, rules)
        return policies.of(definition, rules, current)

    def _rules(self, text: str) -> list[TagRule]:
        try:
            return policies.by_tag(text)
        except ValueError as error:
            told = f"services: CLAUDEOPS_SERVICE_RULES: {error}; no rule holds until that is mended"
            print(told, file=sys.stderr, flush=True)
            return []
