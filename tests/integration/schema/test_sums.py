"""What the database sums up by itself is what the rows say: whatever is written, removed, or was there before."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from schema import cost, sql, timestamps
from schema.database import Database
from schema.sql import Migration
from tests.integration.webui import rows

HOURS = """SELECT service, substr(checked_at, 1, 13) AS hour, count(*) AS checks, sum(status = 'healthy') AS healthy,
    sum(status = 'degraded') AS degraded, sum(status IN ('down', 'unreachable')) AS down,
    count(response_time_ms) AS timed, coalesce(sum(response_time_ms), 0) AS total_ms
    FROM health_checks GROUP BY 1, 2 ORDER BY 1, 2"""
SPENT = """CASE status WHEN 'running' THEN max(coalesce(cost_usd, 0.0), coalesce(estimated_usd, 0.0))
    ELSE coalesce(cost_usd, estimated_usd, 0.0) END"""
DAYS = """SELECT substr(started_at, 1, 10) AS day, tier, coalesce(model_id, model) AS model, trigger,
    count(*) AS sessions,
    sum(cost_usd IS NULL AND estimated_usd IS NOT NULL) AS estimated,
    sum(cost_usd IS NULL AND estimated_usd IS NULL) AS unknown FROM sessions GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""
KEPT_DAYS = """SELECT day, tier, model, trigger, sessions, estimated, unknown FROM cost_days
    WHERE sessions <> 0 OR estimated <> 0 OR unknown <> 0 ORDER BY 1, 2, 3, 4"""
# What was spent under a model stays counted under that.
MONEY = f"""SELECT substr(started_at, 1, 10) AS day, tier, trigger,
    sum(CAST(round(1000000 * {SPENT}) AS INTEGER)) AS micro
    FROM sessions GROUP BY 1, 2, 3 HAVING micro <> 0 ORDER BY 1, 2, 3"""
KEPT_MONEY = """SELECT day, tier, trigger, sum(micro_usd) AS micro FROM cost_days
    GROUP BY 1, 2, 3 HAVING micro <> 0 ORDER BY 1, 2, 3"""
CHAINS = f"""SELECT coalesce(chain_id, id) AS chain_id, count(*) AS sessions,
    sum(CAST(round(1000000 * {SPENT}) AS INTEGER)) AS micro_usd FROM sessions GROUP BY 1 ORDER BY 1"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "x.db", readonly=False)
    made.migrate()
    yield made
    made.close()


def told(database: Database, query: str) -> list[tuple[Any, ...]]:
    return list(database._connection.execute(query))


def agree(database: Database) -> None:
    """The sums are those of the rows."""
    assert told(database, "SELECT * FROM health_hours ORDER BY service, hour") == told(database, HOURS)
    assert told(database, KEPT_DAYS) == told(database, DAYS)
    assert told(database, KEPT_MONEY) == told(database, MONEY)
    kept = told(database, "SELECT chain_id, sessions, micro_usd FROM cost_chains ORDER BY chain_id")
    assert kept == told(database, CHAINS)


def session(database: Database, **columns: Any) -> int:
    values = {
        "tier": 1, "model": "haiku", "prompt_file": "p", "status": "completed", "trigger": "scheduled",
        "started_at": timestamps.now(), **columns,
    }  # fmt: skip
    return rows.insert(database, "sessions", **values)


def fill(database: Database, dice: random.Random, count: int) -> None:
    words = ("healthy", "degraded", "down", "unreachable", "paused")
    for _ in range(count):
        rows.check(
            database, dice.choice(("web", "db")), dice.choice(words), dice.random() * 20000,
            response_time_ms=dice.choice((None, 40, 900)),
        )  # fmt: skip
        first = dice.choice(
            (None, *(row[0] for row in told(database, "SELECT id FROM sessions WHERE chain_id IS NULL")))
        )
        session(
            database, tier=dice.randint(1, 3), status=dice.choice(("completed", "failed", "awaiting_approval")),
            trigger=dice.choice(("manual", "api")), chain_id=first, cost_usd=dice.choice((None, 0.1, 0.123456789)),
            estimated_usd=dice.choice((None, 0.07, 0.2)), model_id=dice.choice((None, "claude-haiku-4-5")),
            started_at=timestamps.at(time.time() - dice.random() * 300000),
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_sums_are_those_of_the_rows_whatever_is_written(database: Database, seed: int) -> None:
    dice = random.Random(seed)
    fill(database, dice, 40)
    agree(database)
    for id_ in range(1, 41, 2):
        change = dice.choice((
            {"cost_usd": 0.5}, {"estimated_usd": 9.0, "cost_usd": None}, {"model_id": "claude-opus-4-5"},
            {"status": "failed"}, {"summary": "changes nothing"}, {"cost_usd": None, "estimated_usd": None},
        ))  # fmt: skip
        rows.set_values(database, "sessions", id_, **change)
    for id_ in range(1, 41, 3):
        database._connection.execute("DELETE FROM health_checks WHERE id = ?", (id_,))
    agree(database)


def test_a_session_that_runs_counts_as_budgets_count_it(database: Database) -> None:
    id_ = session(database, status="running", estimated_usd=0.4, cost_usd=0.1)
    today = datetime.now(UTC).date()
    assert database.rows("budgets.spent", day=str(today)) == [{"tier": 1, "micro_usd": 400_000}]
    assert cost.read(database, 1, today).usd == 0.4
    rows.set_values(database, "sessions", id_, status="completed", cost_usd=0.3)
    assert database.rows("budgets.spent", day=str(today)) == [{"tier": 1, "micro_usd": 300_000}]
    assert cost.read(database, 1, today).usd == 0.3


def test_money_counts_on_the_day_on_which_it_is_spent_and_its_session_on_that_on_which_it_started(
    database: Database,
) -> None:
    days = [f"2026-01-{day}" for day in (28, 30, 31)]
    id_ = session(database, status="running", started_at=f"{days[0]}T23:50:00.000Z")
    steps: list[dict[str, Any]] = [
        {"estimated_usd": 0.2, "spent_at": f"{days[0]}T23:55:00.000Z"},
        {"cost_usd": 0.3, "status": "awaiting_approval", "spent_at": f"{days[0]}T23:59:00.000Z"},
        {"status": "running", "cost_before": 0.3, "spent_at": f"{days[1]}T08:00:00.000Z"},
        {"estimated_usd": 0.9, "model_id": "claude-opus-4-5", "spent_at": f"{days[1]}T08:01:00.000Z"},
        {"estimated_usd": 1.1, "spent_at": f"{days[2]}T00:01:00.000Z"},
        {"cost_usd": 1.0, "status": "completed"},
    ]
    for step in steps:
        rows.set_values(database, "sessions", id_, **step)
    report = cost.read(database, 4, date.fromisoformat(days[2]))
    assert [(day.usd, day.sessions) for day in report.days] == [(0.3, 1), (0.0, 0), (0.6, 0), (0.1, 0)]
    assert (report.usd, report.sessions) == (1.0, 1)
    assert {share.name: share.usd for share in report.models} == {"haiku": 0.3, "claude-opus-4-5": 0.7}
    assert [(chain.day, chain.usd) for chain in report.chains] == [(days[0], 1.0)]
    assert database.rows("budgets.spent", day=days[1]) == [{"tier": 1, "micro_usd": 600_000}]


def test_what_was_spent_stays_when_housekeeping_removes_a_chain(database: Database) -> None:
    first = session(database, cost_usd=1.0)
    last = session(database, cost_usd=2.0, chain_id=first, parent_session_id=first)
    for id_ in (last, first):
        database.change("keeping.delete_session", id=id_)
    report = cost.read(database, 7, datetime.now(UTC).date())
    assert (report.usd, report.sessions) == (3.0, 2)
    assert report.chains == []


def test_the_dearest_chains_come_first_with_all_their_sessions(database: Database) -> None:
    cheap, dear = session(database, cost_usd=1.0), session(database, cost_usd=0.9)
    session(database, cost_usd=0.2, chain_id=dear, parent_session_id=dear)
    session(database, cost_usd=0.0)
    session(database, cost_usd=50.0, started_at=timestamps.at(time.time() - 9 * 86400))
    found = cost.read(database, 7, datetime.now(UTC).date()).chains
    assert [(chain.id, chain.sessions, chain.usd) for chain in found] == [(dear, 2, 1.1), (cheap, 1, 1.0)]


def test_a_database_from_before_is_summed_up_when_it_is_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = sql.migrations()
    before: tuple[Migration, ...] = tuple(step for step in every if step.number < 7)
    monkeypatch.setattr(sql, "migrations", lambda: before)
    database = Database(tmp_path / "old.db", readonly=False)
    database.migrate()
    fill(database, random.Random(7), 60)
    for service in ("api", "gone"):
        rows.insert(database, "service_health_streak", service=service)
    rows.check(database, "api", "down", 30)
    rows.check(database, "api", "healthy", 20)
    since = timestamps.at(time.time() - 10)
    rows.check(database, "api", "down", checked_at=since)
    rows.check(database, "api", "down", 5)
    monkeypatch.setattr(sql, "migrations", lambda: every)
    assert database.migrate()[0] == "sums"
    agree(database)
    api, gone = (database.one("services.one", service=name) or {} for name in ("api", "gone"))
    assert (api["status"], api["since"]) == ("down", since)
    assert (gone["status"], gone["since"]) == (None, None)
    fill(database, random.Random(8), 10)
    agree(database)
    database.close()


def test_the_beginning_of_a_status_moves_only_with_the_status(database: Database) -> None:
    said = [("down", 1), ("down", 2), ("healthy", 3), ("healthy", 4), ("down", 5)]
    found = []
    for status, second in said:
        database.value(
            "health.streak", service="web", status=status, healthy=int(status == "healthy"), counts=1,
            checked_at=timestamps.at(second),
        )  # fmt: skip
        found.append((database.one("services.one", service="web") or {})["since"])
    assert found == [timestamps.at(second) for second in (1, 1, 3, 3, 5)]
