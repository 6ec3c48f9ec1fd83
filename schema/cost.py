"""What sessions cost: by day, tier, model and trigger, and the dearest chains. Added up from the sums that the database
keeps (`0007_sums`), so that the number of sessions does not matter.

`read` serves the dashboard's page and `claudeopsctl cost` alike; the rest is pure. A day is one of UTC. A session is
counted on the day on which it started, its money on the day on which it is spent, as for budgets.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from schema.database import Database

TIERS = (1, 2, 3)
DAYS_MAX = 366
CHAINS = 10
MILLION = 1_000_000


class DayCost(msgspec.Struct, frozen=True, kw_only=True):
    """One day. `tiers`: dollars of tier 1 to 3."""

    day: str
    sessions: int
    usd: float
    tiers: tuple[float, ...]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one tier, model or trigger has cost."""

    name: str
    sessions: int
    usd: float


class ChainCost(msgspec.Struct, frozen=True, kw_only=True):
    """What a chain has cost, by its first session."""

    id: int
    day: str
    sessions: int
    usd: float


class CostReport(msgspec.Struct, frozen=True, kw_only=True):
    """Some days up to today. `previous_usd`: of as many days before; `estimated` and `unknown` count sessions."""

    since: str
    until: str
    days: list[DayCost]
    usd: float
    sessions: int
    estimated: int
    unknown: int
    previous_usd: float
    previous_sessions: int
    tiers: list[Share]
    models: list[Share]
    triggers: list[Share]
    chains: list[ChainCost]


def window(days: int, today: date) -> tuple[str, str]:
    """First and last day of so many days up to today."""
    return (today - timedelta(days=days - 1)).isoformat(), today.isoformat()


def read(database: "Database", days: int, today: date) -> CostReport:
    """The report. DatabaseError."""
    since, until = window(days, today)
    before = window(days, today - timedelta(days=days))
    rows = database.rows("cost.days", since=since, until=until)
    previous = database.one("cost.total", since=before[0], until=before[1]) or {}
    chains = database.rows("cost.chains", since=since, until=until, limit=CHAINS)
    return report(rows, previous, chains, days, today)


def report(
    rows: list[dict[str, Any]], previous: dict[str, Any], chains: list[dict[str, Any]], days: int, today: date
) -> CostReport:
    """The report from the database's sums."""
    since, until = window(days, today)
    return CostReport(
        since=since,
        until=until,
        days=_days(rows, days, today),
        usd=_usd(rows),
        sessions=sum(row["sessions"] for row in rows),
        estimated=sum(row["estimated"] for row in rows),
        unknown=sum(row["unknown"] for row in rows),
        previous_usd=previous.get("micro_usd", 0) / MILLION,
        previous_sessions=previous.get("sessions", 0),
        tiers=sorted(_shares(rows, "tier"), key=lambda share: share.name),
        models=_shares(rows, "model"),
        triggers=_shares(rows, "trigger"),
        chains=[
            ChainCost(id=row["id"], day=row["day"], sessions=row["sessions"], usd=row["micro_usd"] / MILLION)
            for row in chains
        ],
    )


def _usd(rows: Iterable[dict[str, Any]]) -> float:
    return float(sum(row["micro_usd"] for row in rows)) / MILLION


def _days(rows: list[dict[str, Any]], days: int, today: date) -> list[DayCost]:
    """Every day, those without a session too, the oldest first."""
    by_day: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_day.setdefault(row["day"], []).append(row)
    found = []
    for back in reversed(range(days)):
        day = (today - timedelta(days=back)).isoformat()
        here = by_day.get(day, [])
        # Where an estimate of the evening turns out too high after midnight, the rest of it is taken off the new day.
        one, two, three = (max(0.0, _usd(row for row in here if row["tier"] == tier)) for tier in TIERS)
        sessions = sum(row["sessions"] for row in here)
        found.append(DayCost(day=day, sessions=sessions, usd=max(0.0, _usd(here)), tiers=(one, two, three)))
    return found


def _shares(rows: list[dict[str, Any]], column: str) -> list[Share]:
    """The dearest first."""
    sums: dict[str, list[int]] = {}
    for row in rows:
        known = sums.setdefault(str(row[column]), [0, 0])
        known[0] += row["sessions"]
        known[1] += row["micro_usd"]
    shares = [Share(name=name, sessions=sessions, usd=micro / MILLION) for name, (sessions, micro) in sums.items()]
    return sorted(shares, key=lambda share: (-share.usd, share.name))
