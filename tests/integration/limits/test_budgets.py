"""The day's money on a real database: what holds the queue back, and each warning once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemon import store
from daemon.budgets import budgets as spending
from daemon.budgets.budgets import Budgets
from ipc.messages.knowledge import EventSaid
from schema import timestamps
from schema.database import Database
from schema.states import Trigger
from tests.integration.limits.desk import Desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path, CLAUDEOPS_BUDGET_DAY_USD="10", CLAUDEOPS_TIER2_BUDGET_DAY_USD="2")
    yield made
    await made.close()


def budgets(desk: Desk) -> Budgets:
    return Budgets(desk.store, desk.settings, desk.heard)


async def spend(desk: Desk, tier: int, usd: float, *, days_ago: float = 0, estimated: bool = False) -> int:
    """A session that has spent so much; it is over, unless its cost is only estimated yet."""
    id_, _ = await desk.session(tier)
    column = "estimated_usd" if estimated else "cost_usd"
    started = timestamps.stamp(datetime.now(UTC) - timedelta(days=days_ago))
    status = "running" if estimated else "completed"
    text = f"UPDATE sessions SET {column} = {usd}, started_at = '{started}', status = '{status}' WHERE id = {id_}"
    await desk.store.write(lambda db: db._connection.execute(text).fetchall())
    return id_


async def test_what_was_spent_before_today_does_not_count(desk: Desk) -> None:
    await spend(desk, 1, 50.0, days_ago=1)
    assert await budgets(desk).refusal(1, Trigger.SCHEDULED) is None
    await spend(desk, 1, 10.0)
    told = await budgets(desk).refusal(1, Trigger.SCHEDULED)
    assert told == "the day's budget is used up ($10.00 of $10.00); until 00:00 UTC only people start sessions"
    assert await budgets(desk).refusal(1, Trigger.MANUAL) is None


async def test_what_running_sessions_are_known_to_spend_counts(desk: Desk) -> None:
    await spend(desk, 2, 2.5, estimated=True)
    assert await budgets(desk).refusal(2, Trigger.ESCALATION) is not None
    assert await budgets(desk).refusal(1, Trigger.ESCALATION) is None


async def test_what_a_resumed_session_spends_counts_on_the_day_on_which_it_is_resumed(desk: Desk) -> None:
    id_, _ = await desk.session(1)
    yesterday = timestamps.stamp(datetime.now(UTC) - timedelta(days=1))

    async def tell(**columns: object) -> None:
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        values = {**columns, "id": id_}
        text = f"UPDATE sessions SET {changes} WHERE id = :id"
        await desk.store.write(lambda db: db._connection.execute(text, values).fetchall())

    await tell(started_at=yesterday, spent_at=yesterday, cost_usd=9.0)
    await desk.put_aside(id_)
    assert await budgets(desk).refusal(1, Trigger.SCHEDULED) is None
    await desk.resume(id_)
    await tell(estimated_usd=18.5)
    assert await budgets(desk).refusal(1, Trigger.SCHEDULED) is None
    await tell(cost_usd=19.5, result="{}")
    await budgets(desk).note_end(id_)
    told = await budgets(desk).refusal(1, Trigger.SCHEDULED)
    assert told == "the day's budget is used up ($10.50 of $10.00); until 00:00 UTC only people start sessions"
    assert [event["level"] for event in await desk.rows("events")] == ["critical"]


async def test_a_resumed_run_that_ends_without_a_result_costs_what_is_known_of_it(desk: Desk) -> None:
    id_, _ = await desk.session(1)
    await desk.store.write(
        lambda db: db._connection.execute("UPDATE sessions SET cost_usd = 2.0, estimated_usd = 2.5").fetchall()
    )
    await desk.put_aside(id_)
    await desk.resume(id_)
    await desk.store.write(lambda db: db._connection.execute("UPDATE sessions SET estimated_usd = 11.0").fetchall())
    end = {"status": "interrupted", "ended_at": timestamps.now(), "exit_code": None, "reason": None, "duration_ms": 1}
    await desk.store.write(lambda db: db.change("sessions.finish", id=id_, **end))
    (row,) = await desk.rows("sessions")
    assert (row["cost_usd"], row["estimated_usd"]) == (None, 11.0)
    assert "$11.00 of $10.00" in (await budgets(desk).refusal(1, Trigger.SCHEDULED) or "")


async def test_each_warning_is_given_once_a_day_whoever_ends_at_once(desk: Desk) -> None:
    first = await spend(desk, 1, 5.5)
    await asyncio.gather(*(budgets(desk).note_end(first) for _ in range(5)))
    second = await spend(desk, 1, 3.0)
    await budgets(desk).note_end(second)
    third = await spend(desk, 2, 2.0)
    await budgets(desk).note_end(third)
    events = await desk.rows("events")
    assert [(event["level"], event["session_id"], event["message"].split(":")[0]) for event in events] == [
        ("warning", first, "The day's budget"),
        ("warning", second, "The day's budget"),
        ("critical", third, "The day's budget is used up"),
        ("critical", third, "Tier 2's budget of the day is used up"),
    ]
    assert [event.id for event in desk.heard.events if isinstance(event, EventSaid)] == [1, 2, 3, 4]
    assert "80 %" in events[1]["message"]


async def test_a_warning_waits_for_a_database_that_is_locked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is noted by a task whose end by an error would end the worker."""
    for name in ("BUSY_TIMEOUT_MS", "LOCKED_TIMEOUT_MS"):
        monkeypatch.setattr(store, name, 20)
    monkeypatch.setattr(spending, "RETRY_SECONDS", 0.02)
    session = await spend(desk, 1, 11.0)
    other = Database(desk.path, readonly=False)
    with other.transaction():
        noted = asyncio.create_task(budgets(desk).note_end(session))
        while "budgets: can't store" not in capsys.readouterr().err:
            assert not noted.done()
            await asyncio.sleep(0.01)
    other.close()
    await asyncio.wait_for(noted, 5)
    assert [event["level"] for event in await desk.rows("events")] == ["critical"]


async def test_without_budgets_nothing_is_said(tmp_path: Path) -> None:
    free = Desk(tmp_path)
    await budgets(free).note_end(await spend(free, 1, 500.0))
    assert await budgets(free).refusal(1, Trigger.SCHEDULED) is None
    assert await free.rows("events") == []
    await free.close()
