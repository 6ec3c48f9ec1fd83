"""What the last sessions report of the services, as problems: a session that went well may bring bad news.

Pure; called by `webui.pages.overview`, and for one session by `webui.pages.session_view`. The words are the agent's
own, so each problem leads to its session.
"""

import json
from datetime import datetime
from typing import Any, NamedTuple

from schema import timestamps
from schema.sessions import Session
from schema.states import SessionStatus
from webui.pages import ansi
from webui.pages.session_rows import OPEN
from webui.pages.system_state import LINGERS, Problem

TROUBLE = {"down": ("bad", "octagon-x"), "unreachable": ("bad", "octagon-x"), "degraded": ("warn", "triangle-alert")}
WORKS = OPEN | {SessionStatus.COMPLETED, SessionStatus.ESCALATED}
RANKS = {"bad": 0, "plan": 1, "warn": 2}
NAME_CHARS = 100
WORDS_CHARS = 300


class Report(NamedTuple):
    """What a session said in its structured output."""

    session: Session
    services: list[dict[str, Any]]
    escalation: dict[str, Any]
    events: list[dict[str, Any]]


def read(session: Session) -> Report | None:
    """A session's report; None without one, or one that has not the shape of agent-response.json."""
    try:
        found = json.loads(session.structured or "null")
    except ValueError:
        return None  # of a database that the Go program wrote: its words are in `response`
    if not isinstance(found, dict):
        return None
    escalation = found.get("escalation")
    return Report(
        session,
        _objects(found.get("services_checked")),
        escalation if isinstance(escalation, dict) else {},
        _objects(found.get("events")),
    )


def _objects(listed: object) -> list[dict[str, Any]]:
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def problems(ended: list[Session], running: list[Session], now: datetime) -> list[Problem]:
    """Services that are in trouble by the newest report on each, and escalations that no higher tier has taken up.

    `ended` and `running` newest first. A report counts for a day; a session without one takes nothing back.
    """
    fresh = [session for session in ended if _age(session, now) < LINGERS]
    reports = [report for report in map(read, fresh) if report is not None]
    return worst_first(_services(reports) + _escalations(reports, ended + running))


def worst_first(found: list[Problem]) -> list[Problem]:
    """Broken, then waiting for a person, then the rest; else in the order given."""
    return sorted(found, key=lambda problem: RANKS.get(problem.tone, len(RANKS)))


def _age(session: Session, now: datetime) -> float:
    return (now - timestamps.parse(session.ended_at or session.started_at)).total_seconds()


def _services(reports: list[Report]) -> list[Problem]:
    """A session that looked at one service says nothing of the others: each service has its own newest report."""
    known: set[str] = set()
    found = []
    for report in reports:
        for entry in report.services:
            name, word = _words(entry.get("name"), NAME_CHARS), str(entry.get("status"))
            if not name or name in known:
                continue
            known.add(name)
            if word in TROUBLE:
                tone, icon = TROUBLE[word]
                text = _words(entry.get("detail"), WORDS_CHARS)
                found.append(_problem(tone, icon, f"{name} {word}{':' if text else '.'}", text, report.session))
    return found


def _escalations(reports: list[Report], others: list[Session]) -> list[Problem]:
    found = []
    spoken: set[int] = set()
    for report in reports:
        session = report.session
        if session.tier in spoken:
            continue
        spoken.add(session.tier)
        # Escalated: its child waits in the queue, runs, or has been.
        taken_up = session.status is SessionStatus.ESCALATED or any(
            _works(other) and other.tier > session.tier and other.id > session.id for other in others
        )
        if report.escalation.get("needed") is True and not taken_up:
            text = _words(report.escalation.get("reason"), WORDS_CHARS) or "It gives no reason."
            found.append(_problem("plan", "chevrons-up", f"Tier {session.tier} asks for the next tier.", text, session))
    return found


def _works(session: Session) -> bool:
    return session.status in WORKS


def _problem(tone: str, icon: str, title: str, text: str, session: Session) -> Problem:
    return Problem(tone, icon, title, text, f"/sessions/{session.id}", f"Session #{session.id}")


def _words(value: object, most: int) -> str:
    return " ".join(ansi.plain(value[: most * 2]).split())[:most] if isinstance(value, str) else ""
