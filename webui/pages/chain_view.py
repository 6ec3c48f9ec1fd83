"""A chain as its page shows it: its tiers in order, each with what it handed over, and what all of it cost. Pure."""

from datetime import datetime
from typing import NamedTuple

from markupsafe import Markup

from schema.sessions import Session
from schema.states import SessionStatus, TriggerStatus
from schema.triggers import QueuedTrigger
from webui.pages import formats, markdown, session_rows
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.session_rows import LOOKS, OPEN

WORDS_CHARS = 20_000


class Tier(NamedTuple):
    """One session of a chain. `received`: what the tier before handed over, in its words."""

    id: int
    href: str
    tier: int
    model: str
    tone: str
    icon: str
    word: str
    live: bool
    started: At
    duration: str
    cost: str
    turns: int | None
    reason: str
    summary_html: Markup
    received: str
    from_id: int | None


class ChainHead(NamedTuple):
    """The chain as a whole. `next_words`: what it waits for, empty if nothing comes."""

    id: int
    tone: str
    icon: str
    word: str
    tiers: int
    cost: str
    started: At
    duration: str
    live: bool
    next_words: str


def tier(session: Session, now: datetime) -> Tier:
    """One session of a chain."""
    row = session_rows.row(session, now)
    summary = session.summary or session.response or ""
    return Tier(
        id=session.id,
        href=row.href,
        tier=session.tier,
        model=session.model,
        tone=row.tone,
        icon=row.icon,
        word=row.word,
        live=row.live,
        started=row.started,
        duration=row.duration,
        cost=row.cost,
        turns=row.turns,
        reason="" if session.status in (SessionStatus.COMPLETED, *OPEN) else session.reason or "",
        summary_html=markdown.html(summary) if summary.strip() else Markup(),
        received=plain(session.context or "")[:WORDS_CHARS],
        from_id=session.parent_session_id,
    )


def total(sessions: list[Session]) -> tuple[float | None, bool]:
    """Dollars of all tiers, and whether some of them are estimated; None where nothing is known."""
    costs = (one.cost_usd if one.cost_usd is not None else one.estimated_usd for one in sessions)
    known = [cost for cost in costs if cost is not None]
    estimated = any(session.cost_usd is None and session.estimated_usd is not None for session in sessions)
    return (sum(known) if known else None), estimated


def head(sessions: list[Session], following: QueuedTrigger | None, now: datetime) -> ChainHead:
    """The chain as a whole: it is as its last tier is. `following`: the trigger by which it goes on."""
    first, last = sessions[0], sessions[-1]
    look = LOOKS[last.status]
    dollars, estimated = total(sessions)
    live = last.status in OPEN or goes_on(following)
    spent = sum(session_rows.seconds(session, now) or 0.0 for session in sessions)
    return ChainHead(
        id=first.id,
        tone=look.tone,
        icon=look.icon,
        word=look.word,
        tiers=len(sessions),
        cost=f"{'≈ ' if estimated else ''}{formats.cost(dollars)}",
        started=formats.ago(first.started_at, now),
        duration=formats.elapsed(spent) if live else formats.duration(spent),
        live=live,
        next_words=_next(following),
    )


def goes_on(following: QueuedTrigger | None) -> bool:
    """Whether a further tier is to come."""
    return following is not None and following.status is TriggerStatus.WAITING


def _next(following: QueuedTrigger | None) -> str:
    if following is None or following.status is TriggerStatus.STARTED:
        return ""
    reason = f": {following.reason}" if following.reason else ""
    if following.status is TriggerStatus.WAITING:
        return f"Tier {following.tier} comes next{reason}"
    return f"Tier {following.tier} was {following.status.value}{reason}"
