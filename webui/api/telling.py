"""What a chat is told: the steps of a chain as words and calls of tools, each once. Pure.

A session with a report (a structured output) tells the report's summary and never the JSON. Used by the endpoints
`webui.api.openai` and `webui.api.ollama`: `Telling` for a stream, `answer` for all of it at once.
"""

from collections.abc import Sequence

import msgspec

from schema.sessions import Session, Usage
from schema.states import SessionStatus
from schema.transcript.events import Event, Result, Text, ToolUse
from webui.api.following import Barred, Began, Ended, Held, Last, Refused, Spoke, Step, Waiting

REPORT = "StructuredOutput"
WELL = (SessionStatus.COMPLETED, SessionStatus.ESCALATED)
PROMPT_SHOWN = 120


class Telling:
    """What is new with each step. `link` is how browsers reach the dashboard; empty if nobody knows."""

    def __init__(self, link: str) -> None:
        self._link = link
        self._said: set[str] = set()
        self._tiers = 0

    def of(self, step: Step) -> list[str | ToolUse]:
        """Words, each a paragraph of its own, and calls."""
        match step:
            case Waiting():
                return [f"Waiting: {step.held}."]
            case Held():
                return [held(step)]
            case Refused():
                return [refused(step)]
            case Barred():
                return [barred(step)]
            case Began():
                return self._began(step.session)
            case Spoke():
                return [found for event in step.events for found in self._of_event(event)]
            case Ended():
                return self._once(outcome(step.session, self._link) or "")
        return []

    def _began(self, session: Session) -> list[str | ToolUse]:
        self._said.clear()
        self._tiers += 1
        return [f"Tier {session.tier} takes over (session {session.id})."] if self._tiers > 1 else []

    def _of_event(self, event: Event) -> list[str | ToolUse]:
        if event.parent is not None:
            return []  # a subagent's; what comes of it is said by the session
        if isinstance(event, Text):
            return self._once(event.text)
        if isinstance(event, ToolUse):
            summary = event.input.get("summary") if event.name == REPORT else None
            if event.name != REPORT:
                return [event]
            return self._once(summary) if isinstance(summary, str) else []
        if isinstance(event, Result) and not event.is_error and event.structured is None:
            return self._once(event.text)
        return []

    def _once(self, text: str) -> list[str | ToolUse]:
        plain = text.strip()
        if not plain or plain in self._said:
            return []
        self._said.add(plain)
        return [plain]


def answer(last: Last, link: str) -> str:
    """The whole of it at the end, in one text: what each tier came to."""
    if isinstance(last, Held):
        return held(last)
    if isinstance(last, Refused):
        return refused(last)
    if isinstance(last, Barred):
        return barred(last)
    told = [(session.tier, _came_to(session, link)) for session in last.sessions]
    if len(told) == 1:
        return told[0][1]
    return "\n\n".join(f"Tier {tier}: {text}" for tier, text in told)


def _came_to(session: Session, link: str) -> str:
    words = (session.response or "").strip()
    if session.structured:
        report = msgspec.json.decode(session.structured)
        summary = report.get("summary") if isinstance(report, dict) else None
        words = summary.strip() if isinstance(summary, str) else ""
    parts = [words, outcome(session, link)]
    return "\n\n".join(part for part in parts if part) or f"Session {session.id} has ended without a word."


def outcome(session: Session, link: str) -> str | None:
    """What a chat must know of how a session ended; None where its words say all."""
    place = address(link, session.id)
    if session.status is SessionStatus.AWAITING_APPROVAL:
        return f"Session {session.id} waits for a person to decide about one of its calls{place}."
    if session.status in WELL:
        return None
    why = f": {session.reason}" if session.reason else ""
    return f"Session {session.id} has not completed ({session.status.value}){why}{place}."


def address(link: str, id_: int) -> str:
    """Where to look, as the end of a sentence."""
    return f", see {link.rstrip('/')}/sessions/{id_}" if link else ""


def held(step: Held) -> str:
    """That nothing was started, and what runs."""
    running = step.running
    what = f"it waits ({step.held})" if step.held else "its tier does not get to it"
    if running is not None:
        asked = " ".join((running.prompt_text or running.prompt_file).split())
        asked = asked if len(asked) <= PROMPT_SHOWN else asked[: PROMPT_SHOWN - 1] + "…"
        since = running.started_at[:16].replace("T", " ")
        which = f"session {running.id} ({running.trigger.value}, since {since} UTC)"
        what = f"tier {running.tier} is busy with {which}: {asked}"
    return f"Nothing was started, for {what}. Ask again later."


def refused(step: Refused) -> str:
    """That nothing will be started."""
    return f"Nothing was started: {step.reason}."


def barred(step: Barred) -> str:
    """That whoever asked is told no more."""
    what = f"Session {step.session} goes on" if step.session else "Nothing was started"
    return (
        f"Nothing more is told here: the token or sign-in that asked was revoked, has ended, or lost its role. {what}."
    )


def still_runs(session: Session | None, seconds: float, link: str) -> str:
    """That the answer takes longer than the chat may wait."""
    if session is None:
        return f"There is no answer yet after {seconds:g} s."
    return (
        f"There is no answer yet after {seconds:g} s. Session {session.id} (tier {session.tier}) goes on"
        f"{address(link, session.id)}."
    )


def usage(sessions: Sequence[Session]) -> Usage | None:
    """The tokens of a chain; None where none of its sessions has told them."""
    known = [msgspec.json.decode(session.usage, type=Usage) for session in sessions if session.usage]
    if not known:
        return None
    return Usage(
        input=sum(one.input for one in known),
        output=sum(one.output for one in known),
        cache_read=sum(one.cache_read for one in known),
        cache_creation=sum(one.cache_creation for one in known),
    )
