"""Messages about the daemon itself: greeting, status, processes, backup."""

from typing import ClassVar

import msgspec

from ipc.messages.envelope import PROTOCOL, PROTOCOL_OLDEST, Done, Event, Reply, Request


class Welcome(Reply, frozen=True):
    """The worker's answer: the protocol to use from now on, and where its numbering of events stands."""

    protocol: int
    version: str
    epoch: str
    sequence: int


class Hello(Request, frozen=True):
    """The first message of a client: which protocols it speaks."""

    subject: ClassVar[str] = "hello"
    reply: ClassVar[type[Reply]] = Welcome
    oldest: int = PROTOCOL_OLDEST
    newest: int = PROTOCOL
    role: str = "ctl"
    version: str = ""


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process of the daemon, as the supervisor reports it."""

    name: str
    pid: int | None = None
    state: str
    restarts: int = 0
    uptime_s: float = 0.0
    rss_bytes: int = 0
    last_exit: str | None = None


class SessionCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions there are in a state."""

    running: int = 0


class CommandLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the probe of the `claude` command found."""

    ok: bool
    path: str
    version: str = ""
    text: str = ""


class StatusReply(Reply, frozen=True):
    """How the daemon is."""

    state: str
    reason: str | None = None
    processes: list[Process] = []
    sessions: SessionCount = SessionCount()
    next_run_at: str | None = None
    version: str = ""
    started_at: str = ""
    address: str = ""
    demo: bool = False
    cli: CommandLine | None = None
    warnings: list[str] = []


class Status(Request, frozen=True):
    """How is the daemon?"""

    subject: ClassVar[str] = "status"
    reply: ClassVar[type[Reply]] = StatusReply


class RestartProcess(Request, frozen=True):
    """Replaces the worker or the web process; sessions go on."""

    subject: ClassVar[str] = "process.restart"
    reply: ClassVar[type[Reply]] = Done
    name: str


class Reload(Request, frozen=True):
    """Reads the environment file again, as SIGHUP does."""

    subject: ClassVar[str] = "daemon.reload"
    reply: ClassVar[type[Reply]] = Done


class Stop(Request, frozen=True):
    """Stops the daemon and every session, as SIGTERM does."""

    subject: ClassVar[str] = "daemon.stop"
    reply: ClassVar[type[Reply]] = Done


class BackupReply(Reply, frozen=True):
    """Where the copy lies, how large it is in bytes, and its manifest: version, schema step, time, SHA-256."""

    path: str
    size: int
    version: str = ""
    step: int = 0
    made_at: str = ""
    sha256: str = ""


class Backup(Request, frozen=True):
    """Copies the database, online. An empty path means <state>/backups/claudeops-<time>.db."""

    subject: ClassVar[str] = "database.backup"
    reply: ClassVar[type[Reply]] = BackupReply
    changes: ClassVar[bool] = True
    path: str = ""
    by: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a check-up looked at: `ok`, `warning` or `error`, and what to do."""

    name: str
    level: str
    text: str


class DoctorReply(Reply, frozen=True):
    """What the worker's check-up found."""

    findings: list[Finding]


class Doctor(Request, frozen=True):
    """Has the worker check what only it can see: database, disk, descriptors, the `claude` command."""

    subject: ClassVar[str] = "doctor"
    reply: ClassVar[type[Reply]] = DoctorReply


class Beat(Event, frozen=True):
    """Once a second: the worker lives, and this is how it is.

    `locked`: another process keeps the database locked. `cli`: what is wrong with the `claude` command; empty: nothing.
    """

    subject: ClassVar[str] = "beat"
    sessions_running: int = 0
    next_run_at: str | None = None
    state: str = "running"
    reason: str | None = None
    locked: bool = False
    cli: str = ""


class StateChanged(Event, frozen=True):
    """Something that pages show has changed: `processes`, `settings` or `schedule`."""

    subject: ClassVar[str] = "state"
    what: str
