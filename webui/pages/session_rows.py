"""A session as lists and heads show it: status as tone, icon and word; figures as text. Pure."""

from datetime import datetime
from typing import NamedTuple

from schema import timestamps
from schema.sessions import Session
from schema.states import SessionStatus
from webui.pages import ansi, formats
from webui.pages.formats import At

PROMPT_CHARS = 160


class Look(NamedTuple):
    """How a status looks: colour, shape and word."""

    tone: str
    icon: str
    word: str


LOOKS = {
    SessionStatus.RUNNING: Look("info", "loader-circle", "running"),
    SessionStatus.COMPLETED: Look("ok", "check", "completed"),
    SessionStatus.FAILED: Look("bad", "circle-x", "failed"),
    SessionStatus.TIMED_OUT: Look("bad", "timer-off", "timed out"),
    SessionStatus.STOPPED: Look("neutral", "square", "stopped"),
    SessionStatus.INTERRUPTED: Look("warn", "unplug", "interrupted"),
    SessionStatus.ESCALATED: Look("plan", "chevrons-up", "escalated"),
    SessionStatus.AWAITING_APPROVAL: Look("plan", "hand", "awaiting approval"),
}


# Not over: it runs, or goes on when a person has decided.
OPEN = frozenset({SessionStatus.RUNNING, SessionStatus.AWAITING_APPROVAL})


class SessionRow(NamedTuple):
    """One session in a list."""

    id: int
    href: str
    tone: str
    icon: str
    word: str
    prompt: str
    started: At
    live: bool
    duration: str
    tier: int
    model: str
    trigger: str
    turns: int | None
    cost: str


def row(session: Session, now: datetime) -> SessionRow:
    """The row of a session, seen at `now`."""
    look = LOOKS[session.status]
    live = session.status is SessionStatus.RUNNING
    return SessionRow(
        id=session.id,
        href=f"/sessions/{session.id}",
        tone=look.tone,
        icon=look.icon,
        word=look.word,
        prompt=prompt_line(session),
        started=formats.ago(session.started_at, now),
        live=live,
        duration=formats.elapsed(seconds(session, now) or 0.0) if live else formats.duration(seconds(session, now)),
        tier=session.tier,
        model=session.model,
        trigger=session.trigger.value,
        turns=session.num_turns,
        cost=cost(session),
    )


def prompt_line(session: Session) -> str:
    """What it was asked, in one line: the first words of a person's prompt, or the prompt file's name."""
    if session.prompt_text and session.prompt_file in ("", "(ad-hoc)"):
        words = " ".join(ansi.plain(session.prompt_text[:1000]).split())
        return words if len(words) <= PROMPT_CHARS else words[:PROMPT_CHARS] + " …"
    return session.prompt_file.rsplit("/", 1)[-1] or "–"


def seconds(session: Session, now: datetime) -> float | None:
    """How long it ran, or runs already."""
    started = timestamps.parse(session.started_at)
    if session.status is SessionStatus.RUNNING:
        return (now - started).total_seconds()
    if session.ended_at:
        return (timestamps.parse(session.ended_at) - started).total_seconds()
    return session.duration_ms / 1000 if session.duration_ms is not None else None


def cost(session: Session) -> str:
    """What it cost, or by list price has cost so far."""
    if session.cost_usd is not None:
        return formats.cost(session.cost_usd)
    return f"≈ {formats.cost(session.estimated_usd)}" if session.estimated_usd is not None else formats.NONE
