"""Where a check-up happens: the settings that hold, where the daemon is, and what its worker has said of itself.

Made once by `ipc.ctl.doctor`; every check of `ipc.ctl.checkup` gets it, and changes nothing.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ipc.ctl.connection import Body
from schema.configuration import ConfigurationError, environment, load
from schema.settings import Settings

OK, WARNING, ERROR = "ok", "warning", "error"


class Finding(NamedTuple):
    """What a check found: how bad it is, and what to do, as a sentence."""

    level: str
    text: str


class Host(NamedTuple):
    """What the checks look at. `told` are the worker's settings by name, empty without one."""

    runtime: Path
    state: Path
    settings: Settings
    environ: Mapping[str, str]
    pid: int | None  # the supervisor's; None: no daemon runs, 0: it can't be seen from here
    problems: list[str]
    told: Mapping[str, str]

    def place(self, name: str) -> str:
        """A setting as the running daemon has it, else as it is here."""
        return self.told.get(name) or str(getattr(self.settings, name))


def ok(text: str) -> Finding:
    """All is well."""
    return Finding(OK, text)


def warn(text: str) -> Finding:
    """Worth a look; nothing is broken."""
    return Finding(WARNING, text)


def bad(text: str) -> Finding:
    """Something is broken, and this is what to do."""
    return Finding(ERROR, text)


def look(runtime: Path, state: Path, pid: int | None, told: list[Body]) -> Host:
    """The host as it is now. Settings that can't be used are told, and taken as if they were not set."""
    problems: list[str] = []
    environ: Mapping[str, str] = dict(os.environ)
    settings = Settings()
    try:
        environ = environment(os.environ)
        settings = load(environ)
    except ConfigurationError as error:
        problems = error.problems
    values = {item["name"]: str(item["value"]) for item in told if not item.get("secret")}
    if named := values.get("state_dir") or environ.get("CLAUDEOPS_STATE_DIR"):
        state = Path(named)
    return Host(runtime, state, settings, environ, pid, problems, values)
