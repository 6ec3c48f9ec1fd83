"""What the children run and what they are given: settings read from the environment, and an environment each.

The worker gets everything. The web process gets an environment built from nothing: what it shows, and no secret.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daemon import procfs
from daemon.supervisor.children import Program, python
from daemon.supervisor.log import LOG
from daemon.supervisor.logfile import LogFile
from daemon.supervisor.places import Places
from schema.configuration import DECLARATIONS, environment, load, show
from schema.declarations import secret_values
from schema.settings import Settings

WEB_VARIABLES = ("PATH", "HOME", "LANG", "TZ", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS", "VIRTUAL_ENV")
# One arena of glibc's for all threads of a child: one for each of them is mostly empty, and some 0.5 MiB a child.
LEAN = {"MALLOC_ARENA_MAX": "1"}
# What systemd says to its main process alone.
SYSTEMD = ("NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_")
# Descriptors and places that are made once; a change of these wants a new start of the daemon.
FIXED = (
    "dashboard_host", "dashboard_port", "runtime_dir", "state_dir", "results_dir",
    "log_format", "log_file", "log_max_bytes", "log_keep",
)  # fmt: skip


class Programs:
    """Settings as read last, and the programs made from them."""

    def __init__(
        self, base: Mapping[str, str], flags: Mapping[str, str] | None = None, spared: Mapping[int, int] | None = None
    ) -> None:
        """`base` is the environment at start; `flags` win over it and over its file. May raise ConfigurationError."""
        self._base = {name: value for name, value in base.items() if not name.startswith(SYSTEMD)}
        self._flags = dict(flags or {})
        self.environ = self._read()
        self.settings: Settings = load(self.environ)
        self.spared = dict(spared or {})
        self._given: set[tuple[str, str]] = set()

    def _read(self) -> dict[str, str]:
        return {**environment({**self._base, **self._flags}), **self._flags}

    def reload(self) -> tuple[bool, str]:
        """Reads the environment file anew: (whether the web process needs to know, settings that want a new start)."""
        environ = self._read()
        settings = load(environ)
        changed = [name for name in DECLARATIONS if getattr(settings, name) != getattr(self.settings, name)]
        kept = self.fixed()
        self.settings, self.environ = settings, environ
        self.keep(kept)
        web = any(DECLARATIONS[name].meta.web for name in changed if name not in FIXED)
        return web, ", ".join(DECLARATIONS[name].env for name in changed if name in FIXED)

    def fixed(self) -> dict[str, Any]:
        """The settings that stay as they were at the start, by name."""
        return {name: getattr(self.settings, name) for name in FIXED}

    def keep(self, fixed: dict[str, Any]) -> None:
        """What was opened at the start stays open, whatever the environment file says now."""
        self.settings = self.settings._replace(**fixed)
        self.environ = {**self.environ, **{DECLARATIONS[name].env: str(value) for name, value in fixed.items()}}

    def secrets(self) -> list[tuple[str, str]]:
        """(name, value) of everything that no line of the log may show."""
        return secret_values(self.settings, self.environ)

    @property
    def log_path(self) -> str:
        """The log file, empty without one."""
        return str(Path(self.settings.log_file).absolute()) if self.settings.log_file else ""

    def begin_log(self) -> None:
        """Has lines written as the settings say; called again, goes on in the file that has its name now."""
        LOG.json = self.settings.log_format == "json"
        if LOG.file is not None:
            LOG.file.reopen()
        elif self.settings.log_file:
            LOG.file = LogFile(self.log_path, self.settings.log_max_bytes, self.settings.log_keep, LOG.complain)
        if LOG.gathers:
            from daemon.runs.redaction import Redactor  # where lines go through the supervisor

            # What a process was given before a reload it may print for as long as it runs, and its sessions longer.
            self._given.update(self.secrets())
            LOG.redact = Redactor(sorted(self._given)).text

    def worker(self, places: Places, boot_id: str) -> Program:
        """The worker."""

        def build() -> Mapping[str, str]:
            return {
                **LEAN,
                **self.environ,
                "CLAUDEOPS_RUNTIME_DIR": self.settings.runtime_dir,
                "CLAUDEOPS_BOOT_ID": boot_id,
                "CLAUDEOPS_STATE_DIR": self.settings.state_dir,
            }

        descriptors = {
            "CLAUDEOPS_RPC_FD": places.rpc,
            "CLAUDEOPS_PUB_FD": places.pub,
            "CLAUDEOPS_LOCK_FD": places.lock,
            "CLAUDEOPS_STATE_LOCK_FD": places.state,
        }
        return Program(python("daemon.worker"), build, descriptors)

    def web(self, places: Places, boot_id: str) -> Program:
        """The web process."""

        def build() -> Mapping[str, str]:
            shown = {
                declaration.env: show(declaration, getattr(self.settings, name))
                for name, declaration in DECLARATIONS.items()
                if declaration.meta.web and not declaration.meta.secret
            }
            kept = {name: self.environ[name] for name in WEB_VARIABLES if name in self.environ}
            return {**LEAN, **kept, **shown, "CLAUDEOPS_BOOT_ID": boot_id}

        return Program(python("webui"), build, {"CLAUDEOPS_HTTP_FD": places.http})


def started_below_us() -> dict[int, int]:
    """pid → start time of processes that are below us before we start any: whoever re-executed into us keeps them."""
    found = ((pid, procfs.start_time(pid)) for pid in procfs.descendants(os.getpid()))
    return {pid: started for pid, started in found if started is not None}
