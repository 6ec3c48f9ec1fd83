"""Turns text into `Settings`: environment, files that hold secrets, overrides from the database.

Precedence: default < environment < override. Empty text means "not set". Called by the supervisor at start and on
SIGHUP, by the worker for every live value, and by `claudeopsctl config`. Standard library alone.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schema.declarations import BY_ENV as BY_ENV
from schema.declarations import DECLARATIONS as DECLARATIONS
from schema.declarations import Declaration as Declaration
from schema.settings import Settings

TRUE = frozenset({"1", "true", "t", "yes", "on"})
FALSE = frozenset({"0", "false", "f", "no", "off"})
PLACES = ("state_dir", "results_dir", "repos_dir", "runtime_dir", "app_dir")
# Of the existing program's environment files; nothing is lost with them.
WITHOUT_EFFECT = {
    "CLAUDEOPS_VERBOSE": "the log says all there is to say",
    "CLAUDEOPS_TIER": "each session is told its tier by the daemon",
}
# Of compose files, which read the environment too, and what the daemon says to its own processes.
OF_OTHERS = frozenset({"CLAUDEOPS_REPOS", "CLAUDEOPS_KEY_FILE", "CLAUDEOPS_REEXEC", "CLAUDEOPS_SYSTEMD_MARK"})
OF_PROBES = "CLAUDEOPS_PROBE_"  # what `$NAME` in a service's texts stands for (daemon.services.rules.variables)
HIGHEST = 2.0**53  # of any number: beyond it floats, JSON and SQLite no longer agree


class ConfigurationError(Exception):
    """Settings that can't be used. `problems` has one sentence each, naming the variable and what to write instead."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def parse(declaration: Declaration, text: str) -> Any:
    """The value that `text` stands for. ValueError says what is wrong and what would be right."""
    meta = declaration.meta
    if declaration.kind is bool:
        word = text.strip().lower()
        if word not in TRUE | FALSE:
            raise ValueError(f"{text!r} is neither true nor false")
        return word in TRUE
    if declaration.kind is str:
        if "\n" in text or "\0" in text:
            raise ValueError("line ends and NULs are not possible here")
        if meta.form:
            text = text.strip()
            if text and not re.fullmatch(meta.form, text):
                raise ValueError(f"{text!r} is not of the form {meta.example}")
        if meta.networks:
            from schema.networks import networks  # what it is read by is 0.3 MiB, for who sets one alone

            networks(text)
        if meta.choices and text not in meta.choices:
            raise ValueError(f"{text!r} is none of {', '.join(meta.choices)}")
        return text
    try:
        number = declaration.kind(text.strip())
    except ValueError:
        wanted = "a whole number" if declaration.kind is int else "a number"
        raise ValueError(f"{text!r} is not {wanted}{f' of {meta.unit}' if meta.unit else ''}") from None
    if number != number:
        raise ValueError("not a number")
    low, high = (-HIGHEST if meta.low is None else meta.low), (HIGHEST if meta.high is None else meta.high)
    if number < low:
        raise ValueError(f"{text} is below {low:g}")
    if number > high:
        raise ValueError(f"{text} is above {high:g}")
    return number


def load(environ: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> Settings:
    """All settings from `environ` and the database's `overrides` (by setting name). Collects every problem first."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, declaration in DECLARATIONS.items():
        text = environ.get(declaration.env, "")
        source = declaration.env
        if not text and declaration.meta.secret and environ.get(declaration.env + "_FILE"):
            source = declaration.env + "_FILE"
            try:
                text = Path(environ[source]).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{source}: can't read {environ[source]}: {error}")
                continue
        if overrides and overrides.get(name) and declaration.meta.live:
            text, source = overrides[name], f"override of {name}"
        if not text:
            continue
        if name in PLACES and not text.isprintable():
            problems.append(f"{source}: {text!r} has characters that nobody can see; write its path without them")
            continue
        try:
            values[name] = parse(declaration, text)
        except ValueError as error:
            problems.append(f"{source}: {error}")
    if problems:
        raise ConfigurationError(problems)
    settings = Settings(**values)
    if not settings.runtime_dir:
        runtime = environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
        settings = settings._replace(runtime_dir=runtime or str(Path(settings.state_dir) / "run"))
    # Sessions run in a directory of their own, so a relative path would mean another place there.
    places: dict[str, Any] = {name: str(Path(getattr(settings, name)).absolute()) for name in PLACES}
    return settings._replace(**places)


def without_effect(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that looks like a setting and changes nothing. Not fatal: it may be of tomorrow."""
    told = []
    for name in sorted(name for name, value in environ.items() if value and name.startswith("CLAUDEOPS_")):
        known = BY_ENV.get(name.removesuffix("_FILE"))
        if name in WITHOUT_EFFECT:
            told.append(f"{name} has no effect: {WITHOUT_EFFECT[name]}")
        elif name in OF_OTHERS or name.startswith(OF_PROBES):
            continue
        elif name not in BY_ENV and not (known and known.meta.secret):
            import difflib  # for a mistyped name alone

            near = difflib.get_close_matches(name, BY_ENV, 1, 0.85)
            told.append(f"{name} is no setting and has no effect{f'; did you mean {near[0]}?' if near else ''}")
    return told


def show(declaration: Declaration, value: Any) -> str:
    """The value as text that `parse` takes back; a secret is only told to be set or not."""
    if declaration.meta.secret:
        return "set" if value else ""
    if declaration.kind is bool:
        return "true" if value else "false"
    return str(value).removesuffix(".0") if declaration.kind is float else str(value)


def read_env_file(path: str) -> dict[str, str]:
    """NAME=value lines of an environment file as systemd reads it: comments, blank lines, optional quotes."""
    found: dict[str, str] = {}
    problems = []
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"CLAUDEOPS_ENV_FILE: can't read {path}: {error}"]) from error
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            problems.append(f"{path}, line {number}: not of the form NAME=value")
            continue
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name.strip()] = value
    if problems:
        raise ConfigurationError(problems)
    return found


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with the lines of CLAUDEOPS_ENV_FILE over it."""
    path = environ.get("CLAUDEOPS_ENV_FILE", "")
    return {**environ, **(read_env_file(path) if path else {})}
