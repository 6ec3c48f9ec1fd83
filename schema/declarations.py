"""The settings by name and by variable, each with what it is; and which of their values are secret.

Read from `schema.settings` alone. Values in, values out: `schema.configuration` reads environment and files.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, get_type_hints

from schema.settings import Meta, Settings


class Declaration(NamedTuple):
    """One setting as declared, with the name of its environment variable and flag."""

    name: str
    env: str
    kind: type
    default: Any
    meta: Meta

    @property
    def flag(self) -> str:
        """`--kebab-case`, as the existing program has it."""
        return "--" + self.name.replace("_", "-")


def _declare() -> dict[str, Declaration]:
    hints = get_type_hints(Settings, include_extras=True)
    found = {}
    for name, default in Settings._field_defaults.items():
        kind, meta = hints[name].__origin__, hints[name].__metadata__[0]
        found[name] = Declaration(name, meta.env or f"CLAUDEOPS_{name.upper()}", kind, default, meta)
    return found


DECLARATIONS = _declare()
BY_ENV = {declaration.env: declaration for declaration in DECLARATIONS.values()}


def several(between: str, text: str) -> list[str]:
    """The values in the text of a setting that holds several, or all of it where nothing separates them."""
    if not between:
        return [text] if text else []
    return [part for part in (one.strip(" ,\t") for one in re.split(between, text)) if part]


def secret_values(settings: Settings, environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """(name, value) of what nothing may show: each value of a secret setting, and what browsers sign in with."""
    found = [
        (declaration.env, value)
        for name, declaration in DECLARATIONS.items()
        if declaration.meta.secret
        for value in several(declaration.meta.between, getattr(settings, name))
    ]
    return found + [(name, value) for name, value in environ.items() if name.startswith("BROWSER_CRED_") and value]
