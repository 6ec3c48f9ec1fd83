"""What a session's head, facts and result show. Pure; for the session's page and for its live stream."""

import json
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from markupsafe import Markup

from schema.sessions import Session, Usage
from schema.states import SessionStatus
from webui.pages import formats, markdown, session_rows
from webui.pages.session_rows import LOOKS
from webui.pages.system_state import Fact

SERVICE_LOOKS = {
    "healthy": ("ok", "circle-check"),
    "degraded": ("warn", "triangle-alert"),
    "down": ("bad", "octagon-x"),
    "unreachable": ("bad", "octagon-x"),
}


class Tokens(NamedTuple):
    """Tokens so far, as text."""

    read: str
    written: str
    cached: str


class SessionView(NamedTuple):
    """A session's head and facts: a list's row and more."""

    id: int
    tone: str
    icon: str
    word: str
    started: formats.At
    live: bool
    duration: str
    turns: int | None
    cost: str
    prompt_full: str
    tokens: Tokens
    budget: str
    facts: list[Fact]


class Service(NamedTuple):
    """A service, as the session reports it."""

    name: str
    tone: str
    icon: str
    word: str
    detail: str


class Outcome(NamedTuple):
    """How a session ended."""

    tone: str
    icon: str
    word: str
    reason: str
    summary_html: Markup
    services: list[Service]
    notes: list[str]


def view(session: Session, now: datetime, budget_usd: float) -> SessionView:
    """What head and facts show."""
    row = session_rows.row(session, now)
    usage = _usage(session)
    reads = usage.input + usage.cache_read + usage.cache_creation if usage else None
    return SessionView(
        id=session.id,
        tone=row.tone,
        icon=row.icon,
        word=row.word,
        started=row.started,
        live=row.live,
        duration=row.duration,
        turns=row.turns,
        cost=row.cost,
        prompt_full=session.prompt_text or session.prompt_file,
        tokens=Tokens(
            formats.tokens(reads),
            formats.tokens(usage.output if usage else None),
            formats.tokens(usage.cache_read if usage else None),
        ),
        budget=formats.cost(budget_usd) if budget_usd else "",
        facts=_facts(session),
    )


def _usage(session: Session) -> Usage | None:
    if not session.usage:
        return None
    try:
        return msgspec.json.decode(session.usage, type=Usage)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None  # of a database that the Go program wrote: shown as "–"


def _facts(session: Session) -> list[Fact]:
    facts = [
        Fact("Trigger", session.trigger.value, f"by {session.requested_by}" if session.requested_by else ""),
        Fact("Tier", f"{session.tier} · {session.model}", session.model_id or ""),
        Fact("Started", session.started_at, mono=True),
    ]
    if session.ended_at:
        facts.append(Fact("Ended", session.ended_at, mono=True))
    if session.exit_code is not None:
        facts.append(Fact("Exit code", str(session.exit_code)))
    if session.parent_session_id:
        facts.append(Fact("Escalated from", f"session {session.parent_session_id}"))
    optional = (
        ("Prompt file", session.prompt_file), ("claude CLI", session.cli_version),
        ("CLI session", session.cli_session_id), ("Run", session.run_id), ("Log file", session.log_file),
    )  # fmt: skip
    facts += [Fact(label, value, mono=True) for label, value in optional if value]
    facts.append(Fact("Log lines", formats.count(session.lines)))
    return facts


def outcome(session: Session) -> Outcome | None:
    """How a session ended; None while it runs."""
    if session.status is SessionStatus.RUNNING:
        return None
    look = LOOKS[session.status]
    report = _structured(session)
    events = [event for event in report.get("events", []) if isinstance(event, dict)]
    critical = sum(event.get("level") == "critical" for event in events)
    notes = [f"{critical} critical event{'' if critical == 1 else 's'}"] if critical else []
    escalation = report.get("escalation")
    if isinstance(escalation, dict) and escalation.get("needed"):
        notes.append(f"asks for the next tier: {escalation.get('reason') or 'no reason given'}")
    summary = session.response or session.summary or ""
    completed = session.status is SessionStatus.COMPLETED
    return Outcome(
        tone=look.tone,
        icon=look.icon,
        word=look.word,
        reason="" if completed else session.reason or "",
        summary_html=markdown.html(summary) if summary.strip() else Markup(),
        services=[_service(entry) for entry in report.get("services_checked", []) if isinstance(entry, dict)],
        notes=notes,
    )


def _structured(session: Session) -> dict[str, Any]:
    try:
        found = json.loads(session.structured or "{}")
    except ValueError:
        found = {}  # of a database that the Go program wrote: its words are in `response`
    lists = ("events", "services_checked")
    if not isinstance(found, dict) or any(not isinstance(found.get(name, []), list) for name in lists):
        return {}
    return found


def _service(entry: dict[str, Any]) -> Service:
    word = str(entry.get("status", "unknown"))[:40]
    tone, icon = SERVICE_LOOKS.get(word, ("neutral", "circle-question-mark"))
    return Service(str(entry.get("name", ""))[:100], tone, icon, word, str(entry.get("detail") or "")[:500])


def stop_url(session: Session, *, allowed: bool) -> str | None:
    """Where a session is stopped; None when it can't be."""
    return f"/sessions/{session.id}/stop" if allowed and session.status is SessionStatus.RUNNING else None
