"""The daemon as a whole, for overview and system page: processes, health, what needs a person.

From the worker's status where it answers, else from the supervisor's file. Pure but for `gather`, which asks both.
"""

from datetime import datetime
from typing import NamedTuple

from ipc.messages.system import Process, StatusReply
from schema import timestamps
from schema.sessions import Session
from schema.states import SessionStatus
from webui.pages import formats
from webui.pages.session_rows import LOOKS
from webui.parts import Parts

PROCESS_LOOKS = {
    "running": ("ok", "circle-check"),
    "ready": ("ok", "circle-check"),
    "starting": ("info", "circle-dashed"),
    "restarting": ("warn", "rotate-cw"),
    "backoff": ("warn", "rotate-cw"),
    "stopping": ("neutral", "square"),
    "stopped": ("neutral", "square"),
    "failed": ("bad", "octagon-x"),
    "fatal": ("bad", "octagon-x"),
}
STATE_LOOKS = {
    "running": ("ok", "circle-check"),
    "starting": ("info", "circle-dashed"),
    "degraded": ("warn", "triangle-alert"),
    "stopping": ("neutral", "square"),
}
LINGERS = 86400.0  # how long a failed session needs attention, s


class ProcessRow(NamedTuple):
    """One process of the daemon."""

    name: str
    pid: int | None
    state: str
    tone: str
    icon: str
    restarts: int
    uptime: str
    memory: str


class Fact(NamedTuple):
    """A labelled value."""

    label: str
    value: str
    hint: str = ""
    mono: bool = False
    href: str | None = None


class Health(NamedTuple):
    """How the daemon is, in a word and a few facts."""

    tone: str
    icon: str
    word: str
    facts: list[Fact]


class Cli(NamedTuple):
    """How the `claude` command is."""

    ok: bool
    text: str


class Problem(NamedTuple):
    """Something that needs a person."""

    tone: str
    icon: str
    title: str
    text: str
    href: str | None
    link: str


class NextRun(NamedTuple):
    """When the schedule starts the next session."""

    at: str
    text: str
    note: str


class Daemon(NamedTuple):
    """What is known of the daemon. `reply` is None while the worker does not answer."""

    status: StatusReply
    reply: StatusReply | None
    worker_ok: bool


async def gather(here: Parts) -> Daemon:
    """Asks the worker; falls back to the supervisor's file."""
    reply = await here.worker.status()
    return Daemon(reply or _from_file(here.state.status(), here), reply, here.worker.ok)


def _from_file(facts: dict[str, object], here: Parts) -> StatusReply:
    listed = facts.get("processes")
    processes = []
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            known = {field: entry[field] for field in Process.__struct_fields__ if field in entry}
            processes.append(Process(**{"state": "unknown", **known}))
    return StatusReply(
        state=str(facts.get("state", "unknown")),
        reason=str(facts["reason"]) if facts.get("reason") else None,
        processes=processes,
        next_run_at=str(facts["next_run_at"]) if facts.get("next_run_at") else None,
        version=str(facts.get("version", here.version)),
        started_at=str(facts.get("started_at", "")),
        address=str(facts.get("address", "")),
        demo=here.settings.demo,
    )


def processes(daemon: Daemon) -> list[ProcessRow]:
    """The processes, in the order that the supervisor lists them."""
    rows = []
    for process in daemon.status.processes:
        tone, icon = PROCESS_LOOKS.get(process.state, ("neutral", "circle-question-mark"))
        rows.append(
            ProcessRow(
                process.name,
                process.pid,
                process.state,
                tone,
                icon,
                process.restarts,
                formats.elapsed(process.uptime_s),
                formats.size(process.rss_bytes) if process.rss_bytes else formats.NONE,
            )
        )
    return rows


def health(daemon: Daemon, now: datetime) -> Health:
    """The daemon in a word."""
    status = daemon.status
    word = status.state if daemon.worker_ok else "degraded"
    tone, icon = STATE_LOOKS.get(word, ("neutral", "circle-question-mark"))
    facts = [Fact("Version", status.version or formats.NONE)]
    if status.started_at:
        facts.append(Fact("Started", formats.ago(status.started_at, now).text))
    if status.address:
        facts.append(Fact("Address", status.address))
    return Health(tone, icon, word, facts)


def cli(daemon: Daemon) -> Cli:
    """The `claude` command as the worker found it."""
    if daemon.reply is None or daemon.reply.cli is None:
        return Cli(True, "not known yet")
    found = daemon.reply.cli
    return Cli(found.ok, found.text or found.version or "found")


def problems(daemon: Daemon, recent: list[Session], now: datetime) -> list[Problem]:
    """What needs a person, worst first."""
    found = []
    if not daemon.worker_ok:
        text = "No session starts or ends in the books until it is back; what runs goes on."
        found.append(Problem("bad", "octagon-x", "The worker is not answering.", text, "/system", "Processes"))
    status = daemon.status
    told = status.cli.text if status.cli else ""
    if status.cli is not None and not status.cli.ok:
        found.append(Problem("bad", "circle-x", "No session can start.", told, None, ""))
    if status.state == "degraded":
        text = status.reason or "One of its processes is down."
        found.append(Problem("warn", "triangle-alert", "The daemon is degraded.", text, "/system", "Processes"))
    known = {status.reason, told if status.cli and not status.cli.ok else None}
    found += [
        Problem("warn", "triangle-alert", "Warning.", warning, None, "")
        for warning in status.warnings
        if warning not in known
    ]
    return found + _troubled(recent, now)


def _troubled(recent: list[Session], now: datetime) -> list[Problem]:
    """The newest session of each tier, where it went wrong within a day."""
    newest: dict[int, Session] = {}
    for session in recent:
        if session.status is not SessionStatus.RUNNING:
            newest.setdefault(session.tier, session)
    found = []
    for session in newest.values():
        look = LOOKS[session.status]
        age = (now - timestamps.parse(session.ended_at or session.started_at)).total_seconds()
        if look.tone in ("bad", "warn") and age < LINGERS:
            title = f"Session #{session.id} {look.word}."
            text = session.reason or ""
            found.append(Problem(look.tone, look.icon, title, text, f"/sessions/{session.id}", "Open"))
    return sorted(found, key=lambda problem: problem.tone)


def next_run(at: str | None, now: datetime, interval_s: int) -> NextRun | None:
    """The schedule's next session."""
    if not at:
        return None
    return NextRun(at, formats.until(at, now), f"every {formats.elapsed(interval_s)}")
