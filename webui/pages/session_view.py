"""What a session's head, facts and result show. Pure; for the session's page and for its live stream."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from markupsafe import Markup

from schema import timestamps
from schema.sessions import Session, Usage
from schema.states import SessionStatus
from webui.pages import formats, markdown, reports, service_rows, session_rows
from webui.pages.ansi import plain
from webui.pages.cost import Budget, budget
from webui.pages.session_rows import LOOKS, OPEN
from webui.pages.system_state import Fact
from webui.pages.watched import Watched

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
    about: str
    budget: Budget | None
    chain: str | None
    facts: list[Fact]
    removed: str


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


def view(watched: Watched, now: datetime, budget_usd: float) -> SessionView:
    """What head and facts show."""
    session = watched.session
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
        about=f"tier {session.tier} · {session.model} · {session.trigger.value}",
        budget=budget("The session", _spent(session), budget_usd) if budget_usd else None,
        chain=chain_of(watched),
        facts=_facts(watched, usage),
        removed=removed(session),
    )


def removed(session: Session) -> str:
    """What housekeeping has removed of a session, and after how long, as a sentence; empty while all of it is there."""
    if not session.log_removed_at:
        return ""
    day = session.log_removed_at[:10]
    what = "Its log and its texts were" if session.emptied_at else "Its log was"
    try:
        ended = timestamps.parse(session.ended_at or session.started_at)
        days = max(0, (timestamps.parse(session.log_removed_at) - ended).days)
    except ValueError:
        return f"{what} removed on {day} by housekeeping."
    return f"{what} removed on {day} by housekeeping, kept {days} day{'' if days == 1 else 's'}."


def _usage(session: Session) -> Usage | None:
    if not session.usage:
        return None
    try:
        return msgspec.json.decode(session.usage, type=Usage)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None  # of a database that the Go program wrote: shown as "–"


def chain_of(watched: Watched) -> str | None:
    """Where the chain is shown that a session belongs to; None for one that stands alone."""
    session = watched.session
    stands_alone = session.parent_session_id is None and not watched.children
    # One that has escalated is the first of a chain before the second has begun.
    if session.chain_id is None and stands_alone and session.status is not SessionStatus.ESCALATED:
        return None
    return f"/chains/{session.chain_id or session.id}"


def _family(watched: Watched) -> list[Fact]:
    """The sessions before and after it."""
    session = watched.session
    facts = []
    if session.parent_session_id:
        parent = session.parent_session_id
        facts.append(Fact("Escalated from", f"session {parent}", href=f"/sessions/{parent}"))
    facts += [Fact("Escalated to", f"session {child}", href=f"/sessions/{child}") for child in watched.children]
    if href := chain_of(watched):
        facts.append(Fact("Chain", "all its tiers", href=href))
    return facts


def _incident(watched: Watched) -> list[Fact]:
    """The incident that it was started for, on its service's page."""
    if watched.ails is None:
        return []
    href = f"{service_rows.href(watched.ails)}#incident-{watched.session.incident_id}"
    return [Fact("Incident", f"{watched.session.incident_id} of {plain(watched.ails)}", href=href)]


def _spent(session: Session) -> float:
    """Dollars, by list price while it runs."""
    return session.cost_usd if session.cost_usd is not None else session.estimated_usd or 0.0


def _context(usage: Usage | None) -> list[Fact]:
    """How full the model's context is, as far as the CLI has told."""
    if usage is None or not usage.context:
        return []
    told = f"{formats.tokens(usage.context)} tokens"
    if not usage.window:
        return [Fact("Context", told)]
    return [Fact("Context", told, f"{100 * usage.context // usage.window} % of {formats.tokens(usage.window)}")]


def _facts(watched: Watched, usage: Usage | None) -> list[Fact]:
    session = watched.session
    facts = [
        *_family(watched),
        *_incident(watched),
        Fact("Trigger", session.trigger.value, f"by {session.requested_by}" if session.requested_by else ""),
        Fact("Tier", f"{session.tier} · {session.model}", session.model_id or ""),
        *_context(usage),
        Fact("Started", session.started_at, mono=True),
    ]
    if session.ended_at:
        facts.append(Fact("Ended", session.ended_at, mono=True))
    if session.exit_code is not None:
        facts.append(Fact("Exit code", str(session.exit_code)))
    if session.dry_run:
        facts.append(Fact("Dry run", "nothing was changed"))
    if watched.verdicts:
        facts.append(Fact("Calls", "in the audit log", href=f"/audit?session={session.id}"))
    optional = (
        ("Prompt file", session.prompt_file), ("claude CLI", session.cli_version),
        ("CLI session", session.cli_session_id), ("Run", session.run_id), ("Log file", session.log_file),
    )  # fmt: skip
    facts += [Fact(label, value, mono=True) for label, value in optional if value]
    if session.log_removed_at:
        facts.append(Fact("Log", "removed", removed(session)))
    else:
        facts.append(Fact("Log lines", formats.count(session.lines), href=f"/sessions/{session.id}/log"))
    return facts


def outcome(session: Session) -> Outcome | None:
    """How a session ended; None while it runs or waits for a person."""
    if session.status in OPEN:
        return None
    look = LOOKS[session.status]
    report = reports.read(session)
    events = report.events if report else []
    critical = sum(event.get("level") == "critical" for event in events)
    notes = [f"{critical} critical event{'' if critical == 1 else 's'}"] if critical else []
    escalation = report.escalation if report else {}
    if escalation.get("needed"):
        notes.append(f"asks for the next tier: {escalation.get('reason') or 'no reason given'}")
    summary = session.response or session.summary or ""
    return Outcome(
        tone=look.tone,
        icon=look.icon,
        word=look.word,
        reason="" if session.status is SessionStatus.COMPLETED else session.reason or "",
        summary_html=markdown.html(summary) if summary.strip() else Markup(),
        services=[_service(entry) for entry in report.services] if report else [],
        notes=notes,
    )


def _service(entry: dict[str, Any]) -> Service:
    word = str(entry.get("status", "unknown"))[:40]
    tone, icon = SERVICE_LOOKS.get(word, ("neutral", "circle-question-mark"))
    return Service(str(entry.get("name", ""))[:100], tone, icon, word, str(entry.get("detail") or "")[:500])


def stop_url(session: Session, *, allowed: bool) -> str | None:
    """Where a session is stopped; None when it can't be."""
    return f"/sessions/{session.id}/stop" if allowed and session.status in OPEN else None
