"""Variables in a definition's texts: `$NAME` stands for CLAUDEOPS_PROBE_NAME of the daemon's environment. Pure.

No other variable can be named: who may add a service may not read the daemon's secrets with it. `$$` is a dollar sign.
Called by `daemon.services.catalogue`.
"""

import re
from collections.abc import Mapping

import msgspec

from schema.definitions import Definition

PREFIX = "CLAUDEOPS_PROBE_"
_VARIABLE = re.compile(r"\$(?:(\$)|\{([A-Z][A-Z0-9_]*)\}|([A-Z][A-Z0-9_]*))")


class UnknownVariableError(ValueError):
    """A variable that the daemon's environment does not have."""


def expand(text: str, environ: Mapping[str, str]) -> str:
    """A text with its variables filled in. UnknownVariableError."""

    def value(match: "re.Match[str]") -> str:
        if match[1]:
            return "$"
        name = match[2] or match[3]
        if PREFIX + name not in environ:
            raise UnknownVariableError(f"${name}: the daemon has no variable {PREFIX}{name}; set it, and reload")
        return environ[PREFIX + name]

    return _VARIABLE.sub(value, text)


def named(text: str) -> bool:
    """Whether a text names a variable; a dollar sign alone does not."""
    return any(match[2] or match[3] for match in _VARIABLE.finditer(text))


def filled(definition: Definition, environ: Mapping[str, str]) -> Definition:
    """A definition with its variables filled in, for a probe. UnknownVariableError."""
    return msgspec.structs.replace(
        definition,
        url=expand(definition.url, environ),
        headers={name: expand(value, environ) for name, value in definition.headers.items()},
        body=expand(definition.body, environ),
        proxy=expand(definition.proxy, environ),
        command=tuple(expand(word, environ) for word in definition.command),
    )
