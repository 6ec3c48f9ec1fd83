"""What only a person can settle, for the overview: calls that wait, what sessions ask a person to do, refused triggers;
and what sessions called critical.

Pure. Each leads to where it is settled.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from schema import timestamps
from schema.database import Row
from schema.knowledge import Event
from schema.limits import Approval
from schema.triggers import QueuedTrigger
from webui.needs import calls_for_a_person
from webui.pages import formats, found, trigger_rows
from webui.pages.ansi import plain
from webui.pages.approval_view import one_line
from webui.pages.service_rows import ServiceRow
from webui.pages.system_state import LINGERS, Problem

WORDS_CHARS = 300
CRITICAL_MAX = 5
INCIDENTS_MAX = 10


def approvals(waiting: Iterable[Approval], now: datetime) -> list[Problem]:
    """Calls that wait, the one that expires first at the top."""
    return [
        Problem(
            "plan",
            "hand",
            f"Session #{approval.session_id} asks to run",
            f"{one_line(found.call_text(approval.tool, approval.input))} · {formats.expires(approval.expires_at, now)}",
            f"/approvals/{approval.id}",
            "Decide",
        )
        for approval in waiting
    ]


def events(critical: Iterable[Event]) -> list[Problem]:
    """Events that no tier can settle."""
    listed = []
    for event in critical:
        if calls_for_a_person(event.message):
            href = f"/sessions/{event.session_id}" if event.session_id else f"/events?level={event.level}"
            link = f"Session #{event.session_id}" if event.session_id else "Events"
            title, _, text = event.message.strip().partition(":")
            listed.append(Problem("bad", "siren", f"{title}:", " ".join(plain(text).split())[:WORDS_CHARS], href, link))
    return listed


def critical(
    events_found: Iterable[Event], known: Iterable[Problem], healthy: Mapping[str, str] | None = None
) -> list[Problem]:
    """The other critical events, each once; not those of a service that is among what is `known` to be broken.

    Nor those of a service that was found `healthy` later: by name, when it was last looked at.
    """
    told = tuple(problem.title for problem in known)
    listed: dict[tuple[str, str], Problem] = {}
    more = 0
    for event in events_found:
        service, text = one_line(event.service or ""), " ".join(plain(event.message).split())[:WORDS_CHARS]
        if calls_for_a_person(event.message) or (service and any(title.startswith(f"{service} ") for title in told)):
            continue
        if event.service and (healthy or {}).get(event.service, "") > event.created_at:
            continue
        if (service, text) in listed:
            continue
        if len(listed) == CRITICAL_MAX:
            more += 1
            continue
        href = f"/sessions/{event.session_id}" if event.session_id else "/events?level=critical"
        link = f"Session #{event.session_id}" if event.session_id else "Events"
        listed[service, text] = Problem("bad", "siren", f"{service or 'Critical'}:", text, href, link)
    problems = list(listed.values())
    if more:
        text = "in the last 24 hours."
        problems.append(Problem("bad", "siren", f"{more} more critical events", text, "/events?level=critical", "All"))
    return problems


def incidents(found: Sequence[Row], now: datetime, most: int = INCIDENTS_MAX) -> list[Problem]:
    """Incidents that go on, in the order in which they come."""
    listed = [
        Problem(
            "bad",
            "octagon-x",
            f"{one_line(row['service'])} does not work,",
            _incident_text(row, now),
            f"/incidents/{row['id']}",
            f"Incident #{row['id']}",
        )
        for row in found[:most]
    ]
    if len(found) > most:
        text = "go on."
        listed.append(Problem("bad", "octagon-x", "More incidents", text, "/incidents?state=open", "All"))
    return listed


def _incident_text(row: Row, now: datetime) -> str:
    since = formats.duration((now - timestamps.parse(row["began_at"])).total_seconds())
    detail = " ".join(plain(row["detail"] or "").split())[:WORDS_CHARS]
    seen = f"{plain(row['acknowledged_by'])} looks after it" if row["acknowledged_by"] else ""
    return " · ".join(filter(None, (f"for {since}", detail, seen)))


def channels(failing: Iterable[Row]) -> list[Problem]:
    """Channels that can't be told: who relies on being woken by one is not."""
    return [
        Problem(
            "warn",
            "triangle-alert",
            f"{one_line(row['channel'])} can’t be told,",
            f"{row['waiting']} notification{' waits' if row['waiting'] == 1 else 's wait'} · {one_line(row['error'])}",
            "/notifications",
            "Notifications",
        )
        for row in failing
    ]


def services(trouble: Iterable[ServiceRow], known: Iterable[Problem]) -> list[Problem]:
    """Services that were not healthy when last looked at within a day, unless a session's report says so already."""
    told = tuple(problem.title for problem in known)
    return [
        Problem(
            row.tone, row.icon, f"{row.name} {row.word}{':' if row.detail else '.'}", row.detail, row.href, "Service"
        )
        for row in trouble
        if not row.old and row.tone in ("bad", "warn") and not any(title.startswith(f"{row.name} ") for title in told)
    ]


def refused(triggers: Iterable[QueuedTrigger], now: datetime) -> list[Problem]:
    """Triggers of the last day that can't ever start."""
    return [
        Problem(
            "warn",
            "circle-x",
            f"Trigger {trigger.id} was refused.",
            f"{trigger.reason or 'No reason is known.'} ({trigger_rows.prompt_line(trigger)})",
            "/triggers",
            "Queue",
        )
        for trigger in triggers
        if (now - timestamps.parse(trigger.updated_at)).total_seconds() < LINGERS
    ]
