"""What a run is asked to be. Built by sessions and jobs, told to the shim, and (without secrets) kept in spec.json."""

import json
import math
import os
from pathlib import Path

import msgspec

from daemon.runs import files
from daemon.runs.redaction import Redactor

GIB = 1 << 30


class Secret(msgspec.Struct, frozen=True):
    """A value that must appear nowhere; `[REDACTED:name]` stands for it."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"Secret({self.name})"


class RunSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One command and its limits. Paths are absolute; times in seconds; ValueError on what can never run.

    `run_id` names the run directory. `env` is the whole environment: nothing is inherited (CLAUDEOPS_RUN_ID and
    CLAUDEOPS_RUN_DIR join). `stdin` is text or bytes for the command's input; None means empty. `max_bytes` bounds
    the log; the command is ended once the log could not be written for `disk_patience_s`. `labels` are the caller's
    own facts (a session's id, say), kept in spec.json for adoption.
    """

    run_id: str
    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    log_path: str
    stdin: str | bytes | None = None
    timeout_s: float = 1800.0
    grace_int_s: float = 10.0
    grace_term_s: float = 5.0
    max_bytes: int = GIB
    disk_patience_s: float = 10.0
    secrets: tuple[Secret, ...] = ()
    labels: dict[str, str] = {}

    def __post_init__(self) -> None:
        if not self.argv or not self.argv[0]:
            raise ValueError("a run needs a command: argv is empty")
        if not self.run_id or "/" in self.run_id or self.run_id.startswith("."):
            raise ValueError(f"run id {self.run_id!r} cannot name a directory: no '/', no leading '.'")
        for name, path in (("cwd", self.cwd), ("log_path", self.log_path)):
            if not os.path.isabs(path) or not path.isprintable():
                raise ValueError(f"{name} of run {self.run_id} must be an absolute, printable path, not {path!r}")
        if not 0 < self.timeout_s < math.inf:
            raise ValueError(f"timeout_s of run {self.run_id} must be finite and above 0, not {self.timeout_s}")
        if self.max_bytes <= 0:
            raise ValueError(f"max_bytes of run {self.run_id} must be above 0, not {self.max_bytes}")
        for name in ("grace_int_s", "grace_term_s", "disk_patience_s"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} of run {self.run_id} must be finite and not below 0, not {value}")

    def __repr__(self) -> str:
        # Environment and input may hold secrets, and a repr ends up in logs.
        return f"RunSpec({self.run_id}: {self.argv[0]})"


class KnownSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What spec.json tells about a run, also to a later worker: no value of the environment, no input, no secret."""

    run_id: str
    argv: tuple[str, ...]
    env_names: tuple[str, ...]
    cwd: str
    log_path: str
    timeout_s: float
    grace_int_s: float
    grace_term_s: float
    max_bytes: int
    secret_names: tuple[str, ...]
    created_at: str
    labels: dict[str, str] = {}


def known(spec: RunSpec, created_at: str) -> KnownSpec:
    """The part of a spec that may be on disk."""
    redactor = Redactor((secret.name, secret.value) for secret in spec.secrets)
    return KnownSpec(
        run_id=spec.run_id,
        argv=tuple(_readable(redactor.text(word)) for word in spec.argv),
        env_names=tuple(_readable(name) for name in sorted(spec.env)),
        cwd=spec.cwd,
        log_path=spec.log_path,
        timeout_s=spec.timeout_s,
        grace_int_s=spec.grace_int_s,
        grace_term_s=spec.grace_term_s,
        max_bytes=spec.max_bytes,
        secret_names=tuple(secret.name for secret in spec.secrets),
        created_at=created_at,
        labels=spec.labels,
    )


def _readable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def told(spec: RunSpec, run_dir: Path, title_module: str | None) -> bytes:
    """The document for the shim: everything, secrets included. Goes through its channel and nowhere else."""
    # json, not msgspec: arguments and variables may hold bytes that are not UTF-8 (as surrogates).
    return json.dumps(
        {
            "run_id": spec.run_id,
            "argv": spec.argv,
            "env": spec.env,
            "cwd": spec.cwd,
            "stdin": None if spec.stdin is None else str(run_dir / files.STDIN),
            "log_path": spec.log_path,
            "timeout_s": spec.timeout_s,
            "grace_int_s": spec.grace_int_s,
            "grace_term_s": spec.grace_term_s,
            "max_bytes": spec.max_bytes,
            "disk_patience_s": spec.disk_patience_s,
            "redactions": [{"name": secret.name, "value": secret.value} for secret in spec.secrets],
            "title_module": title_module,
        }
    ).encode()


def read_known(run_dir: Path) -> KnownSpec | None:
    """The spec.json of a run directory, or None when it is missing or unreadable."""
    try:
        return msgspec.json.decode((run_dir / files.SPEC).read_bytes(), type=KnownSpec)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
