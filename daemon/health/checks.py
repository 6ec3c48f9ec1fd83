"""What sessions found of services, and how a restart or redeployment went by their word.

`check` and `mark` stand within the transaction of `daemon.sessions.said`; `services` answers `daemon.health.handlers`.
"""

from collections.abc import Sequence
from functools import partial

import msgspec

from daemon.health import rules
from daemon.services import timeline
from daemon.store import Store
from ipc.messages.knowledge import ServiceHealth
from schema.database import Database, Row
from schema.sessions import Session

CHECK_TYPE = "service"
PAGE = 200


def check(
    db: Database, session: Session, *, service: str, status: str, detail: str | None, at: str, healthy_checks: int
) -> bool:
    """Stores a check. True if the service's cooldowns were cleared, after `healthy_checks` good ones in a row."""
    db.change(
        "health.add",
        session_id=session.id,
        service=service,
        check_type=CHECK_TYPE,
        status=status,
        detail=detail,
        checked_at=at,
        tier=session.tier,
    )
    streak = db.value(
        "health.streak",
        service=service,
        healthy=int(status == rules.HEALTHY),
        counts=rules.counts(status, dry_run=session.dry_run),
        checked_at=at,
        status=status,
    )
    cleared = [name for name in rules.cleared_by(service) if _clears(db, name, service, streak, healthy_checks)]
    for name in cleared:
        db.change("cooldowns.clear", service=name, now=at)
    return bool(cleared)


def _clears(db: Database, name: str, service: str, streak: int, needed: int) -> bool:
    """Whether checks of a service let the counters of a name begin anew."""
    last_action = db.value("health.last_action", service=name)
    if last_action is None:
        return False
    since = db.value("health.healthy_since", service=service, since=last_action)
    return rules.clears(streak, since, needed)


def mark(
    db: Database, session: Session, *, action: str, service: str, success: bool, text: str, at: str, repeated: bool
) -> bool:
    """Stores how an action went by a session's word; True if that changed anything.

    Words about an action that was counted at its call belong to that. Others count by themselves, unless they are
    `repeated`, or tell that a call failed which was not let through: what did not run does not count.
    """
    told = {"success": int(success), "error": None if success else text}
    names = rules.names(service)
    about = {"session_id": session.id, "action": action}
    counted = [db.value("health.told_action", service=name, **about) for name in names]
    if known := [id_ for id_ in counted if id_ is not None]:
        for id_ in known:
            db.change("health.tell_action", id=id_, **told)
        return True
    if repeated or (not success and _refused(db, session.id, action, names)):
        return False
    for name in rules.counted_as(service):
        db.change("health.add_action", service=name, at=at, tier=session.tier, **about, **told)
        timeline.acted(db, session.id, name, action, seen=False)
    return True


def _refused(db: Database, session_id: int, action: str, names: Sequence[str]) -> bool:
    calls = db.rows("health.refused_calls", session_id=session_id)
    return any(rules.refused(msgspec.json.decode(call["found"], type=list[dict[str, object]]), action, names)
               for call in calls)  # fmt: skip


async def services(store: Store) -> list[ServiceHealth]:
    """Every service that a session has looked at, the worst first."""
    found: list[ServiceHealth] = []
    after = ""
    while True:
        page = await store.read(partial(_page, after))
        # A service whose counters a person has cleared may never have been looked at.
        found += [_health(row) for row in page if row["checked_at"] is not None]
        if len(page) < PAGE:
            return rules.worst_first(found)
        after = page[-1]["service"]


def _page(after: str, db: Database) -> list[Row]:
    return db.rows("health.services", after=after, limit=PAGE)


def _health(row: dict[str, object]) -> ServiceHealth:
    return msgspec.convert({**row, "status": row["status"] or rules.UNKNOWN}, ServiceHealth)
