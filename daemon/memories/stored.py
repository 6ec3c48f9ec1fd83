"""Memories in the database: said by a session, kept by a person, faded with age. Each within somebody's transaction.

Called by `daemon.sessions.said` and `daemon.memories.memories`.
"""

from collections.abc import Collection
from datetime import datetime

import msgspec

from daemon.memories import rules
from schema import timestamps
from schema.database import Database, Row
from schema.knowledge import Memory


def from_row(row: Row) -> Memory:
    """A row of the table as a value."""
    return msgspec.convert({**row, "active": bool(row["active"])}, Memory)


def by_id(db: Database, id_: int) -> Memory | None:
    """One memory; None if there is none."""
    row = db.one("memories.by_id", id=id_)
    return None if row is None else from_row(row)


def page(
    db: Database,
    *,
    service: str = "",
    category: str = "",
    inactive: bool = False,
    limit: int,
    above: int | None = None,
) -> list[Memory]:
    """Memories, the most certain first, or those above an id by their ids; of one service or category if given."""
    values = {"service": service or None, "category": category or None, "inactive": int(inactive), "limit": limit}
    if above is None:
        return [from_row(row) for row in db.rows("memories.page", **values)]
    return [from_row(row) for row in db.rows("memories.page_above", above=above, **values)]


def alike(db: Database, service: str | None, category: str) -> list[Memory]:
    """The active memories of one service (None: of no service) and category."""
    return [from_row(row) for row in db.rows("memories.alike", service=service, category=category)]


def remember(
    db: Database,
    *,
    service: str | None,
    category: str,
    observation: str,
    at: str,
    confidence: float = rules.FIRST,
    session_id: int | None = None,
    tier: int = 1,
    known: list[Memory] | None = None,
    beside: Collection[int] = (),
) -> int:
    """Takes an observation in; the id of the memory that now holds it. See `rules.remember`.

    `known`: what `alike` gave, where the caller has it already.
    """
    found = alike(db, service, category) if known is None else known
    change = rules.remember(found, observation, beside)
    if change.same is not None:
        same = next(memory for memory in found if memory.id == change.same.id)
        put(db, rules.Draft(service, category, same.observation, change.same.confidence, True), same.id, at)
        return same.id
    for id_, less, active in change.weakened:
        db.change("memories.weaken", id=id_, confidence=less, active=int(active))
    first = rules.weight(0, confidence)
    return int(
        db.value(
            "memories.insert",
            service=service,
            category=category,
            observation=observation,
            confidence=first.confidence,
            active=int(first.active),
            at=at,
            session_id=session_id,
            tier=tier,
        )
    )


def put(db: Database, draft: rules.Draft, id_: int, at: str) -> None:
    """Writes a memory anew; it ages from `at`."""
    db.change("memories.set", id=id_, updated_at=at, **{**draft._asdict(), "active": int(draft.active)})


def fade(db: Database, now: datetime) -> int:
    """Lowers what nobody has confirmed for long; how many memories. At any time again: each step is taken once."""
    before = timestamps.stamp(now - rules.FADES_AFTER)
    faded = 0
    for row in db.rows("memories.ageing", before=before):
        decayed = row["decayed_at"]
        step = rules.fade(
            from_row(row), timestamps.parse(row["updated_at"]), timestamps.parse(decayed) if decayed else None, now
        )
        if step is not None:
            weight, at = step
            db.change(
                "memories.decay",
                id=weight.id,
                confidence=weight.confidence,
                active=int(weight.active),
                decayed_at=timestamps.stamp(at),
            )
            faded += 1
    return faded
